/** One group of events on the page: the words that were said, the cause, and on demand all that is known of it. */

import { get, post, request, wordsOf } from "./api.js";
import { make, say, show } from "./dom.js";
import { clock, machine } from "./format.js";
import { current, t } from "./i18n.js";
import { alertDetail, following, headline, kind, latency, line, severity } from "./wording.js";

const PICTURED = ["alert", "scene", "describe", "false_alarm"];
/** Events that are of no interest on their own if nothing was said of them. */
const SILENT = ["scene", "unspoken", "direction", "clear", "describe"];
let cards = 0;

export class EventCard {
  #story;
  #number = (cards += 1);
  /** @type {HTMLElement} */
  #after = make("ul", { class: "after", role: "list" });
  #words = make("span", { class: "words", hidden: true });
  #latency = make("span", { class: "latency" });
  #shown = 0;
  /** @type {EventCard[]} */
  #others;
  /** @type {HTMLElement} */
  #more;
  /** @type {HTMLElement} */
  #title = make("span", { class: "title" });

  /**
   * @param {import("./event_groups.js").EventGroup} story
   * @param {number | null} [row] of the journal, where it came from there
   * @param {{ thumbnail?: boolean, others?: EventCard[] }} [extra] `others`: equal ones that came just before it, which it
   * stands for
   */
  constructor(story, row = null, extra = {}) {
    this.#story = story;
    this.row = row;
    this.#more = make("div", { class: "more", id: `more-${this.#number}`, hidden: true });
    this.#others = extra.others ?? [];
    this.element = this.#build(story.event, extra.thumbnail ?? false);
    this.update();
  }

