/** One hazard in a line: its probability over the last two minutes, its threshold, and the alerts that it would mean. */

import { make, say, show } from "./dom.js";
import { number, probability } from "./format.js";
import { hazard as named, t } from "./i18n.js";
import { shareMistake } from "./share.js";
import { draw } from "./sparkline.js";
import { severity as severityWords, where } from "./wording.js";

/**
 * @typedef {object} HazardState
 * @property {[number, number][]} line
 * @property {{ now: number, peak: number }} summary
 * @property {number} threshold in force
 * @property {number | undefined} proposed
 * @property {boolean} overridden the threshold in force was saved on this page
 * @property {import("./dangers.js").Danger | undefined} danger
 * @property {import("./estimates.js").Estimate | null} estimate alerts with the threshold shown; null until it is known
 */

export class HazardCard {
  /** @type {HazardState | null} */
  #state = null;
  #name;
  #described = -Infinity;

  /**
   * @param {string} name @param {string} severity
   * @param {{ change: (hazard: string, value: number) => void, reset: (hazard: string) => void }} asked
   */
  constructor(name, severity, asked) {
    this.#name = name;
    const id = `threshold-${name}`;
    const bounds = { min: 0, max: 1, step: 0.01 };
    this.chart = make("canvas", { class: "chart", role: "img" });
    this.value = make("span", { class: "value" });
    this.alert = make("span", { class: "badge active", hidden: true });
    // For the mouse and the finger only: the field beside it does the same for keyboard and screen reader.
    this.slider = make("input", { type: "range", ...bounds, tabindex: -1, "aria-hidden": "true" });
    this.field = make("input", { type: "number", id, ...bounds, inputmode: "decimal", "aria-describedby": `note-${name}`, label: () => t("hazards.threshold-of", { hazard: named(name) }) });
    this.estimate = make("p", { class: "estimate" }, make("strong"), make("span"));
    this.note = make("p", { class: "quiet note", id: `note-${name}`, role: "status" });
    this.reset = make("button", { type: "button", class: "small", hidden: true, text: () => t("hazards.reset"), label: () => t("hazards.reset-of", { hazard: named(name) }), on: { click: () => asked.reset(name) } });
    for (const input of [this.slider, this.field]) {
      input.addEventListener("input", () => this.#moved(input, asked.change));
    }
    this.field.addEventListener("change", () => this.#shareMistake() || (this.field.value = probability(this.#shown)));
    this.element = make("li", { class: "hazard", "data-hazard": name },
      make("div", { class: "hazard-head" },
        make("h3", { text: () => named(name) }),
        make("p", { class: "badges" },
          make("span", { class: `badge ${severity}`, text: () => severityWords(severity) }), this.alert)),
      this.chart, this.value,
      make("div", { class: "hazard-threshold" }, make("label", { for: id, text: () => t("hazards.threshold") }), this.field, this.slider),
      this.estimate,
      make("div", { class: "hazard-note" }, this.note, this.reset));
  }

  get #shown() {
    return this.#state?.proposed ?? this.#state?.threshold ?? 0;
  }

  /** Whether something stands in the field that is no share, which is said. */
  #shareMistake() {
    const mistake = shareMistake(this.field);
    this.field.setAttribute("aria-invalid", String(mistake !== null));
    if (mistake) say(this.note, mistake);
    this.note.classList.toggle("bad", mistake !== null);
    return mistake !== null;
  }

  /** @param {HTMLInputElement} input @param {(hazard: string, value: number) => void} change */
  #moved(input, change) {
    if (input === this.slider) this.field.value = probability(Number(input.value));
    if (this.#shareMistake() || this.field.value === "") return;
    change(this.#name, Number(input.value));
  }

  /** @param {HazardState} state */
  update(state) {
    this.#state = state;
    say(this.value, probability(state.summary.now));
    const direction = state.danger?.direction;
    show(this.alert, state.danger !== undefined);
    say(this.alert, () => [t("hazards.active"), where(direction)].filter(Boolean).join(", "));
    const wrong = this.field.getAttribute("aria-invalid") === "true";
    for (const input of [this.slider, this.field]) {
      if (document.activeElement !== input && !(wrong && input === this.field)) input.value = probability(this.#shown);
    }
    this.element.classList.toggle("is-active", state.danger !== undefined);
    this.element.classList.toggle("is-changed", state.proposed !== undefined);
    this.#estimates(state.estimate);
    if (!wrong) this.#notes(state);
    this.draw();
  }

  /** @param {import("./estimates.js").Estimate | null} estimate */
  #estimates(estimate) {
    if (!estimate) return;
    const { alerts, seconds, hourly } = estimate;
    const minutes = number(seconds / 60, 1);
    const [rate, proof] = this.estimate.children;
    say(rate, hourly === null ? "" : () => t("estimate.hourly", { hourly: number(hourly) }));
    say(proof, hourly === null ? () => t("estimate.none") : () => t("estimate.proof", { alerts, minutes }));
  }

  /** @param {HazardState} state */
  #notes({ proposed, threshold, overridden }) {
    const saved = () => (overridden ? t("hazards.saved-here") : "");
    say(this.note, proposed === undefined ? saved : () => t("hazards.changed", { value: probability(threshold) }));
    show(this.reset, overridden);
  }

  /** Paint, and now and then say in words what is painted. */
  draw() {
    if (!this.#state) return;
    const { line, threshold, proposed, summary } = this.#state;
    draw(this.chart, { line, threshold, proposed });
    if (performance.now() - this.#described < 5000) return;
    this.#described = performance.now();
    const figures = { now: probability(summary.now), peak: probability(summary.peak), threshold: probability(threshold) };
    say(this.chart, () => t("hazards.chart", { hazard: named(this.#name), ...figures }), "label");
  }
}
