/** Thresholds changed on the page and not yet saved. Pure. */

export class Proposal {
  /** @type {Map<string, number>} */
  #wanted = new Map();

  /** @param {string} hazard @param {number} value @param {number} inForce */
  set(hazard, value, inForce) {
    if (Math.abs(value - inForce) < 0.0005) this.#wanted.delete(hazard);
    else this.#wanted.set(hazard, value);
  }

  /** @param {string} hazard */
  get(hazard) {
    return this.#wanted.get(hazard);
  }

  get empty() {
    return this.#wanted.size === 0;
  }

  /** By hazard. @returns {Record<string, number>} */
  get thresholds() {
    return Object.fromEntries(this.#wanted);
  }

  /** By the setting's name. @returns {Record<string, number>} */
  get settings() {
    return Object.fromEntries([...this.#wanted].map(([hazard, value]) => [keyOf(hazard), value]));
  }

  clear() {
    this.#wanted.clear();
  }
}

/** @param {string} hazard */
export const keyOf = (hazard) => `hazards.${hazard}.threshold`;

/**
 * Alerts before and after, side by side, the newest first.
 * @param {any[]} before @param {any[]} after
 * @returns {{ alert: any, before: boolean, after: boolean }[]}
 */
export function compared(before, after) {
  const key = (/** @type {any} */ alert) => `${alert.hazard} ${alert.t.toFixed(3)}`;
  const [was, will] = [new Set(before.map(key)), new Set(after.map(key))];
  const all = new Map([...before, ...after].map((alert) => [key(alert), alert]));
  return [...all].map(([id, alert]) => ({ alert, before: was.has(id), after: will.has(id) }))
    .sort((a, b) => b.alert.t - a.alert.t);
}
