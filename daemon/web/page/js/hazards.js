/** The hazards, the most active first, and thresholds that can be changed, tried, saved and reset. */

import { get, post, wordsOf } from "./api.js";
import { $, keyed, make, say, show } from "./dom.js";
import { Estimates } from "./estimates.js";
import { clock, number, probability } from "./format.js";
import { hazard as named, t } from "./i18n.js";
import { HazardCard } from "./hazard_card.js";
import { idle } from "./needs.js";
import { forever } from "./poll.js";
import { keyOf, Proposal } from "./proposal.js";
import { Scores } from "./scores.js";
import { showTrial } from "./trial.js";

const EVERY_MS = 1000;
const TABLE_EVERY_MS = 5000;
const SORT_EVERY_MS = 10_000;
const TRY_PATIENCE_MS = 60_000;
/** A hazard whose probability stayed under this share of its threshold is quiet. */
const QUIET = 0.5;

export class Hazards {
  scores = new Scores();
  #proposal = new Proposal();
  #dangers;
  /** @type {Map<string, HazardCard>} */
  #cards = new Map();
  /** @type {Set<string>} hazards whose threshold was saved here */
  #overridden = new Set();
  #tabled = 0;
  #sorted = -Infinity;
  /** The dangers at the last sorting. */
  #present = "";
  #estimates = new Estimates(() => this.#shown(), () => this.show());
  /** @type {() => void} called after each answer of `/scores` */
  onScores = () => {};

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
    for (const list of [$("hazards"), $("hazards-quiet")]) list.addEventListener("toggle", () => this.show(), true);
    $("try-on").addEventListener("change", () => this.#showProposal());
    this.#showProposal();
  }

  /** Follow the scores for ever. */
  async run() {
    this.#estimates.run();
    await forever(EVERY_MS, async () => {
      this.scores.take(await get("scores", { since_s: this.scores.since }));
      if (this.scores.hazards.join() !== [...this.#cards.keys()].join()) await this.#build();
      this.show();
      this.onScores();
    });
  }

  /** The view is opened: offer the alerts that can be tried on. @param {URLSearchParams} about */
  async open(about) {
    this.#sorted = -Infinity;
    this.show();
    this.#estimates.soon();
    const { events } = await get("journal", { kinds: "alert", limit: 100 }).catch(() => ({ events: [] }));
    const kept = events.filter((/** @type {any} */ event) => event.black_box);
    const choice = (/** @type {any} */ event) => make("option", { value: event.row, text: () => t("try.event", { hazard: named(event.hazard), time: clock(event.wall_s) }) });
    const row = about.get("row") ?? $("try-on").value;
    $("try-on").replaceChildren($("try-on").firstElementChild, ...kept.map(choice));
    $("try-on").value = kept.some((/** @type {any} */ event) => String(event.row) === row) ? row : "";
    this.#showProposal();
  }

  async #build() {
    const asked = { change: (/** @type {string} */ name, /** @type {number} */ value) => this.#change(name, value), reset: (/** @type {string} */ name) => this.#act(() => this.#reset(name)) };
    this.#cards = new Map(this.scores.hazards.map((name) => [name, new HazardCard(name, this.scores.severities[name], asked)]));
    this.#sorted = -Infinity;
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
    if ($("view-tune").hidden) return;
    const dangers = new Map(this.#dangers.list.map((danger) => [danger.hazard, danger]));
    this.#sort(dangers);
    for (const [name, card] of this.#cards) {
      const [line, threshold, proposed] = [this.scores.line(name), this.scores.thresholds[name], this.#proposal.get(name)];
      card.update({
        line,
        summary: this.scores.summary(name),
        threshold,
        proposed,
        overridden: this.#overridden.has(name),
        danger: dangers.get(name),
        estimate: this.#estimates.of(name),
      });
    }
    this.#table(false);
  }

  /** The thresholds in the fields; null while the view is closed. */
  #shown() {
    if ($("view-tune").hidden || !this.scores.hazards.length) return null;
    return { ...this.scores.thresholds, ...this.#proposal.thresholds };
  }

  /** The most active first, the quiet ones folded; nothing moves while it is in use. @param {Map<string, any>} dangers */
  #sort(dangers) {
    const used = $("view-tune").querySelector(".hazard :focus") !== null;
    const present = [...dangers.keys()].join();
    const due = performance.now() - this.#sorted >= SORT_EVERY_MS || present !== this.#present;
    if (!due || (used && this.#sorted > 0)) return;
    [this.#sorted, this.#present] = [performance.now(), present];
    const activity = new Map(this.scores.hazards.map((name) => [name, (dangers.has(name) ? 10 : 0) + this.scores.summary(name).peak / (this.scores.thresholds[name] || 1)]));
    const order = [...this.scores.hazards].sort((a, b) => (activity.get(b) ?? 0) - (activity.get(a) ?? 0));
    const quiet = (/** @type {string} */ name) => (activity.get(name) ?? 0) < QUIET && this.#proposal.get(name) === undefined;
    const card = (/** @type {string} */ name) => /** @type {HazardCard} */ (this.#cards.get(name)).element;
    const count = order.filter(quiet).length;
    keyed($("hazards"), order.filter((name) => !quiet(name)), card);
    keyed($("hazards-quiet-list"), order.filter(quiet), card);
    show($("hazards-quiet"), count > 0);
    say($("hazards-quiet-count"), () => t("near.quiet", { count }));
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
    this.#estimates.soon();
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
    for (const what of ["try", "save", "discard"]) idle($(`proposal-${what}`), empty);
    say($("proposal-on"), () => ` ${t($("try-on").value ? "proposal.on-event" : "proposal.on-minute")}`);
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
    const row = $("try-on").value;
    this.#done(() => t("proposal.trying"));
    show($("proposal-progress"), true);
    try {
      await this.#estimates.settled();
      const asked = { thresholds: this.#proposal.thresholds, ...(row ? { row: Number(row) } : {}) };
      const result = await post("try", asked, { patienceMs: TRY_PATIENCE_MS });
      const hourly = (/** @type {any[]} */ alerts) => number(result.seconds ? (alerts.length / result.seconds) * 3600 : 0);
      this.#done(() => t("trial.counts", { before: result.before.length, after: result.after.length, hourly_before: hourly(result.before), hourly_after: hourly(result.after) }));
      showTrial($("trial"), result, row ? null : this.scores.now);
    } finally {
      show($("proposal-progress"), false);
    }
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
    this.#estimates.soon();
    show($("trial"), false);
    this.#done(() => t("proposal.discarded"));
  }

  /** @param {string} name */
  async #reset(name) {
    await post("config/reset", { keys: [keyOf(name)] });
    this.#proposal.set(name, this.scores.thresholds[name], this.scores.thresholds[name]);
    this.scores.take(await get("scores", { since_s: this.scores.since }));
    await this.#layers();
    this.#estimates.soon();
    const value = this.scores.thresholds[name];
    $(`threshold-${name}`).focus();
    this.#done(() => t("proposal.reset", { hazard: named(name), value: probability(value) }));
  }
}
