/** Announcements for screen readers: dangers at once, the rest at intervals, limited by the user's choice. */

import { storage } from "./i18n.js";
import { announcement } from "./wording.js";

const APART_MS = 2_500;
const REMEMBERED = "watchword.announce";

export class Announcer {
  #polite;
  #assertive;
  #level;
  /** @type {string} what waits; a newer one takes its place */
  #waiting = "";
  #resting = false;

  /** @param {Element} polite @param {Element} assertive @param {HTMLSelectElement} level */
  constructor(polite, assertive, level) {
    this.#polite = polite;
    this.#assertive = assertive;
    this.#level = level;
    level.value = ["all", "danger", "none"].find((value) => value === storage()?.getItem(REMEMBERED)) ?? "all";
    level.addEventListener("change", () => storage()?.setItem(REMEMBERED, level.value));
  }

  /** @param {any} event */
  event(event) {
    const words = announcement(event);
    const dangerous = event.kind === "alert" || event.kind === "direction";
    if (!words || this.#level.value === "none" || (this.#level.value === "danger" && !dangerous)) return;
    if (event.kind === "alert" && event.severity === "critical") this.#assertive.replaceChildren(words);
    else this.#later(words);
  }

  /** @param {string} words */
  #later(words) {
    this.#waiting = words;
    if (this.#resting) return;
    this.#polite.replaceChildren(this.#waiting);
    this.#waiting = "";
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      if (this.#waiting) this.#later(this.#waiting);
    }, APART_MS);
  }
}
