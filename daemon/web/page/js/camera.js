/** The live picture: a stream while the page is visible, single pictures with reduced motion. */

import { request } from "./api.js";
import { $, say, show } from "./dom.js";
import { t } from "./i18n.js";
import { MultipartParser } from "./multipart.js";
import { Backoff, rest } from "./poll.js";
import { component, reason } from "./wording.js";

const SILENT_MS = 10_000;
const SLOW_MS = 2_000;
const OK = "ok";

export class Camera {
  /** @type {HTMLCanvasElement} */
  #canvas = $("picture");
  #backoff = new Backoff();
  #stream = new AbortController();
  #paused = false;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {number[]} when the last pictures came, in ms */
  #times = [];
  /** @type {() => void} */
  #wake = () => {};
  #rateShownAt = 0;
  /** Why the picture cannot be relied on; it may be old then. @type {(() => string) | null} */
  #trouble = null;

  constructor() {
    $("picture-pause").addEventListener("click", () => this.#toggle());
    document.addEventListener("visibilitychange", () => this.#interrupt());
    this.#calm.addEventListener("change", () => this.#interrupt());
  }

  /** Show pictures, across reconnections. */
  async run() {
    for (;;) {
      if (this.#paused || document.hidden) {
        await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
        continue;
      }
      try {
        await (this.#calm.matches ? this.#one() : this.#many());
      } catch {
        await this.#failed();
      }
    }
  }

  /** Mark the picture if camera or picture are unhealthy. @param {any} components */
  showHealth(components) {
    const name = ["camera", "picture"].find((each) => (components?.[each]?.reason ?? OK) !== OK);
    this.#trouble = name ? () => t("event.health", { component: component(name), reason: reason(components[name].reason) }) : null;
    $("picture").classList.toggle("stale", this.#trouble !== null);
    this.#showNote();
  }

  /** The note over the picture: why there is none, or why it cannot be relied on. */
  #showNote() {
    const words = this.#trouble ?? (this.#times.length ? null : () => t("picture.waiting"));
    show($("frame-note"), words !== null);
    if (words) say($("frame-note"), words);
  }

  /** @param {HTMLElement} [button] */
  #toggle(button = $("picture-pause")) {
    this.#paused = !this.#paused;
    button.setAttribute("aria-pressed", String(this.#paused));
    say($("picture-note"), () => (this.#paused ? t("picture.paused") : ""));
    this.#interrupt();
  }

  #interrupt() {
    this.#stream.abort();
    this.#wake();
  }

  async #failed() {
    if (this.#paused || document.hidden) return;
    const wait = this.#backoff.failed();
    if (performance.now() - (this.#times.at(-1) ?? -Infinity) > SLOW_MS) {
      say($("frame-note"), () => t("picture.lost"));
      show($("frame-note"), true);
    }
    await rest(wait);
  }

  /** Show one picture, then wait. */
  async #one() {
    const answer = await request("snapshot.jpg", { headers: { Accept: "image/jpeg" } });
    await this.#draw(await answer.blob());
    say($("picture-note"), () => t("picture.slow"));
    await rest(SLOW_MS);
  }

  /** Show the stream until it ends; without one, a single picture. */
  async #many() {
    this.#stream = new AbortController();
    const stream = this.#stream;
    const answer = await request("live", { signal: stream.signal, patienceMs: 0, headers: { Accept: "multipart/x-mixed-replace" } }).catch(() => null);
    if (!answer?.body) {
      await this.#one();
      return;
    }
    const reader = answer.body.getReader();
    const parser = new MultipartParser();
    try {
      for (;;) {
        const silence = setTimeout(() => stream.abort(), SILENT_MS);
        const { done, value } = await reader.read().finally(() => clearTimeout(silence));
        if (done) throw new Error("the stream ended");
        const newest = parser.feed(value).at(-1);
        if (newest) await this.#draw(new Blob([newest.body], { type: "image/jpeg" }));
      }
    } finally {
      stream.abort();
    }
  }

  /** @param {Blob} blob */
  async #draw(blob) {
    const picture = await createImageBitmap(blob);
    const canvas = this.#canvas;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      [canvas.width, canvas.height] = [picture.width, picture.height];
    }
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    picture.close();
    canvas.dataset.pictures = String(Number(canvas.dataset.pictures ?? 0) + 1);
    this.#backoff.succeeded();
    this.#countFrame();
  }

  #countFrame() {
    const now = performance.now();
    this.#times = [...this.#times.filter((at) => now - at < 3000), now];
    this.#showNote();
    if (this.#calm.matches || this.#paused || now - this.#rateShownAt < 1000) return;
    this.#rateShownAt = now;
    const rate = (this.#times.length / 3).toFixed(1);
    say($("picture-note"), () => t("picture.rate", { rate }));
  }
}
