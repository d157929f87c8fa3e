/** Groups events by their cause: an alert and what was said about it are one group. Pure and bounded. */

/**
 * @typedef {object} EventGroup
 * @property {string} key
 * @property {any} event the first
 * @property {any[]} after those that followed from it, in order
 */

const SEEN = 2000;

export class EventGroups {
  #limit;
  /** @type {Map<string, EventGroup>} by run and id of every event in it */
  #byId = new Map();
  /** @type {Set<string>} by run, kind and id: the journal and the stream may both bring an event */
  #seen = new Set();
  /** @type {EventGroup[]} oldest first */
  #groups = [];

  constructor(limit = 150) {
    this.#limit = limit;
  }

  /**
   * @param {string} run ids are unique within a run only @param {any} event
   * @returns {{ story: EventGroup, fresh: boolean, gone: EventGroup | null } | null} `gone`: the group that was dropped to make room. Null for an
   * event that is here already
   */
  add(run, event) {
    if (this.#isRepeated(`${run}:${event.kind}:${event.id}`)) return null;
    const known = event.cause ? this.#byId.get(`${run}:${event.cause}`) : undefined;
    const story = known ?? { key: `${run}:${event.id ?? ""}:${event.t ?? ""}`, event, after: [] };
    if (known) known.after.push(event);
    else this.#groups.push(story);
    if (event.id && event.kind !== "unspoken") this.#byId.set(`${run}:${event.id}`, story);
    return { story, fresh: !known, gone: this.#trim() };
  }

  /** @param {string} mark */
  #isRepeated(mark) {
    if (mark.endsWith(":undefined")) return false;
    const known = this.#seen.has(mark);
    this.#seen.add(mark);
    if (this.#seen.size > SEEN) this.#seen.delete(this.#seen.values().next().value ?? "");
    return known;
  }

  /** @returns {EventGroup | null} */
  #trim() {
    if (this.#groups.length <= this.#limit) return null;
    const gone = this.#groups.shift() ?? null;
    for (const [id, story] of this.#byId) if (story === gone) this.#byId.delete(id);
    return gone;
  }
}
