/** The active dangers: updated by events, corrected by the status. Pure. */

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
  applyEvent(event) {
    if (event.kind === "alert") return this.#raise(event);
    if (event.kind === "direction") return this.#redirect(event);
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
  #redirect(event) {
    const danger = this.#active.get(event.hazard);
    if (!danger || danger.direction === event.direction) return false;
    this.#active.set(event.hazard, { ...danger, direction: event.direction });
    return true;
  }

  /**
   * Take the status as the truth: dangers that it does not name are over.
   * @param {{ active?: string[], dangers?: Danger[] }} status older daemons send names only
   * @param {Record<string, string>} severities by hazard, for those that only have a name
   */
  applyStatus({ active = [], dangers = [] }, severities) {
    const before = JSON.stringify(this.list);
    for (const name of [...this.#active.keys()]) if (!active.includes(name)) this.#active.delete(name);
    for (const hazard of active) {
      const known = this.#active.get(hazard);
      const detailed = dangers.find((each) => each.hazard === hazard) ?? (known?.alert ? known : undefined);
      const named = { hazard, severity: severities[hazard] ?? known?.severity ?? "warning", direction: null, alert: null };
      this.#active.set(hazard, detailed ?? named);
    }
    return JSON.stringify(this.list) !== before;
  }

  /** The state is unknown from now on. */
  clear() {
    this.#active.clear();
  }
}
