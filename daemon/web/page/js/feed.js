/**
 * The stream of events, resumed where it broke off. Not `EventSource`: that one hides a refusal (a token is
 * needed), and does not notice a connection that hangs.
 */

import { request, Problem } from "./api.js";
import { Backoff } from "./poll.js";
import { SseParser } from "./sse.js";

const SILENT_MS = 45_000;
/** The web server sends a heartbeat at least every 15 s. */

/**
 * @typedef {object} Listener
 * @property {(run: string, event: any) => void} event
 * @property {() => void} gap events are missing
 * @property {(up: boolean, run: string) => void} daemon
 * @property {(up: boolean) => void} web
 */

export class Feed {
  #parser = new SseParser();
  #backoff = new Backoff();
  /** @type {Listener} */
  #listener;
  #path;
  /** The last attempt connected: a single break is not yet reported as a failure. */
  #wasConnected = false;
  /** @type {AbortController} */
  #attempt = new AbortController();
  /** @type {() => void} */
  #wake = () => {};

  /** @param {string} path @param {Listener} listener */
  constructor(path, listener) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Follow the stream, across reconnections. */
  async run() {
    for (;;) {
      try {
        await this.#listen();
      } catch (error) {
        const locked = error instanceof Problem && error.status === 401;
        if (!locked && !this.#wasConnected) this.#listener.web(false);
        this.#wasConnected = false;
      }
      await this.#pause(this.#backoff.failed());
    }
  }

  /** End a wait for the next attempt. */
  retryNow() {
    this.#wake();
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => (clearTimeout(timer), resolve(undefined));
    });
  }

  async #listen() {
    this.#attempt = new AbortController();
    this.#parser.reconnected();
    const resume = this.#parser.lastId ? { "Last-Event-ID": this.#parser.lastId } : {};
    const answer = await request(this.#path, {
      headers: { Accept: "text/event-stream", ...resume },
      signal: this.#attempt.signal,
      patienceMs: 0,
    });
    this.#wasConnected = true;
    this.#listener.web(true);
    this.#backoff.succeeded();
    await this.#read(/** @type {ReadableStream} */ (answer.body));
  }

  /** @param {ReadableStream<any>} body */
  async #read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const silence = setTimeout(() => this.#attempt.abort(), SILENT_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) throw new Problem(0, "the stream ended");
      for (const event of this.#parser.feed(value)) this.#dispatch(event);
    }
  }

  /** @param {import("./sse.js").ServerEvent} event */
  #dispatch({ id, type, data }) {
    const event = parsed(data);
    const run = id.slice(0, id.lastIndexOf("-"));
    if (type === "reset") this.#listener.gap();
    else if (type === "daemon") this.#listener.daemon(event?.state === "up", run);
    else if (event && typeof event.kind === "string") this.#listener.event(run, event);
  }
}

/** @param {string} data */
function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
