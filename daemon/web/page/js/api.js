/** Requests to the web server. Every failure becomes a Problem with a message for the user. */

import { t } from "./i18n.js";

const PATIENCE_MS = 15_000;

/** What went wrong. `status` 0: the web server was not reached. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail @param {string} [code] */
  constructor(status, detail, code = "") {
    super(detail);
    this.status = status;
    this.code = code;
  }

  /** One sentence for a person. */
  get words() {
    if (this.status === 0) return t("problem.network");
    if (this.code === "busy" || this.status === 429) return t("problem.busy");
    return t("problem.plain", { detail: this.message });
  }
}

/** Called when the web server requires a token. @type {() => void} */
let onLocked = () => {};
export const whenLocked = (/** @type {() => void} */ fn) => (onLocked = fn);

/**
 * @param {string} path with its query @param {{ body?: any, signal?: AbortSignal, patienceMs?: number, headers?: any }} [options]
 * @returns {Promise<Response>} a good answer; Problem is thrown for any other
 */
export async function request(path, { body, signal, patienceMs = PATIENCE_MS, headers = {} } = {}) {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(path, {
    ...sent,
    headers: { Accept: "application/json, */*;q=0.5", ...json, ...headers },
    credentials: "same-origin",
    cache: "no-store",
    signal: limit(signal, patienceMs),
  }).catch((error) => {
    throw new Problem(0, String(error));
  });
  if (answer.ok) return answer;
  if (answer.status === 401) onLocked();
  throw await problemOf(answer);
}

/** @param {AbortSignal | undefined} signal @param {number} patienceMs 0 waits for ever */
function limit(signal, patienceMs) {
  return AbortSignal.any([...(signal ? [signal] : []), ...(patienceMs ? [AbortSignal.timeout(patienceMs)] : [])]);
}

/** @param {Response} answer */
async function problemOf(answer) {
  try {
    const problem = await answer.json();
    return new Problem(answer.status, String(problem.detail ?? problem.title ?? answer.statusText), String(problem.code ?? ""));
  } catch {
    return new Problem(answer.status, answer.statusText || String(answer.status));
  }
}

/** @param {string} path @param {Record<string, any>} [query] what is undefined, null or empty is left out @param {any} [options] */
export async function get(path, query = {}, options = {}) {
  const wanted = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString();
  return (await request(search ? `${path}?${search}` : path, options)).json();
}

/** @param {string} path @param {any} [body] @param {any} [options] */
export async function post(path, body = {}, options = {}) {
  const answer = await request(path, { ...options, body });
  return answer.status === 204 ? {} : answer.json();
}

/** The words of anything thrown. @param {unknown} error */
export const wordsOf = (error) => (error instanceof Problem ? error.words : t("problem.plain", { detail: String(error) }));
