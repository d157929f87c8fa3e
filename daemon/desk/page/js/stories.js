/** Events gathered by what led to them: an alert with what was said of it is one story. Pure and bounded. */

/**
 * @typedef {object} Story
 * @property {string} key
 * @property {any} event what it began with
 * @property {any[]} after what followed from it, in order
 */

export class Stories {
  #limit;
  /** @type {Map<string, Story>} by run and id of every event in it */
  #byId = new Map();
  /** @type {Story[]} oldest first */
  #stories = [];

  constructor(limit = 150) {
    this.#limit = limit;
  }

  /**
   * @param {string} run ids are unique within a run only @param {any} event
   * @returns {{ story: Story, fresh: boolean, gone: Story | null }} `gone`: had to make room
   */
  add(run, event) {
    const known = event.cause ? this.#byId.get(`${run}:${event.cause}`) : undefined;
    const story = known ?? { key: `${run}:${event.id ?? ""}:${event.t ?? ""}`, event, after: [] };
    if (known) known.after.push(event);
    else this.#stories.push(story);
    if (event.id && event.kind !== "unspoken") this.#byId.set(`${run}:${event.id}`, story);
    return { story, fresh: !known, gone: this.#trim() };
  }

  /** @returns {Story | null} */
  #trim() {
    if (this.#stories.length <= this.#limit) return null;
    const gone = this.#stories.shift() ?? null;
    for (const [id, story] of this.#byId) if (story === gone) this.#byId.delete(id);
    return gone;
  }
}
