/** One hazard: a chart of its probability over the last two minutes, and its threshold with a slider. */

import { make, say, show } from "./dom.js";
import { probability } from "./format.js";
import { hazard as named, t } from "./i18n.js";
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
    this.slider = make("input", { type: "range", ...bounds, label: () => t("hazards.slider-of", { hazard: named(name) }) });
    this.field = make("input", { type: "number", id, ...bounds, inputmode: "decimal", label: () => t("hazards.threshold-of", { hazard: named(name) }) });
    this.note = make("p", { class: "quiet note" });
    this.reset = make("button", { type: "button", class: "small", hidden: true, text: () => t("hazards.reset"), label: () => t("hazards.reset-of", { hazard: named(name) }), on: { click: () => asked.reset(name) } });
    for (const input of [this.slider, this.field]) {
      input.addEventListener("input", () => this.#moved(Number(input.value), input, asked.change));
    }
    this.field.addEventListener("change", () => (this.field.value = probability(this.#shown)));
    this.element = make("li", { class: "hazard", "data-hazard": name },
      make("div", { class: "hazard-head" },
        make("h3", { text: () => named(name) }), this.value,
        make("p", { class: "badges" },
          make("span", { class: `badge ${severity}`, text: () => severityWords(severity) }), this.alert)),
      this.chart,
      make("div", { class: "hazard-threshold" }, make("label", { for: id, text: () => t("hazards.threshold") }), this.slider, this.field),
      make("div", { class: "hazard-note" }, this.note, this.reset));
  }

  get #shown() {
    return this.#state?.proposed ?? this.#state?.threshold ?? 0;
  }

  /** @param {number} value @param {HTMLInputElement} input @param {(hazard: string, value: number) => void} change */
  #moved(value, input, change) {
    if (!input.checkValidity() || input.value === "") return;
    change(this.#name, value);
  }

  /** @param {HazardState} state */
  update(state) {
    this.#state = state;
    say(this.value, probability(state.summary.now));
    const direction = state.danger?.direction;
    show(this.alert, state.danger !== undefined);
    say(this.alert, () => [t("hazards.active"), where(direction)].filter(Boolean).join(", "));
    for (const input of [this.slider, this.field]) {
      if (document.activeElement !== input) input.value = probability(this.#shown);
    }
    this.element.classList.toggle("is-active", state.danger !== undefined);
    this.element.classList.toggle("is-changed", state.proposed !== undefined);
    this.#notes(state);
    this.draw();
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
