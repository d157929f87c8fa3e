/** A question and its answer in one place: the description or the words that the daemon asks for on request. */

import { $, say, show } from "./dom.js";
import { t, tOr } from "./i18n.js";

const ASKED = ["request", "read"];
const PATIENCE_MS = 90_000;

export class Answer {
  #question = "";
  /** @type {string[]} */
  #parts = [];
  /** The ids of the view that was asked about and of what followed from it. @type {Set<string>} */
  #ids = new Set();
  #timer = 0;

  /** Something was asked, and nothing is known yet. @param {string} question empty for a description */
  expect(question) {
    this.#question = question;
    this.#parts = [];
    this.#ids.clear();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(() => t("answer.late")), PATIENCE_MS);
    this.#show(() => t("answer.waiting"));
  }

  /** The daemon refused the question. */
  cancel() {
    clearTimeout(this.#timer);
    show($("answer"), false);
  }

  /** @param {any} event @returns {boolean} true if it is shown as an answer */
  applyEvent(event) {
    if (event.kind === "scene" && ASKED.includes(event.trigger)) {
      this.#parts = [];
      this.#ids = new Set([event.id]);
      return false;
    }
    if (event.kind === "describe" && ASKED.includes(event.trigger)) {
      if (event.cause) this.#ids.add(event.cause);
      this.#ids.add(event.id);
      this.#add(event.text);
      return true;
    }
    if (!this.#ids.has(event.cause)) return false;
    if (event.kind === "speak" && event.text && !this.#parts.length) this.#add(event.text);
    if (event.kind === "unspoken" && !this.#parts.length) this.#show(() => t("event.unspoken-nothing", { reason: tOr(`unspoken.${event.reason}`, event.reason) }));
    return false;
  }

  /** @param {string} text */
  #add(text) {
    if (!this.#parts.includes(text)) this.#parts.push(text);
    clearTimeout(this.#timer);
    this.#show(this.#parts.join(" "));
  }

  /** @param {import("./dom.js").Words} words */
  #show(words) {
    const question = this.#question;
    say($("answer-to"), question ? () => t("answer.to", { question }) : () => t("answer.view"));
    say($("answer-text"), words);
    show($("answer"), true);
  }
}
