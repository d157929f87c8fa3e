/** Events gathered by what led to them: an alert with what was said of it is one story. Pure and bounded. */

/**
 * @typedef {object} Story
 * @property {string} key
 * @property {any} event what it began with
 * @property {any[]} after what followed from it, in order
 */

const SEEN = 2000;

export class Stories {
  #limit;
  /** @type {Map<string, Story>} by run and id of every event in it */
  #byId = new Map();
  /** @type {Set<string>} by run, kind and id: the journal and the stream may both bring an event */
  #seen = new Set();
  /** @type {Story[]} oldest first */
  #stories = [];

  constructor(limit = 150) {
    this.#limit = limit;
  }

  /**
   * @param {string} run ids are unique within a run only @param {any} event
   * @returns {{ story: Story, fresh: boolean, gone: Story | null } | null} `gone`: had to make room; null for one
   * that is here already
   */
  add(run, event) {
    if (this.#repeated(`${run}:${event.kind}:${event.id}`)) return null;
    const known = event.cause ? this.#byId.get(`${run}:${event.cause}`) : undefined;
    const story = known ?? { key: `${run}:${event.id ?? ""}:${event.t ?? ""}`, event, after: [] };
    if (known) known.after.push(event);
    else this.#stories.push(story);
    if (event.id && event.kind !== "unspoken") this.#byId.set(`${run}:${event.id}`, story);
    return { story, fresh: !known, gone: this.#trim() };
  }

  /** @param {string} mark */
  #repeated(mark) {
    if (mark.endsWith(":undefined")) return false;
    const known = this.#seen.has(mark);
    this.#seen.add(mark);
    if (this.#seen.size > SEEN) this.#seen.delete(this.#seen.values().next().value ?? "");
    return known;
  }

  /** @returns {Story | null} */
  #trim() {
    if (this.#stories.length <= this.#limit) return null;
    const gone = this.#stories.shift() ?? null;
    for (const [id, story] of this.#byId) if (story === gone) this.#byId.delete(id);
    return gone;
  }
}
