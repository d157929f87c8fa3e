/** How many alerts the thresholds shown would have meant in the last minute, by the daemon's own alert policy. */

import { post } from "./api.js";
import { rest } from "./poll.js";

const EVERY_MS = 20_000;
/** After a change: a slider that is moved asks once. */
const SOON_MS = 300;
const PATIENCE_MS = 30_000;
/** The wait after a refusal: the worker answers one request at a time. */
const AGAIN_MS = 3000;
const LEAST_S = 20;
const HOUR_S = 3600;

/** @typedef {{ alerts: number, seconds: number, hourly: number | null }} Estimate `hourly` is null if the time was too short to say */

/** @param {{ seconds: number, after: any[] }} result an answer of `/try` @param {string} hazard @returns {Estimate} */
export function estimateOf({ seconds, after }, hazard) {
  const news = after.filter((alert) => alert.hazard === hazard && !alert.again && !alert.escalated);
  return { alerts: news.length, seconds, hourly: seconds < LEAST_S ? null : (news.length / seconds) * HOUR_S };
}

export class Estimates {
  #thresholds;
  #changed;
  /** @type {{ seconds: number, after: any[] } | null} */
  #result = null;
  /** Counts the changes: an answer to an older question is dropped. */
  #asked = 0;
  /** @type {number | undefined} */
  #timer;
  /** @type {Promise<any>} */
  #pending = Promise.resolve();

  /**
   * @param {() => Record<string, number> | null} thresholds those shown; null while none are
   * @param {() => void} changed called after each answer
   */
  constructor(thresholds, changed) {
    this.#thresholds = thresholds;
    this.#changed = changed;
  }

  /** null until the first answer. @param {string} hazard @returns {Estimate | null} */
  of(hazard) {
    return this.#result && estimateOf(this.#result, hazard);
  }

  /** The thresholds shown have changed. @param {number} [ms] */
  soon(ms = SOON_MS) {
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => (await this.#ask()) || this.soon(AGAIN_MS), ms);
  }

  /** Wait until no question of ours is being answered: the worker would refuse another one. */
  async settled() {
    await this.#pending.catch(() => {});
  }

  /** Follow the last minute for ever. */
  async run() {
    for (;;) await rest((await this.#ask()) ? EVERY_MS : AGAIN_MS);
  }

  /** False if there was no answer; the last one stays. */
  async #ask() {
    const thresholds = this.#thresholds();
    if (!thresholds || document.hidden) return true;
    const asked = (this.#asked += 1);
    try {
      this.#pending = post("try", { thresholds }, { patienceMs: PATIENCE_MS });
      const result = await this.#pending;
      if (asked === this.#asked) this.#result = result;
    } catch {
      return false;
    }
    this.#changed();
    return true;
  }
}
