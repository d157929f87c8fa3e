/** Older events, page by page. */

import { get, post, wordsOf } from "./api.js";
import { confirmed } from "./confirm.js";
import { $, make, say, show } from "./dom.js";
import { hazard as named, t } from "./i18n.js";
import { EventCard } from "./event_card.js";
import { roving } from "./roving.js";
import { kind as kindWords } from "./wording.js";

const PAGE = 50;
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

  #query() {
    const until = $("journal-until").value;
    return {
      kinds: $("journal-kind").value,
      hazard: $("journal-hazard").value,
      until: until ? new Date(until).getTime() / 1000 : undefined,
      before: this.#next,
      limit: PAGE,
    };
  }

  /** @param {any[]} events @param {boolean} focus */
  #add(events, focus) {
    const cards = events.map((event) => new EventCard({ key: String(event.row), event, after: [] }, event.row));
    $("journal").append(...cards.map((card) => card.element));
    this.#shown += cards.length;
    if (focus && cards.length) {
      cards[0].element.tabIndex = -1;
      cards[0].element.focus();
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
