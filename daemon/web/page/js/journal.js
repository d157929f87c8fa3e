/** Older events, page by page: what followed from an alert stands with it, equal neighbours are one row. */

import { get, post, request, wordsOf } from "./api.js";
import { confirmed } from "./confirm.js";
import { $, make, say, show } from "./dom.js";
import { hazard as named, t } from "./i18n.js";
import { EventCard } from "./event_card.js";
import { EventGroups } from "./event_groups.js";
import { roving } from "./roving.js";
import { kind as kindWords } from "./wording.js";

const PAGE = 100;
const EXPORT_PATIENCE_MS = 120_000;
const KINDS = ["alert", "direction", "clear", "scene", "describe", "speak", "unspoken", "health", "false_alarm"];

export class Journal {
  /** @type {number | null} */
  #next = null;
  #shown = 0;
  /** Raised by every new search, so that an older answer is not shown in it. */
  #turn = 0;
  /** @type {string[]} */
  #hazards = [];

  constructor() {
    const all = () => make("option", { value: "", text: () => t("journal.any") });
    $("journal-kind").replaceChildren(all(), ...KINDS.map((kind) => make("option", { value: kind, text: () => kindWords(kind) })));
    $("journal-hazard").replaceChildren(all());
    roving($("journal"), ".open");
    $("journal-filter").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.open();
    });
    $("journal-older").addEventListener("click", () => this.#page(true));
    $("journal-purge").addEventListener("click", () => this.#purge());
    $("journal-export").addEventListener("click", () => this.#export());
  }

  /** @param {string[]} hazards to choose from */
  offer(hazards) {
    if (hazards.join() === this.#hazards.join()) return;
    this.#hazards = hazards;
    const first = $("journal-hazard").firstElementChild;
    $("journal-hazard").replaceChildren(first, ...hazards.map((name) => make("option", { value: name, text: () => named(name) })));
  }

  /** Begin with the newest. */
  async open() {
    this.#next = null;
    this.#shown = 0;
    $("journal").replaceChildren();
    await this.#page(false);
  }

  /** @param {boolean} focus go on reading at the first of the new ones */
  async #page(focus) {
    const turn = (this.#turn += 1);
    this.#result(() => t("busy"));
    try {
      const { events, next } = await get("journal", this.#query());
      if (turn !== this.#turn) return;
      this.#add(events, focus);
      this.#next = next ?? null;
      show($("journal-older"), this.#next !== null);
      const count = this.#shown;
      this.#result(() => (count ? t("journal.count", { count }) : t("journal.none")));
    } catch (error) {
      this.#result(wordsOf(error), true);
    }
  }

  /** What is chosen above the list. */
  #chosen() {
    const seconds = (/** @type {string} */ id) => ($(id).value ? new Date($(id).value).getTime() / 1000 : undefined);
    return {
      kinds: $("journal-kind").value,
      hazard: $("journal-hazard").value,
      since: seconds("journal-since"),
      until: seconds("journal-until"),
    };
  }

  #query() {
    return { ...this.#chosen(), before: this.#next, limit: PAGE };
  }

  /** @param {any[]} events the newest first @param {boolean} focus */
  #add(events, focus) {
    const cards = merged(grouped(events));
    $("journal").append(...cards.map((card) => card.element));
    this.#shown += events.length;
    if (focus && cards.length) cards[0].element.querySelector(".open")?.focus();
  }

  async #export() {
    this.#result(() => t("busy"));
    try {
      const chosen = Object.entries(this.#chosen()).filter(([, value]) => value !== undefined && value !== "");
      const query = new URLSearchParams(chosen.map(([name, value]) => [name, String(value)]));
      const answer = await request(`journal/export.zip?${query}`, { patienceMs: EXPORT_PATIENCE_MS, headers: { Accept: "application/zip" } });
      const address = URL.createObjectURL(await answer.blob());
      make("a", { href: address, download: "watchword-journal.zip" }).click();
      setTimeout(() => URL.revokeObjectURL(address), EXPORT_PATIENCE_MS);
      this.#result(() => t("journal.exported"));
    } catch (error) {
      this.#result(wordsOf(error), true);
    }
  }

  async #purge() {
    const asked = { title: "journal.purge-title", text: "journal.purge-text", yes: "journal.purge-yes" };
    if (!(await confirmed(asked))) return;
    try {
      const gone = await post("purge");
      await this.open();
      this.#result(() => t("journal.purged", { events: gone.events, pictures: gone.pictures, boxes: gone.black_boxes }));
    } catch (error) {
      this.#result(wordsOf(error), true);
    }
  }

  /** @param {import("./dom.js").Words} words @param {boolean} [bad] */
  #result(words, bad = false) {
    $("journal-result").classList.toggle("bad", bad);
    say($("journal-result"), words);
  }
}

/** What followed from an event stands with it, where both are on this page. @param {any[]} events the newest first */
function grouped(events) {
  const groups = new EventGroups(PAGE);
  /** @type {import("./event_groups.js").EventGroup[]} */
  const stories = [];
  for (const event of [...events].reverse()) {
    const added = groups.add(event.run ?? "", event);
    if (added?.fresh) stories.push(added.story);
  }
  return stories.reverse();
}

/**
 * Equal neighbours in one card, which stands for the newest.
 * @param {import("./event_groups.js").EventGroup[]} stories the newest first @returns {EventCard[]}
 */
function merged(stories) {
  /** @type {import("./event_groups.js").EventGroup[][]} */
  const runs = [];
  for (const story of stories) {
    const last = runs.at(-1);
    if (last && alike(last[0]) === alike(story)) last.push(story);
    else runs.push([story]);
  }
  const card = (/** @type {any} */ story, /** @type {EventCard[]} */ others = []) => new EventCard(story, story.event.row, { thumbnail: true, others });
  return runs.map(([first, ...rest]) => card(first, rest.map((story) => card(story))));
}

/** What two events must share to be called equal. @param {import("./event_groups.js").EventGroup} story */
function alike({ event }) {
  const { kind, hazard, severity, direction, text, trigger, component, state, reason } = event;
  return JSON.stringify([kind, hazard, severity, direction, text, trigger, component, state, reason]);
}
