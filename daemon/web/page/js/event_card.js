/** One group of events on the page: the first, those that followed, and on demand the explanation and picture. */

import { get, request, wordsOf } from "./api.js";
import { make, say } from "./dom.js";
import { clock, machine } from "./format.js";
import { current, t } from "./i18n.js";
import { alertDetail, following, headline, kind, line, severity } from "./wording.js";

const PICTURED = ["alert", "scene", "describe", "false_alarm"];
let cards = 0;

export class EventCard {
  #story;
  #number = (cards += 1);
  /** @type {HTMLElement} */
  #after = make("ul", { class: "after", role: "list" });
  #shown = 0;

  /** @param {import("./event_groups.js").EventGroup} story @param {number | null} [row] of the journal, where it came from there */
  constructor(story, row = null) {
    this.#story = story;
    this.row = row;
    this.element = this.#build(story.event);
    this.update();
  }

  /** Append the events that have followed. */
  update() {
    const { event: first, after } = this.#story;
    for (const event of after.slice(this.#shown)) {
      this.#after.append(make("li", { class: event.kind }, words(event, () => following(event, first))));
      if (event.kind === "direction") say(this.#title, () => line({ ...first, direction: event.direction }));
    }
    this.#shown = after.length;
    this.#after.hidden = this.#shown === 0;
  }

  /** @type {HTMLElement} */
  #title = make("span", { class: "title" });

  /** @param {any} event */
  #build(event) {
    const badge = event.kind === "alert" ? () => severity(event.severity) : () => kind(event.kind);
    const wallS = event.wall_s ?? event.timing?.wall_s;
    this.#title = words(event, () => headline(event), "title");
    return make("li", { class: `story ${event.kind} ${event.severity ?? ""}`, "data-kind": event.kind },
      make("div", { class: "story-head" },
        make("span", { class: `badge ${event.severity ?? event.kind}`, text: badge }),
        this.#title,
        wallS === undefined ? null : make("time", { datetime: machine(wallS), text: () => clock(wallS) })),
      event.kind === "alert" ? make("p", { class: "quiet", text: () => alertDetail(event) }) : null,
      this.#after,
      this.#more(event));
  }

  /** @param {any} event */
  #more(event) {
    if (!event.id || event.kind === "summary") return null;
    const place = make("div", { class: "more", id: `more-${this.#number}` });
    const pictured = this.row === null ? PICTURED.includes(event.kind) : event.snapshot;
    return make("div", {},
      make("div", { class: "buttons small" },
        this.#opener("why.do", place, () => this.#why(event)),
        pictured ? this.#opener("snapshot.do", place, () => this.#picture(event)) : null),
      place);
  }

  /**
   * A button that opens and closes what `fetchIt` brings.
   * @param {string} key @param {HTMLElement} place @param {() => Promise<HTMLElement>} fetchIt
   */
  #opener(key, place, fetchIt) {
    const box = make("div", { "aria-live": "polite" });
    place.append(box);
    const button = make("button", { type: "button", "aria-expanded": "false", "aria-controls": place.id, text: () => t(key), label: () => `${t(key)} ${line(this.#story.event)}` });
    button.addEventListener("click", async () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      box.replaceChildren();
      if (!open) return;
      box.append(make("p", { class: "quiet", text: () => t("busy") }));
      const brought = await fetchIt().catch((error) => make("p", { class: "bad", text: wordsOf(error) }));
      if (button.getAttribute("aria-expanded") === "true") box.replaceChildren(brought);
    });
    return button;
  }

  /** @param {any} event */
  async #why(event) {
    // Ids begin again with each run of the daemon, rows do not.
    const row = this.row ?? (await this.#find(event).catch(() => null))?.row;
    const language = current();
    const reply = await get("why", { event: row === undefined ? event.id : `#${row}`, language });
    const text = reply.text || t("why.none");
    return make("div", { class: "why", lang: language }, ...text.split("\n").map((/** @type {string} */ each) => make("p", { text: each })));
  }

  /** @param {any} event */
  async #picture(event) {
    const kept = this.row === null ? await this.#find(event) : null;
    const row = this.row ?? (kept?.snapshot ? kept.row : null);
    if (row === null) return make("p", { class: "quiet", text: () => t("snapshot.none") });
    const answer = await request(`journal/${row}/snapshot.jpg`, { headers: { Accept: "image/jpeg" } });
    const canvas = make("canvas", { role: "img", class: "snapshot", label: () => t("snapshot.alt", { what: line(event) }) });
    const picture = await createImageBitmap(await answer.blob());
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    const coarse = answer.headers.get("X-Pixelated") === "true";
    return make("div", {}, canvas, coarse ? make("p", { class: "quiet", text: () => t("snapshot.pixelated") }) : null);
  }

  /** What the journal keeps of an event that came by the stream. @param {any} event @returns {Promise<any>} undefined: nothing */
  async #find(event) {
    const at = event.timing?.wall_s;
    if (at === undefined) return undefined;
    const { events } = await get("journal", { kinds: event.kind, limit: 50, since: at - 2, until: at + 2 });
    return events.find((/** @type {any} */ kept) => kept.id === event.id && kept.t === event.t);
  }
}

/**
 * An event's line; what was said in a language is marked as being in it.
 * @param {any} event @param {() => string} text @param {string} [style]
 */
function words(event, text, style = "") {
  if (!event.language || !event.text) return make("span", { class: style || null, text });
  const around = (/** @type {0 | 1} */ side) => () => text().split(event.text)[side] ?? "";
  return make("span", { class: style || null },
    make("span", { text: around(0) }), make("span", { lang: event.language, text: event.text }), make("span", { text: around(1) }));
}
