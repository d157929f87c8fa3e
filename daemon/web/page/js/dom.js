/**
 * Building elements. Whatever comes from outside (events, descriptions, settings) goes in as text and only as
 * text: there is no way through here by which markup in it could become elements.
 */

/** @typedef {string | (() => string)} Words a text, or a function that returns it in the current language */

/** @type {WeakMap<Element, Map<string, () => string>>} */
const spoken = new WeakMap();
const ATTRIBUTES = ["text", "label", "title", "alt"];

/** The element of that id, which is on the page. @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/**
 * Set what an element says (`text`) or is called (`label`: aria-label; `title`; `alt`).
 * Words given as a function are updated when the language changes.
 * @param {Element} element @param {Words} words @param {string} [where]
 */
export function say(element, words, where = "text") {
  const held = spoken.get(element) ?? new Map();
  if (typeof words === "function") {
    held.set(where, words);
    spoken.set(element, held);
    element.toggleAttribute("data-said", true);
  } else {
    held.delete(where);
  }
  put(element, where, typeof words === "function" ? words() : words);
}

/** @param {Element} element @param {string} where @param {string} words */
function put(element, where, words) {
  if (where !== "text") {
    element.setAttribute(where === "label" ? "aria-label" : where, words);
  } else if (element.textContent !== words) {
    element.textContent = words;
  }
}

/** Translate all texts again. @param {(key: string) => string} translate */
export function retranslate(translate) {
  for (const where of ["text", "label", "placeholder"]) {
    for (const element of document.querySelectorAll(`[data-${where}]`)) {
      put(element, where, translate(/** @type {any} */ (element).dataset[where]));
    }
  }
  for (const element of document.querySelectorAll("[data-said]")) {
    for (const [where, words] of spoken.get(element) ?? []) put(element, where, words());
  }
}

/**
 * A new element. `options`: attributes; `class`; `text`, `label`, `title`, `alt` (words); `on` (event handlers);
 * an attribute that is true stands without a value, one that is false, null or undefined not at all.
 * @param {string} tag @param {Record<string, any>} [options] @param {...(Node | null)} children
 * @returns {any}
 */
export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (ATTRIBUTES.includes(name)) say(element, value, name);
    else if (name === "on") Object.entries(value).forEach(([event, fn]) => element.addEventListener(event, /** @type {any} */ (fn)));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Show or hide. @param {Element} element @param {boolean} visible */
export function show(element, visible) {
  element.toggleAttribute("hidden", !visible);
}

/**
 * Make a parent hold one child for each key, in order, and keep those that are there: a screen reader does not
 * lose its place by it.
 * @param {Element} parent @param {string[]} keys @param {(key: string) => Element} makeOne
 * @returns {any[]} the children, one a key
 */
export function keyed(parent, keys, makeOne) {
  const held = new Map([...parent.children].map((child) => [/** @type {any} */ (child).dataset.key, child]));
  const children = keys.map((key) => {
    const child = /** @type {HTMLElement} */ (held.get(key) ?? makeOne(key));
    child.dataset.key = key;
    return child;
  });
  if (children.length !== parent.children.length || children.some((child, index) => parent.children[index] !== child)) {
    parent.replaceChildren(...children);
  }
  return children;
}
