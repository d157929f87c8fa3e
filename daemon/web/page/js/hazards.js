/** The hazards: their charts, and thresholds that can be changed, tried, saved and reset. */

import { get, post, wordsOf } from "./api.js";
import { $, make, say, show } from "./dom.js";
import { number, probability } from "./format.js";
import { hazard as named, t } from "./i18n.js";
import { forever } from "./poll.js";
import { HazardCard } from "./hazard_card.js";
import { keyOf, Proposal } from "./proposal.js";
import { Scores } from "./scores.js";
import { showTrial } from "./trial.js";

const EVERY_MS = 1000;
const TABLE_EVERY_MS = 5000;
const TRY_PATIENCE_MS = 60_000;

export class Hazards {
  scores = new Scores();
  #proposal = new Proposal();
  #dangers;
  /** @type {Map<string, HazardCard>} */
  #cards = new Map();
  /** @type {Set<string>} hazards whose threshold was saved here */
  #overridden = new Set();
  #tabled = 0;

  /** @param {import("./dangers.js").Dangers} dangers */
  constructor(dangers) {
    this.#dangers = dangers;
    const asked = /** @type {Record<string, () => Promise<void>>} */ ({ try: () => this.#try(), save: () => this.#save(), discard: () => this.#discard() });
    for (const [what, act] of Object.entries(asked)) $(`proposal-${what}`).addEventListener("click", () => this.#act(act));
    $("hazards-table").addEventListener("toggle", () => this.#table(true));
    for (const medium of ["(prefers-color-scheme: dark)", "(min-width: 60rem)"]) {
      matchMedia(medium).addEventListener("change", () => this.show());
    }
    addEventListener("resize", () => this.#cards.forEach((card) => card.draw()));
    this.#showProposal();
  }

  /** Follow the scores for ever. */
  async run() {
    await forever(EVERY_MS, async () => {
      this.scores.take(await get("scores", { since_s: this.scores.since }));
      if (this.scores.hazards.join() !== [...this.#cards.keys()].join()) await this.#build();
      this.show();
    });
  }

  async #build() {
    const asked = { change: (/** @type {string} */ name, /** @type {number} */ value) => this.#change(name, value), reset: (/** @type {string} */ name) => this.#act(() => this.#reset(name)) };
    this.#cards = new Map(this.scores.hazards.map((name) => [name, new HazardCard(name, this.scores.severities[name], asked)]));
    $("hazards").replaceChildren(...[...this.#cards.values()].map((card) => card.element));
    // At once: a slider focused before its value is set would keep a wrong one.
    this.show();
    await this.#layers();
  }

  /** Which thresholds were saved here. */
  async #layers() {
    const { sections } = await get("config");
    const settings = sections.flatMap((/** @type {any} */ section) => section.settings);
    const saved = new Set(settings.filter((/** @type {any} */ one) => one.layer === "overrides").map((/** @type {any} */ one) => one.key));
    this.#overridden = new Set(this.scores.hazards.filter((name) => saved.has(keyOf(name))));
  }

  /** Everything as it is now. */
  show() {
    const dangers = new Map(this.#dangers.list.map((danger) => [danger.hazard, danger]));
    for (const [name, card] of this.#cards) {
      card.update({
        line: this.scores.line(name),
        summary: this.scores.summary(name),
        threshold: this.scores.thresholds[name],
        proposed: this.#proposal.get(name),
        overridden: this.#overridden.has(name),
        danger: dangers.get(name),
      });
    }
    this.#table(false);
  }

  /** @param {boolean} atOnce */
  #table(atOnce) {
    if (!$("hazards-table").open || (!atOnce && performance.now() - this.#tabled < TABLE_EVERY_MS)) return;
    this.#tabled = performance.now();
    $("hazards-rows").replaceChildren(...this.scores.hazards.map((name) => {
      const { now, peak, overS } = this.scores.summary(name);
      const cells = [probability(now), probability(peak), () => t("hazards.seconds", { seconds: number(overS, 1) }), probability(this.scores.thresholds[name])];
      return make("tr", {}, make("th", { scope: "row", text: () => named(name) }), ...cells.map((text) => make("td", { text })));
    }));
  }

  /** @param {string} name @param {number} value */
  #change(name, value) {
    this.#proposal.set(name, value, this.scores.thresholds[name]);
    say($("proposal-result"), "");
    this.#showProposal();
    this.show();
  }

  /** In words, `Fire 0.50 → 0.30, …`. */
  #words() {
    const before = { ...this.scores.thresholds };
    const changes = Object.entries(this.#proposal.thresholds);
    return () => changes.map(([name, after]) => t("proposal.change", { hazard: named(name), before: probability(before[name]), after: probability(after) })).join(", ");
  }

  #showProposal() {
    const words = this.#words();
    const empty = this.#proposal.empty;
    say($("proposal-text"), empty ? () => t("proposal.none") : () => t("proposal.some", { changes: words() }));
    $("proposal").classList.toggle("pending", !empty);
    for (const what of ["try", "save", "discard"]) $(`proposal-${what}`).setAttribute("aria-disabled", String(empty));
  }

  /** @param {() => Promise<void>} act */
  async #act(act) {
    try {
      await act();
    } catch (error) {
      say($("proposal-result"), wordsOf(error));
      $("proposal-result").classList.add("bad");
    }
  }

  /** @param {() => string} words */
  #done(words) {
    $("proposal-result").classList.remove("bad");
    say($("proposal-result"), words);
    this.#showProposal();
    this.show();
  }

  async #try() {
    if (this.#proposal.empty) return;
    this.#done(() => t("proposal.trying"));
    const result = await post("try", { thresholds: this.#proposal.thresholds }, { patienceMs: TRY_PATIENCE_MS });
    this.#done(() => t("trial.counts", { before: result.before.length, after: result.after.length }));
    showTrial($("trial"), result, this.scores.now);
  }

  async #save() {
    if (this.#proposal.empty) return;
    const words = this.#words();
    await post("config", { values: this.#proposal.settings });
    Object.assign(this.scores.thresholds, this.#proposal.thresholds);
    this.#proposal.clear();
    await this.#layers();
    this.#done(() => t("proposal.saved", { changes: words() }));
  }

  async #discard() {
    if (this.#proposal.empty) return;
    this.#proposal.clear();
    show($("trial"), false);
    this.#done(() => t("proposal.discarded"));
  }

  /** @param {string} name */
  async #reset(name) {
    await post("config/reset", { keys: [keyOf(name)] });
    this.#proposal.set(name, this.scores.thresholds[name], this.scores.thresholds[name]);
    this.scores.take(await get("scores", { since_s: this.scores.since }));
    await this.#layers();
    const value = this.scores.thresholds[name];
    $(`threshold-${name}`).focus();
    this.#done(() => t("proposal.reset", { hazard: named(name), value: probability(value) }));
  }
}
