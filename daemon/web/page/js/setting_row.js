/** One setting, with a form to change it if it is live. */

import { post, wordsOf } from "./api.js";
import { make, say, show } from "./dom.js";
import { t, tOr } from "./i18n.js";

/**
 * @typedef {object} Setting
 * @property {string} key dotted
 * @property {any} value
 * @property {any} default
 * @property {string} layer
 * @property {string | null} where
 * @property {boolean} live it changes while it runs; else at the next start
 * @property {boolean} [settable] it may be changed from here at all
 * @property {string} description
 * @property {string} type `|` between several
 * @property {any[] | null} choices
 * @property {number | null} minimum
 * @property {number | null} maximum
 */

const UNITS = ["s", "ms", "wpm", "mb", "fps", "hz", "percent", "days", "minutes", "px"];

/** As it would stand in the file. @param {any} value */
const written = (value) => (value === null || value === undefined ? "–" : typeof value === "string" ? `"${value}"` : JSON.stringify(value));

/** @param {string} key */
export function unitOf(key) {
  const last = key.slice(key.lastIndexOf("_") + 1);
  return key.includes("_") && UNITS.includes(last) ? last : null;
}

/** What it sets, in the page's language; in English its description. @param {Setting} setting */
export function titleOf({ key, description }) {
  const named = key.replace(/^(hazards|keys\.on)\.[^.]+/, "$1.*");
  return tOr(`setting.${named}`, description ?? "");
}

export class SettingLine {
  /** @type {Setting} */
  #setting;
  #done;
  #input;

  /** @param {Setting} setting @param {{ saved: (words: import("./dom.js").Words, bad: boolean) => void, changed: () => Promise<void> }} done */
  constructor(setting, done) {
    this.#setting = setting;
    this.#done = done;
    this.#input = this.#editable ? inputFor(setting) : null;
    this.value = make("code", { class: "value" });
    this.layer = make("span", { class: "badge layer" });
    this.from = make("span", { class: "quiet" });
    this.standard = make("span", { class: "quiet" });
    this.reset = make("button", { type: "button", text: () => t("settings.reset"), label: () => t("settings.reset-of", { key: setting.key }), on: { click: () => this.#act(() => this.#take()) } });
    this.element = make("li", { class: "setting", "data-setting": setting.key },
      make("h3", {}, make("code", { text: setting.key })),
      make("p", { text: () => titleOf(setting) }),
      make("p", { class: "facts" }, this.value, unit(setting.key), this.layer, this.from, this.standard, bounds(setting)),
      this.#form());
    this.update(setting);
  }

  get #editable() {
    const { live, settable = live, value } = this.#setting;
    return settable && (value === null || ["string", "number", "boolean"].includes(typeof value));
  }

  #form() {
    if (!this.#input) return null;
    const save = make("button", { text: () => t("settings.save"), label: () => t("settings.save-of", { key: this.#setting.key }) });
    const later = this.#setting.live ? null : make("span", { class: "quiet", text: () => t("settings.restart") });
    const form = make("form", { class: "row" }, this.#input, save, this.reset, later);
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#act(() => this.#save());
    });
    return form;
  }

  /** @param {Setting} setting */
  update(setting) {
    this.#setting = setting;
    say(this.value, written(setting.value));
    say(this.layer, () => tOr(`layer.${setting.layer}`, setting.layer));
    say(this.from, setting.where ? () => t("settings.where", { where: setting.where ?? "" }) : "");
    show(this.from, Boolean(setting.where));
    say(this.standard, () => t("settings.default", { value: written(setting.default) }));
    show(this.reset, setting.layer === "overrides");
    this.element.classList.toggle("is-changed", setting.layer !== "default");
    if (this.#input && document.activeElement !== this.#input) put(this.#input, setting.value);
  }

  /** @param {string[]} words @param {boolean} live @param {boolean} changed */
  fits(words, live, changed) {
    const { key, description, layer } = this.#setting;
    const text = `${key} ${titleOf(this.#setting)} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word)) && (!live || this.#input !== null) && (!changed || layer !== "default");
  }

  /** @param {() => Promise<void>} act */
  async #act(act) {
    try {
      await act();
    } catch (error) {
      this.#done.saved(wordsOf(error), true);
    }
  }

  async #save() {
    const { key } = this.#setting;
    const value = taken(this.#input, this.#setting);
    const { needs_restart: later = [] } = await post("config", { values: { [key]: value } });
    await this.#done.changed();
    const words = later.includes(key) ? "settings.saved-restart" : "settings.saved";
    this.#done.saved(() => t(words, { key, value: written(this.#setting.value) }), false);
  }

  async #take() {
    const { key } = this.#setting;
    await post("config/reset", { keys: [key] });
    this.#input?.focus();
    await this.#done.changed();
    if (this.#input) put(this.#input, this.#setting.value);
    this.#done.saved(() => t("settings.saved", { key, value: written(this.#setting.value) }), false);
  }
}

/** Whether one of the choices must stand there; a threshold may also be `auto`. @param {Setting} setting */
const chosen = ({ choices, type }) => choices !== null && !/number|integer/.test(type);

/** @param {Setting} setting @returns {any} */
function inputFor(setting) {
  const { key: label, value, choices, minimum: min, maximum: max, type } = setting;
  if (typeof value === "boolean") {
    const of = (/** @type {boolean} */ yes) => make("option", { value: String(yes), text: () => t(yes ? "settings.yes" : "settings.no") });
    return make("select", { label }, of(true), of(false));
  }
  if (chosen(setting)) return make("select", { label }, ...(choices ?? []).map((choice) => make("option", { value: String(choice), text: String(choice) })));
  if (type === "number" || type === "integer") {
    return make("input", { type: "number", step: type === "integer" ? 1 : "any", min, max, required: true, label });
  }
  return make("input", { type: "text", autocomplete: "off", label });
}

/** @param {any} input @param {any} value */
function put(input, value) {
  input.value = value === null ? "" : String(value);
}

/** What was typed, as the setting wants it: a number where there may be one. @param {any} input @param {Setting} setting */
function taken(input, setting) {
  const typed = input.value.trim();
  if (typeof setting.value === "boolean") return typed === "true";
  if (chosen(setting)) return setting.choices?.find((choice) => String(choice) === typed);
  const numeric = /number|integer/.test(setting.type) && typed !== "" && Number.isFinite(Number(typed));
  return numeric ? Number(typed) : typed;
}

/** @param {string} key */
function unit(key) {
  const found = unitOf(key);
  return found === null ? null : make("span", { class: "quiet", text: () => t(`unit.${found}`) });
}

/** @param {Setting} setting */
function bounds({ minimum = null, maximum = null }) {
  if (minimum === null && maximum === null) return null;
  const key = minimum === null ? "settings.to-maximum" : maximum === null ? "settings.from-minimum" : "settings.range";
  return make("span", { class: "quiet", text: () => t(key, { minimum: minimum ?? "", maximum: maximum ?? "" }) });
}