  /** Append the events that have followed. */
  update() {
    const { event: first, after } = this.#story;
    if (this.#shown === 0) this.#speak(first);
    for (const event of after.slice(this.#shown)) {
      this.#after.append(make("li", { class: event.kind }, words(event, () => following(event, first))));
      if (event.kind === "direction") say(this.#title, () => line({ ...first, direction: event.direction }));
      this.#speak(event);
    }
    this.#shown = after.length;
    this.#after.hidden = this.#shown === 0;
    this.element.classList.toggle("silent", SILENT.includes(first.kind) && this.#words.hidden);
  }

  /** Put what was said on top. @param {any} event */
  #speak(event) {
    if (event.kind !== "speak" || !event.text) return;
    this.#words.append(make("span", { lang: event.language ?? null, text: event.text }));
    this.#words.hidden = false;
    if (!this.#latency.textContent) say(this.#latency, () => latency(event));
  }

  /** @param {any} event @param {boolean} withThumbnail */
  #build(event, withThumbnail) {
    const badge = event.kind === "alert" ? () => severity(event.severity) : () => kind(event.kind);
    const wallS = event.wall_s ?? event.timing?.wall_s;
    const alone = event.kind === "speak" && event.text;
    this.#title = alone ? make("span", { class: "title" }) : words(event, () => headline(event), "title");
    const when = wallS === undefined ? null : make("time", { datetime: machine(wallS), text: () => clock(wallS) });
    const repeats = this.#others.length;
    const count = repeats ? make("span", { class: "count", text: () => t("journal.times", { count: repeats + 1, time: clock(this.#others[repeats - 1].wallS) }) }) : null;
    const pictured = [event, ...this.#story.after].find((each) => each.snapshot && each.row !== undefined);
    // Without words: the line beside it says what is on it.
    const picture = withThumbnail && pictured ? make("img", { class: "thumbnail", src: `journal/${pictured.row}/snapshot.jpg?side=176`, alt: "", loading: "lazy", width: 88, height: 50 }) : null;
    const thumbnail = picture ?? (withThumbnail ? make("span", { class: "thumbnail none" }) : null);
    const cause = make("span", { class: "cause" },
      make("span", { class: `badge ${event.severity ?? event.kind}`, text: badge }), this.#title, count);
    const open = make("button", { type: "button", class: "open", "data-always": true, "aria-expanded": "false", "aria-controls": this.#more.id, tabindex: -1 },
      thumbnail, make("span", { class: "what" }, this.#words, cause), make("span", { class: "when" }, when, this.#latency));
    open.addEventListener("click", () => this.#toggle(open));
    return make("li", { class: `story ${event.kind} ${event.severity ?? ""}`, "data-kind": event.kind }, open, this.#more);
  }

  /** When it happened, Unix seconds. */
  get wallS() {
    return this.#story.event.wall_s ?? this.#story.event.timing?.wall_s ?? 0;
  }

  /** @param {HTMLElement} open */
  #toggle(open) {
    const opened = open.getAttribute("aria-expanded") !== "true";
    open.setAttribute("aria-expanded", String(opened));
    show(this.#more, opened);
    this.#more.replaceChildren(...(opened ? this.#details() : []));
  }

  #details() {
    const { event } = this.#story;
    const known = event.id && event.kind !== "summary";
    const pictured = this.row === null ? PICTURED.includes(event.kind) : event.snapshot;
    return [
      event.kind === "alert" ? make("p", { class: "quiet", text: () => alertDetail(event) }) : null,
      this.#after,
      known ? later(this.#why(event)) : null,
      known && pictured ? later(this.#picture(event)) : null,
      known && event.kind === "alert" ? this.#marks(event) : null,
      this.#others.length ? make("ol", { class: "stories all others", role: "list", label: () => t("journal.others") }, ...this.#others.map(({ element }) => element)) : null,
    ].filter((part) => part !== null);
  }

  /** The row of the journal; undefined: it is not kept there. @param {any} event @returns {Promise<any>} */
  async #kept(event) {
    if (this.row !== null) return { row: this.row, snapshot: event.snapshot };
    // Ids begin again with each run of the daemon, rows do not.
    return this.#find(event);
  }

  /** @param {any} event */
  async #why(event) {
    const row = (await this.#kept(event).catch(() => undefined))?.row;
    const language = current();
    const reply = await get("why", { event: row === undefined ? event.id : `#${row}`, language });
    const text = reply.text || t("why.none");
    return make("div", { class: "why", lang: language }, ...text.split("\n").map((/** @type {string} */ each) => make("p", { text: each })));
  }

  /** @param {any} event */
  async #picture(event) {
    const kept = await this.#kept(event);
    if (!kept?.snapshot) return make("p", { class: "quiet", text: () => t("snapshot.none") });
    const answer = await request(`journal/${kept.row}/snapshot.jpg`, { headers: { Accept: "image/jpeg" } });
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

  /** Right or wrong: kept with its picture for `watchword calibrate`. @param {any} event */
  #marks(event) {
    const result = make("p", { class: "result", role: "status" });
    const button = (/** @type {"true" | "false"} */ verdict) => make("button", {
      type: "button", class: "small", "aria-pressed": String(event.mark === verdict),
      text: () => t(`mark.${verdict}`), label: () => `${t(`mark.${verdict}`)}: ${line(event)}`,
      on: { click: () => mark(verdict) },
    });
    const buttons = [button("true"), button("false")];
    const mark = async (/** @type {"true" | "false"} */ verdict) => {
      try {
        const kept = await this.#kept(event);
        if (!kept) throw new Error(t("mark.unkept"));
        const wanted = event.mark === verdict ? "none" : verdict;
        const { file } = await post(`journal/${kept.row}/mark`, { verdict: wanted });
        event.mark = wanted;
        buttons.forEach((each, index) => each.setAttribute("aria-pressed", String(["true", "false"][index] === wanted)));
        say(result, () => t(wanted === "none" ? "mark.undone" : "mark.done", { file }));
      } catch (error) {
        say(result, wordsOf(error));
      }
    };
    const trial = event.black_box && this.row !== null
      ? make("a", { class: "button small", href: `#tune?row=${this.row}`, text: () => t("try.here") }) : null;
    return make("div", {}, make("div", { class: "buttons", role: "group", label: () => t("mark.label") }, ...buttons, trial), result);
  }
}

/** A place for what is still to come; a failure is told in it. @param {Promise<HTMLElement>} coming */
function later(coming) {
  const place = make("div", { "aria-live": "polite" }, make("p", { class: "quiet", text: () => t("busy") }));
  coming.catch((error) => make("p", { class: "bad", text: wordsOf(error) })).then((brought) => place.replaceChildren(brought));
  return place;
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
