/** The daemon's status, polled every two seconds: components and figures. */

import { get, Problem } from "./api.js";
import { $, keyed, make, say } from "./dom.js";
import { duration, number } from "./format.js";
import { t, tOr } from "./i18n.js";
import { forever } from "./poll.js";
import { component, reason, sinceWords } from "./wording.js";

const EVERY_MS = 2000;
const PATIENCE_MS = 4000;
const FAILURES = 2;
/** Refusals by the web server, which say nothing about the daemon: token needed, too many requests. */
const REFUSED = [401, 429];
const OK = "ok";
const UNKNOWN = "unknown";

/** True if all components work. @param {any} status */
export const isHealthy = (status) =>
  Object.values(status.components ?? {}).every((/** @type {any} */ each) => each.reason === OK) && !(status.lost ?? []).length;

/**
 * @param {(status: any) => void} onStatus called with each answer
 * @param {() => void} onSilence called after several requests without an answer
 */
export function follow(onStatus, onSilence) {
  let failures = 0;
  return forever(EVERY_MS, async () => {
    const status = await get("status", {}, { patienceMs: PATIENCE_MS }).catch((error) => {
      if (error instanceof Problem && REFUSED.includes(error.status)) throw error;
      failures += 1;
      if (failures >= FAILURES) {
        showUnknown();
        onSilence();
      }
      throw error;
    });
    failures = 0;
    showHealth(status);
    onStatus(status);
  });
}

/** Show that the state is unknown. */
export function showUnknown() {
  for (const line of keyed($("components"), [UNKNOWN], componentLine)) showComponent(line, { reason: UNKNOWN }, []);
  keyed($("figures"), [], figureLine);
  const [verdict] = keyed($("health-line"), ["verdict"], () => make("span"));
  verdict.className = "bad";
  say(verdict, () => t("health.unknown"));
}

/** All of it in one line: what does not work, else that all is well, and two figures. @param {any} status */
function showSummary(status) {
  const ill = Object.entries(status.components ?? {}).filter(([, state]) => state.reason !== OK);
  const parts = ill.map(([name, state]) => () => t("event.health", { component: component(name), reason: reason(state.reason) }));
  if (status.lost?.length) parts.push(() => t("health.lost", { parts: status.lost.join(", ") }));
  const [fps, ear] = [status.fps ?? null, status.latency?.frame_to_ear];
  const figures = [
    ...(fps === null ? [] : [() => t("health.fps", { fps: number(fps, 1) })]),
    ...(ear ? [() => t("health.ear", { s: (ear.p50_ms / 1000).toFixed(2) })] : []),
  ];
  const [verdict, rest] = keyed($("health-line"), ["verdict", "rest"], () => make("span"));
  verdict.className = parts.length ? "bad" : "good";
  say(verdict, () => (parts.length ? parts.map((words) => words()).join(" · ") : t("health.well")));
  say(rest, () => figures.map((words) => ` · ${words()}`).join(""));
}

/** @param {any} status */
export function showHealth(status) {
  const lost = status.lost ?? [];
  const components = { ...status.components, ...(lost.length ? { lost: { reason: "failed" } } : {}) };
  for (const line of keyed($("components"), Object.keys(components), componentLine)) showComponent(line, components[line.dataset.key], lost);
  const shown = new Map(figures(status));
  for (const line of keyed($("figures"), [...shown.keys()], figureLine)) say(line.lastElementChild, shown.get(line.dataset.key) ?? "");
  showSummary(status);
  say($("about"), () => t("about", { version: status.version ?? "" }));
}

/** @param {string} name */
const componentLine = (name) => make("li", { "data-component": name },
  make("span", { class: "sign", "aria-hidden": "true" }), make("span", { class: "name" }),
  make("span", { class: "reason" }), make("span", { class: "quiet" }), make("span", { class: "detail" }));

/** @param {HTMLElement} line @param {any} state @param {string[]} lost */
function showComponent(line, { reason: code, since_s: since, detail = "" }, lost) {
  const [sign, name, why, lasting, more] = line.children;
  const key = line.dataset.key ?? "";
  const fine = code === OK;
  line.className = fine ? "good" : "bad";
  say(sign, fine ? "✓" : "!");
  say(name, key === "lost" ? () => t("health.lost", { parts: lost.join(", ") }) : () => component(key));
  say(why, () => reason(code));
  say(lasting, since === undefined ? "" : () => sinceWords(since));
  say(more, fine ? "" : detail);
}

/** @param {string} key */
const figureLine = (key) => make("div", {}, make("dt", { text: () => t(key) }), make("dd"));

/** @param {any} status @returns {[string, () => string][]} */
function figures(status) {
  const ear = status.latency?.frame_to_ear;
  const earWords = () => (ear ? t("figure.ear-value", { p50: (ear.p50_ms / 1000).toFixed(2), p95: (ear.p95_ms / 1000).toFixed(2) }) : t("figure.ear-none"));
  const unknown = status.unrecognised ?? [];
  const turnedDown = Object.entries(status.models_turned_down ?? {});
  const turnedDownWords = () => turnedDown.map(([name, why]) => `${name} (${why})`).join(", ");
  /** @type {[string, any, () => string][]} */
  const all = [
    ["figure.unrecognised", unknown.length ? unknown : null, () => t("figure.unrecognised-value", { names: unknown.join(", ") })],
    ["figure.fps", status.fps, () => number(status.fps, 1)],
    ["figure.skipped", status.skipped, () => number(status.skipped)],
    ["figure.ear", status.latency, earWords],
    ["figure.assessed", status.assessed, () => number(status.assessed)],
    ["figure.uptime", status.uptime_s, () => duration(status.uptime_s)],
    ["figure.outlet", status.outlet, () => tOr(`outlet.${status.outlet}`, status.outlet)],
    ["figure.source", status.source, () => status.source],
    ["figure.model", status.model, () => [status.model, status.device].filter(Boolean).join(", ")],
    ["figure.model-note", status.model_note || undefined, () => status.model_note],
    ["figure.turned-down", turnedDown.length ? turnedDown : undefined, turnedDownWords],
    ["figure.describer", status.describer, () => status.describer],
  ];
  return all.filter(([, value]) => value !== undefined && value !== null).map(([key, , words]) => [key, words]);
}
