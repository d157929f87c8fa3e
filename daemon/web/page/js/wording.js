/** Texts for events, components and reasons. */

import { duration, probability, short } from "./format.js";
import { hazard, t, tOr } from "./i18n.js";

/** @param {string | null | undefined} direction */
export const where = (direction) => (direction ? tOr(`where.${direction}`, direction) : "");
export const severity = (/** @type {string} */ name) => tOr(`severity.${name}`, name);
export const component = (/** @type {string} */ name) => tOr(`component.${name}`, name);
export const reason = (/** @type {string} */ name) => tOr(`reason.${name}`, name);
export const kind = (/** @type {string} */ name) => tOr(`kind.${name}`, name);

/** `Fire, on the left` @param {{ hazard: string, direction?: string | null }} danger */
export const danger = ({ hazard: name, direction }) =>
  direction ? t("event.alert", { hazard: hazard(name), where: where(direction) }) : t("event.alert-nowhere", { hazard: hazard(name) });

/** An event in one line. @param {any} event @returns {string} */
export function line(event) {
  const format = LINES[event.kind];
  return format ? format(event) : t("event.other", { kind: kind(event.kind) });
}

/** An event that stands by itself, beside its kind. @param {any} event @returns {string} */
export function headline(event) {
  const format = event.text ? ALONE[event.kind] : undefined;
  return format ? format(event) : line(event);
}

/** The same under the event it follows from, where its hazard need not be named again. @param {any} event @param {any} first */
export function following(event, first) {
  if (event.kind === "clear") return t("event.clear-after", { time: short(event.t - first.t) });
  return line(event);
}

/** @param {any} event */
export function alertDetail(event) {
  const news = event.escalated ? "news.escalated" : event.again ? "news.again" : "news.new";
  return t("event.alert-detail", { probability: probability(event.probability ?? 0), news: t(news) });
}

/** @type {Record<string, (event: any) => string>} */
const LINES = {
  alert: danger,
  direction: (e) => t("event.direction", { hazard: hazard(e.hazard), where: where(e.direction) }),
  clear: (e) => t("event.clear", { hazard: hazard(e.hazard) }),
  scene: (e) => tOr(`event.scene.${e.trigger}`, e.trigger).replace("{hazard}", () => hazard(e.hazard ?? "")),
  describe: (e) => t("event.describe", { model: e.model, text: e.text }),
  speak: spoken,
  unspoken,
  health: (e) => t("event.health", { component: component(e.component), reason: reason(e.reason) }) + (e.detail ? ` (${e.detail})` : ""),
  false_alarm: (e) => t("event.false_alarm", { hazard: hazard(e.hazard) }),
  summary: () => t("event.summary"),
  dropped: (e) => t("event.dropped", { count: e.count }),
};

/** @type {Record<string, (event: any) => string>} */
const ALONE = {
  speak: (e) => t("event.speak-alone", { text: e.text }),
  unspoken: (e) => t("event.unspoken-alone", { text: e.text, reason: tOr(`unspoken.${e.reason}`, e.reason) }),
  describe: (e) => t("event.describe-alone", { text: e.text, model: e.model }),
};

/** @param {any} event */
function spoken(event) {
  if (!event.text) return t("event.earcon", { earcon: tOr(`earcon.${event.earcon}`, event.earcon ?? "") });
  const timing = event.timing ?? {};
  if (event.priority !== "danger" || timing.since_capture_s === undefined) return t("event.speak", { text: event.text });
  return t("event.speak-latency", { time: short(timing.since_capture_s + (timing.output_s ?? 0)), text: event.text });
}

/** How long after the picture its danger was heard; empty for anything else. @param {any} event */
export function latency(event) {
  const timing = event.timing ?? {};
  if (event.priority !== "danger" || timing.since_capture_s === undefined) return "";
  return t("event.latency", { time: short(timing.since_capture_s + (timing.output_s ?? 0)) });
}

/** @param {any} event */
function unspoken(event) {
  const why = tOr(`unspoken.${event.reason}`, event.reason);
  return event.text ? t("event.unspoken", { reason: why, text: event.text }) : t("event.unspoken-nothing", { reason: why });
}

/** What a screen reader should hear of an event; empty where that is nothing. @param {any} event */
export function announcement(event) {
  switch (event.kind) {
    case "alert":
      return event.again ? "" : `${severity(event.severity)}: ${danger(event)}`;
    case "direction":
    case "describe":
    case "false_alarm":
      return event.kind === "describe" ? event.text : line(event);
    case "health":
      return event.reminder ? "" : line(event);
    default:
      return "";
  }
}

/** @param {number} seconds */
export const sinceWords = (seconds) => t("health.since", { time: duration(seconds) });
