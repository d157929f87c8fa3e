/** What is dangerous at this moment, from the events and, where some were missed, from the status. Pure. */

/**
 * @typedef {object} Danger
 * @property {string} hazard
 * @property {string} severity
 * @property {string | null} direction
 * @property {string | null} alert id of its alert
 */

/** Worst first. */
export const SEVERITIES = ["critical", "warning", "notice"];

/** @param {string} severity */
export const rank = (severity) => (SEVERITIES.indexOf(severity) + SEVERITIES.length + 1) % (SEVERITIES.length + 1);

export class Dangers {
  /** @type {Map<string, Danger>} */
  #active = new Map();

  /** Worst first. */
  get list() {
    return [...this.#active.values()].sort((a, b) => rank(a.severity) - rank(b.severity));
  }

  /** @param {any} event @returns {boolean} whether anything changed */
  note(event) {
    if (event.kind === "alert") return this.#raise(event);
    if (event.kind === "direction") return this.#turn(event);
    return event.kind === "clear" && this.#active.delete(event.hazard);
  }

  /** @param {any} event */
  #raise(event) {
    const before = this.#active.get(event.hazard);
    const direction = event.direction ?? before?.direction ?? null;
    this.#active.set(event.hazard, { hazard: event.hazard, severity: event.severity, direction, alert: event.id });
    return true;
  }

  /** @param {any} event */
  #turn(event) {
    const danger = this.#active.get(event.hazard);
    if (!danger || danger.direction === event.direction) return false;
    this.#active.set(event.hazard, { ...danger, direction: event.direction });
    return true;
  }

  /**
   * The names that are active by the status; what it does not name is over.
   * @param {string[]} names @param {Record<string, string>} severities by hazard
   */
  settle(names, severities) {
    const before = JSON.stringify(this.list);
    for (const name of [...this.#active.keys()]) if (!names.includes(name)) this.#active.delete(name);
    for (const hazard of names) {
      const known = this.#active.get(hazard);
      const severity = known?.severity ?? severities[hazard] ?? "warning";
      this.#active.set(hazard, known ?? { hazard, severity, direction: null, alert: null });
    }
    return JSON.stringify(this.list) !== before;
  }

  /** Nobody knows any more. */
  forget() {
    this.#active.clear();
  }
}
