/**
 * What was said and what happened, the newest first. Events of which nothing was said are shown on demand. While
 * the focus is in the list, new events wait above it.
 */

import { get } from "./api.js";
import { $, make, say, show } from "./dom.js";
import { t } from "./i18n.js";
import { EventGroups } from "./event_groups.js";
import { EventCard } from "./event_card.js";
import { roving } from "./roving.js";

const RECALLED = 80;
const RECALL_MS = 4000;

export class EventList {
  #groups = new EventGroups();
  /** @type {Map<string, EventCard>} */
  #cards = new Map();
  /** @type {EventCard[]} oldest first */
  #waiting = [];
  /** @type {Promise<void> | undefined} */
  #recalled;
  #list = $("events");
  #hold = $("events-hold");

  constructor() {
    this.#hold.addEventListener("click", () => this.#toggle());
    $("events-all").addEventListener("click", () => this.#showAll($("events-all").getAttribute("aria-pressed") !== "true"));
    roving(this.#list, ".open");
    $("events-new").addEventListener("click", () => this.#reveal(true));
    this.#list.addEventListener("focusout", () => setTimeout(() => this.#held || this.#reveal(false)));
  }

  /**
   * Load earlier events from the journal; events from the stream wait until that is done.
   * @param {string} run of the stream
   */
  recall(run) {
    const patience = { patienceMs: RECALL_MS };
    this.#recalled ??= Promise.all([get("journal", { limit: RECALLED }, patience), get("status", {}, patience)])
      .then(([{ events }, { journal }]) => {
        // The journal may only hold earlier runs, if it is off now or cannot be written.
        const ofThisRun = events.filter((/** @type {any} */ event) => event.run === journal?.run);
        for (const event of ofThisRun.reverse()) this.#add(run, event, event.row);
      })
      .catch(() => undefined); // without a journal, the list begins now
  }

  /** @param {string} run @param {any} event */
  add(run, event) {
    if (this.#recalled) this.#recalled.then(() => this.#add(run, event));
    else this.#add(run, event);
  }

  /** @param {string} run @param {any} event @param {number | null} [row] of the journal */
  #add(run, event, row = null) {
    const added = this.#groups.add(run, event);
    if (!added) return;
    const { story, fresh, gone } = added;
    if (gone) this.#remove(gone.key);
    const card = this.#cards.get(story.key);
    if (!fresh && card) {
      card.update();
      this.#empty();
      return;
    }
    const made = new EventCard(story, row);
    this.#cards.set(story.key, made);
    this.#waiting.push(made);
    if (this.#held) this.#count();
    else this.#reveal(false);
  }

  /** Events are missing here. */
  gap() {
    this.#list.prepend(make("li", { class: "gap quiet", text: () => t("events.gap") }));
  }

  get #held() {
    return this.#hold.getAttribute("aria-pressed") === "true" || this.#list.contains(document.activeElement);
  }

  #toggle() {
    const held = this.#hold.getAttribute("aria-pressed") !== "true";
    this.#hold.setAttribute("aria-pressed", String(held));
    if (!held) this.#reveal(false);
  }

  /** @param {boolean} all events of which nothing was said too */
  #showAll(all) {
    $("events-all").setAttribute("aria-pressed", String(all));
    this.#list.classList.toggle("all", all);
    this.#list.scrollTop = 0;
    this.#empty();
  }

  #empty() {
    const all = this.#list.classList.contains("all");
    show($("events-none"), ![...this.#cards.values()].some(({ element }) => all || !element.classList.contains("silent")));
  }

  #count() {
    const all = this.#list.classList.contains("all");
    const count = this.#waiting.filter(({ element }) => all || !element.classList.contains("silent")).length;
    show($("events-new"), count > 0);
    say($("events-new"), () => t("events.new", { count }));
  }

  /** @param {boolean} focus */
  #reveal(focus) {
    const shown = this.#waiting.splice(0);
    for (const card of shown) this.#list.prepend(card.element);
    this.#count();
    this.#empty();
    if (focus) this.#list.querySelector(".story:not([hidden]) .open")?.focus();
    if (shown.length && !focus) this.#list.scrollTop = 0;
  }

  /** @param {string} key */
  #remove(key) {
    const card = this.#cards.get(key);
    card?.element.remove();
    this.#cards.delete(key);
    this.#waiting = this.#waiting.filter((other) => other !== card);
  }
}
