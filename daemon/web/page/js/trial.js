/** A table of a minute's alerts, with the current and the tried thresholds. */

import { make, show } from "./dom.js";
import { number, probability } from "./format.js";
import { hazard as named, t } from "./i18n.js";
import { compared } from "./proposal.js";
import { severity } from "./wording.js";

/** @param {Element} place @param {{ seconds: number, before: any[], after: any[] }} result @param {number | null} now the daemon's clock; null if the minute is not the last one */
export function showTrial(place, { seconds, before, after }, now) {
  const rows = compared(before, after);
  const title = make("h3", { text: () => t(now === null ? "trial.title-event" : "trial.title", { seconds: number(seconds) }) });
  const end = now ?? Math.max(0, ...rows.map(({ alert }) => alert.t));
  place.replaceChildren(title, rows.length ? table(rows, end) : make("p", { text: () => t("trial.none") }));
  show(place, true);
}

/** @param {{ alert: any, before: boolean, after: boolean }[]} rows @param {number} now */
function table(rows, now) {
  const heads = ["trial.when", "hazards.hazard", "trial.before", "trial.after"];
  const head = make("tr", {}, ...heads.map((key) => make("th", { scope: "col", text: () => t(key) })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows.map((row) => line(row, now))));
}

/** @param {{ alert: any, before: boolean, after: boolean }} row @param {number} now */
function line({ alert, before, after }, now) {
  const ago = number(Math.max(0, now - alert.t), 1);
  const what = () => `${named(alert.hazard)} (${severity(alert.severity)}, ${probability(alert.probability)})`;
  return make("tr", { class: before === after ? "" : "differs" },
    make("td", { text: () => t("trial.ago", { time: t("hazards.seconds", { seconds: ago }) }) }),
    make("th", { scope: "row", text: what }),
    cell(before), cell(after));
}

/** @param {boolean} alert */
function cell(alert) {
  if (alert) return make("td", {}, make("span", { class: "badge active", text: () => t("trial.yes") }));
  return make("td", {}, make("span", { "aria-hidden": "true", text: () => t("trial.no") }), make("span", { class: "unseen", text: () => t("trial.no-said") }));
}
