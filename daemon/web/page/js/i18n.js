/** The page's words, in the language of the browser or the one chosen before. */

import { retranslate } from "./dom.js";

const LANGUAGES = ["en", "ko"];
const REMEMBERED = "watchword.language";

/** @type {Record<string, string>} */
let texts = {};
let language = "en";

/** The language of the page. */
export const current = () => language;

/** The words of a key, with `{name}` filled in; the key itself where there are none. */
export function t(/** @type {string} */ key, /** @type {Record<string, string | number>} */ values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The words of a key, or something else where there are none. @param {string} key @param {string} other */
export const tOr = (key, other) => texts[key] ?? other;

/** A hazard by its name; a user-defined one keeps its name. @param {string} name */
export const hazard = (name) => tOr(`hazard.${name}`, name.replaceAll("_", " "));

/** Which language to begin with. */
export function preferred() {
  const remembered = storage()?.getItem(REMEMBERED);
  const wanted = [remembered, ...navigator.languages].map((tag) => (tag ?? "").slice(0, 2).toLowerCase());
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? "en";
}

/** Change the language of everything on the page. @param {string} wanted */
export async function choose(wanted) {
  const answer = await fetch(new URL(`../texts/${wanted}.json`, import.meta.url));
  texts = await answer.json();
  language = wanted;
  document.documentElement.lang = wanted;
  retranslate(t);
}

/** Keep the choice for next time. @param {string} wanted */
export const remember = (wanted) => storage()?.setItem(REMEMBERED, wanted);

/** None where the browser forbids it. @returns {Storage | null} */
export function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
