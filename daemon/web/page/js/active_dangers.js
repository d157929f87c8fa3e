/** Shows the active dangers: as a list beside the picture, and over it at their direction. */

import { $, make } from "./dom.js";
import { hazard, t } from "./i18n.js";
import { danger, severity, where } from "./wording.js";

const ARROWS = /** @type {Record<string, string>} */ ({ left: "◀", ahead: "▲", right: "▶", both: "◀▶", behind: "▼" });
/** Directions without a zone of their own. @type {Record<string, string | null>} */
const ZONES = { both: "ahead", behind: "ahead" };

/** @param {import("./dangers.js").Danger[]} dangers worst first @param {boolean} known false if there may be others */
export function showDangers(dangers, known) {
  const lines = dangers.map((each) => make("li", { class: each.severity, "data-hazard": each.hazard },
    make("span", { class: `badge ${each.severity}`, text: () => severity(each.severity) }),
    make("span", { text: () => danger(each) })));
  $("now").replaceChildren(...(lines.length ? lines : [make("li", { class: "quiet", text: () => t(known ? "now.none" : "now.unknown") })]));
  const zones = [null, "left", "ahead", "right"].map((zone) => make("div", { class: `zone ${zone ?? "nowhere"}` },
    ...dangers.filter((each) => (ZONES[each.direction ?? ""] ?? each.direction) === zone).map(mark)));
  $("overlay").replaceChildren(...zones);
}

/** @param {import("./dangers.js").Danger} each */
function mark(each) {
  const arrow = each.direction ? `${ARROWS[each.direction] ?? ""} ` : "";
  return make("p", { class: `mark ${each.severity}`, text: () => `${arrow}${hazard(each.hazard)}`, title: () => where(each.direction) });
}
