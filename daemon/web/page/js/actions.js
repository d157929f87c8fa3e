/** The commands: say, ask, hush and the others. */

import { get, post, wordsOf } from "./api.js";
import { $, say, show } from "./dom.js";
import { duration } from "./format.js";
import { t } from "./i18n.js";

/** Make the buttons work. @param {import("./answer.js").Answer} answer where the answer to a question appears */
export function connect(answer) {
  for (const button of document.querySelectorAll("[data-do]")) {
    const what = /** @type {HTMLElement} */ (button).dataset.do ?? "";
    const act = VIEWED.includes(what) ? () => asked(answer, "", () => post(what)) : () => post(what);
    button.addEventListener("click", () => attempt(`do.${what}`, act));
  }
  form("ask", () => {
    const text = $("ask-text").value.trim();
    return attempt("ask.do", () => asked(answer, text, () => post("ask", text ? { question: text } : {})), $("ask-text"));
  });
  $("say-do").addEventListener("click", () => {
    const text = $("ask-text").value.trim();
    if (text) attempt("say.do", () => post("say", { text }), $("ask-text"));
    else refuse(() => t("say.nothing"));
  });
  form("mute", () => attempt("mute.do", () => mute($("mute-minutes").valueAsNumber * 60)));
  $("unmute").addEventListener("click", () => attempt("mute.undo", () => post("mute", { seconds: 0 }).then(() => showMuted({ muted_s: 0, danger_muted_s: 0 }))));
}

/** What is answered with a description. */
const VIEWED = ["describe", "read"];

/** @param {import("./answer.js").Answer} answer @param {string} question @param {() => Promise<any>} act */
async function asked(answer, question, act) {
  answer.expect(question);
  await act().catch((error) => {
    answer.cancel();
    throw error;
  });
}

/** @param {import("./dom.js").Words} words */
function refuse(words) {
  $("actions-result").classList.add("bad");
  say($("actions-result"), words);
}

/** @param {string} id @param {() => Promise<void>} act */
function form(id, act) {
  $(id).addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    act();
  });
}

/**
 * Silence for so long. Asked for twice the daemon is silent about dangers too, which must not happen by
 * pressing a button once more: so it is asked first.
 * @param {number} seconds
 */
async function mute(seconds) {
  const before = await get("status");
  if (before.muted_s > 0) {
    showMuted(before);
    throw new Error(t("mute.already"));
  }
  await post("mute", { seconds });
  showMuted({ muted_s: seconds, danger_muted_s: 0 });
}

/** @param {string} key what was asked for @param {() => Promise<any>} act @param {HTMLInputElement | null} [emptied] */
async function attempt(key, act, emptied = null) {
  const result = $("actions-result");
  result.classList.remove("bad");
  say(result, () => t("busy"));
  try {
    await act();
    if (emptied) emptied.value = "";
    say(result, () => t("actions.done", { what: t(key) }));
  } catch (error) {
    refuse(error instanceof Error && error.constructor === Error ? error.message : wordsOf(error));
  }
}

/** @param {{ muted_s?: number, danger_muted_s?: number }} status */
export function showMuted({ muted_s: left = 0, danger_muted_s: danger = 0 }) {
  const muted = left > 0;
  const [mute, unmute] = [$("mute-do"), $("unmute")];
  if (muted && unmute.hidden) $("more").open = true;
  const focused = document.activeElement === (muted ? mute : unmute);
  show(mute, !muted);
  show(unmute, muted);
  if (focused) (muted ? unmute : mute).focus();
  const words = danger > 0 ? "mute.left-danger" : "mute.left";
  say($("mute-hint"), muted ? () => t(words, { time: duration(left), danger: duration(danger) }) : () => t("mute.hint"));
}
