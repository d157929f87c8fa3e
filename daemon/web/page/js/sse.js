/** Parses a stream of server-sent events. Pure. */

/** @typedef {{ id: string, type: string, data: string }} ServerEvent */

export class SseParser {
  #rest = "";
  #id = "";
  #type = "";
  /** @type {string[]} */
  #data = [];

  /** The id of the last event; by it the stream is resumed. */
  get lastId() {
    return this.#id;
  }

  /** A new connection: what was half read is lost, the id stays. */
  reconnected() {
    this.#rest = "";
    this.#type = "";
    this.#data = [];
  }

  /** @param {string} chunk @returns {ServerEvent[]} */
  feed(chunk) {
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line @returns {ServerEvent[]} */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    return [];
  }

  /** @returns {ServerEvent[]} */
  #dispatch() {
    const data = this.#data.join("\n");
    const event = { id: this.#id, type: this.#type || "message", data };
    const empty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    return empty ? [] : [event];
  }
}
