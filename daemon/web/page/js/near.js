/** The hazards that are closest to an alert now, and behind a fold the quiet ones. */

import { $, keyed, make, say, show } from "./dom.js";
import { probability } from "./format.js";
import { hazard as named, t } from "./i18n.js";

const SHOWN = 3;
const RECENT_S = 10;

/** @param {import("./scores.js").Scores} scores */
export function showNear(scores) {
  const recent = new Map(scores.hazards.map((name) => [name, scores.highest(name, RECENT_S)]));
  const closeness = (/** @type {string} */ name) => (recent.get(name) ?? 0) / (scores.thresholds[name] || 1);
  const order = [...scores.hazards].sort((a, b) => closeness(b) - closeness(a));
  const [near, quiet] = [order.slice(0, SHOWN), order.slice(SHOWN).sort((a, b) => scores.hazards.indexOf(a) - scores.hazards.indexOf(b))];
  fill($("near"), near, recent, scores);
  show($("quiet"), quiet.length > 0);
  const count = quiet.length;
  say($("quiet-count"), () => t("near.quiet", { count }));
  if ($("quiet").open) fill($("quiet-list"), quiet, recent, scores);
}

/** @param {Element} list @param {string[]} names @param {Map<string, number>} recent @param {import("./scores.js").Scores} scores */
function fill(list, names, recent, scores) {
  for (const line of keyed(list, names, nearLine)) {
    const name = line.dataset.key;
    const [meter, value] = [line.children[1], line.children[2]];
    meter.high = scores.thresholds[name];
    meter.value = recent.get(name) ?? 0;
    say(value, probability(recent.get(name) ?? 0));
  }
}

/** @param {string} name */
const nearLine = (name) => make("li", {},
  make("span", { text: () => named(name) }),
  make("meter", { min: 0, max: 1, low: 0, optimum: 0, label: () => t("near.of", { hazard: named(name) }) }),
  make("span", { class: "figure" }));
