/** One setting, with a form to change it if it is live. */

import { post, wordsOf } from "./api.js";
import { make, say, show } from "./dom.js";
import { hazard, t, tOr } from "./i18n.js";
import { shareMistake } from "./share.js";

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

/** A choice in words; some mean another thing in one setting than in the others. @param {string} value @param {string} key */
const worded = (value, key) => tOr(`choice.${key}.${value}`, tOr(`choice.${value}`, value));

/** A value as a person says it. @param {any} value @param {string} key @returns {string} */
function written(value, key) {
  if (value === null || value === undefined || value === "") return t("settings.empty");
  if (typeof value === "boolean") return t(value ? "settings.yes" : "settings.no");
  if (typeof value === "string") return worded(value, key);
  return Array.isArray(value) ? value.map((one) => written(one, key)).join(", ") || t("settings.empty") : JSON.stringify(value);
}

/** @param {string} key */
export function unitOf(key) {
  const last = key.slice(key.lastIndexOf("_") + 1);
  return key.includes("_") && UNITS.includes(last) ? last : null;
}

/** Tables whose entries are named by the user, and the name. */
const NAMED = /^(hazards|keys\.on|describe\.server_extra)\.([^.]+)/;

/** A text of a setting in the page's language. @param {string} key @param {"title" | "description"} part @param {string} other */
const textOf = (key, part, other) => tOr(`setting.${key.replace(NAMED, "$1.*")}.${part}`, other);

/** The title in the page's language, with the hazard, key or field that it belongs to. @param {Setting} setting */
export function titleOf({ key, description }) {
  const [, group, name] = NAMED.exec(key) ?? [];
  const title = textOf(key, "title", description || key);
  return group === "hazards" ? t("settings.of-hazard", { hazard: hazard(name), title }) : group ? `${title}: ${name}` : title;
}

/** The description in the page's language; in English it comes with the setting. @param {Setting} setting */
const describe = ({ key, description }) => textOf(key, "description", description);

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
    this.save = make("button", { class: "main", hidden: true, text: () => t("settings.save"), label: () => t("settings.save-of", { key: this.#title }) });
    this.reset = make("button", { type: "button", text: () => t("settings.reset"), label: () => t("settings.reset-of", { key: this.#title }), on: { click: () => this.#act(() => this.#take()) } });
    this.mistake = make("p", { class: "bad", role: "status" });
    this.element = make("li", { class: "setting", "data-setting": setting.key },
      make("div", { class: "about" },
        make("h3", {}, make("span", { text: () => titleOf(setting) }), make("code", { text: setting.key })),
        make("p", { class: "quiet", text: () => describe(setting) })),
      make("div", { class: "control" },
        this.#form(),
        make("p", { class: "facts" }, this.#input ? null : this.value, this.layer, this.from, this.standard, bounds(setting)),
        this.mistake));
    this.update(setting);
  }

  get #title() {
    return titleOf(this.#setting);
  }

  get #editable() {
    const { live, settable = live, value } = this.#setting;
    return settable && (value === null || ["string", "number", "boolean"].includes(typeof value));
  }

  #form() {
    if (!this.#input) return null;
    const later = this.#setting.live ? null : make("span", { class: "quiet", text: () => t("settings.restart") });
    const form = make("form", { class: "row", novalidate: true }, this.#input, unit(this.#setting.key), this.save, this.reset, later);
    this.#input.addEventListener("input", () => this.#typed());
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.#isWrong()) this.#act(() => this.#save());
    });
    return form;
  }

  /** Offer to save what differs from what is in force. */
  #typed() {
    show(this.save, taken(this.#input, this.#setting) !== this.#setting.value);
    this.#isWrong();
  }

  /** Whether the field holds what no share can be, which is said. */
  #isWrong() {
    const { minimum, maximum } = this.#setting;
    const mistake = maximum === 1 || this.#input.type === "number" ? shareMistake(this.#input, minimum, maximum) : null;
    this.#input.setAttribute("aria-invalid", String(mistake !== null));
    say(this.mistake, mistake ?? "");
    return mistake !== null;
  }

  /** @param {Setting} setting */
  update(setting) {
    this.#setting = setting;
    say(this.value, () => written(setting.value, setting.key));
    say(this.layer, () => tOr(`layer.${setting.layer}`, setting.layer));
    say(this.from, setting.where ? () => t("settings.where", { where: setting.where ?? "" }) : "");
    show(this.from, Boolean(setting.where) && setting.where !== setting.layer);
    say(this.standard, () => t("settings.default", { value: written(setting.default, setting.key) }));
    show(this.reset, setting.layer === "overrides");
    this.element.classList.toggle("is-changed", setting.layer !== "default");
    for (const element of [this.layer, this.standard]) show(element, setting.layer !== "default");
    if (!this.#input) return;
    if (document.activeElement !== this.#input) put(this.#input, setting.value);
    show(this.save, taken(this.#input, setting) !== setting.value);
  }

  /** @param {string[]} words @param {boolean} live @param {boolean} changed */
  fits(words, live, changed) {
    const { key, description, layer } = this.#setting;
    // The English description too: documents and forums name a setting in English.
    const text = `${key} ${titleOf(this.#setting)} ${describe(this.#setting)} ${description}`.toLowerCase();
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
    this.#done.saved(() => t(words, { key: this.#title, value: written(this.#setting.value, key) }), false);
  }

  async #take() {
    const { key } = this.#setting;
    await post("config/reset", { keys: [key] });
    this.#input?.focus();
    await this.#done.changed();
    if (this.#input) put(this.#input, this.#setting.value);
    this.#done.saved(() => t("settings.saved", { key: this.#title, value: written(this.#setting.value, key) }), false);
  }
}

/** Whether one of the choices must stand there; a threshold may also be `auto`. @param {Setting} setting */
const chosen = ({ choices, type }) => choices !== null && !/number|integer/.test(type);

/** @param {Setting} setting @returns {any} */
function inputFor(setting) {
  const { value, choices, minimum: min, maximum: max, type } = setting;
  const label = () => titleOf(setting);
  if (typeof value === "boolean") {
    const of = (/** @type {boolean} */ yes) => make("option", { value: String(yes), text: () => t(yes ? "settings.yes" : "settings.no") });
    return make("select", { label }, of(true), of(false));
  }
  if (chosen(setting)) return make("select", { label }, ...(choices ?? []).map((choice) => make("option", { value: String(choice), text: () => worded(String(choice), setting.key) })));
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
