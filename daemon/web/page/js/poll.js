/** Repeats a task, more slowly while the page is hidden or the task fails. */

const HIDDEN_MS = 15_000;
const SLOWEST_MS = 15_000;

/** Wait; less long when the page is shown again meanwhile. @param {number} ms */
export function rest(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      resolve(undefined);
    };
    const seen = () => document.hidden || done();
    const timer = setTimeout(done, document.hidden ? Math.max(ms, HIDDEN_MS) : ms);
    document.addEventListener("visibilitychange", seen);
  });
}

/** Waits that grow with each failure, up to a bound. */
export class Backoff {
  #failures = 0;

  succeeded() {
    this.#failures = 0;
  }

  /** Milliseconds to wait now. */
  failed() {
    const ms = Math.min(500 * 2 ** this.#failures, SLOWEST_MS);
    this.#failures += 1;
    return ms;
  }
}

/**
 * Never ends. `everyMs` between the end of one turn and the next.
 * @param {number} everyMs @param {() => Promise<void>} turn
 */
export async function forever(everyMs, turn) {
  const backoff = new Backoff();
  for (;;) {
    try {
      await turn();
      backoff.succeeded();
      await rest(everyMs);
    } catch {
      await rest(backoff.failed());
    }
  }
}
