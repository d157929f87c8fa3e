/** The probabilities of the last two minutes, and the current thresholds. Pure. */

const KEPT_S = 120;

export class Scores {
  /** @type {string[]} */
  hazards = [];
  /** @type {Record<string, number>} in force */
  thresholds = {};
  /** @type {Record<string, string>} */
  severities = {};
  /** The daemon's clock when these came. */
  now = 0;
  /** @type {[number, number[]][]} */
  rows = [];

  /** Ask only for what came after this. @returns {number | undefined} */
  get since() {
    return this.rows.at(-1)?.[0];
  }

  /** Take in an answer of `/scores`. @param {any} answer */
  take(answer) {
    const restarted = answer.now < this.now - 1 || answer.hazards.join() !== this.hazards.join();
    const last = restarted ? -Infinity : (this.since ?? -Infinity);
    const fresh = answer.rows.filter((/** @type {[number, number[]]} */ row) => row[0] > last);
    this.hazards = answer.hazards;
    this.thresholds = answer.thresholds;
    this.severities = answer.severities;
    this.now = answer.now;
    this.rows = [...(restarted ? [] : this.rows), ...fresh].filter(([at]) => at >= answer.now - KEPT_S);
  }

  /** One hazard's line: seconds ago and probability. @param {string} hazard @returns {[number, number][]} */
  line(hazard) {
    const column = this.hazards.indexOf(hazard);
    return this.rows.map(([at, values]) => [this.now - at, values[column]]);
  }

  /** The highest probability of the last seconds. @param {string} hazard @param {number} seconds */
  highest(hazard, seconds) {
    return Math.max(0, ...this.line(hazard).filter(([ago]) => ago <= seconds).map(([, p]) => p));
  }

  /** @param {string} hazard @returns {{ now: number, peak: number, overS: number }} `overS`: seconds at or over the threshold */
  summary(hazard) {
    const line = this.line(hazard);
    const threshold = this.thresholds[hazard];
    const overS = line.reduce((sum, [ago, p], index) => {
      const next = line[index + 1]?.[0] ?? ago;
      return p >= threshold ? sum + Math.min(ago - next, 1) : sum;
    }, 0);
    return { now: line.at(-1)?.[1] ?? 0, peak: Math.max(0, ...line.map(([, p]) => p)), overS };
  }
}
