/** The settings that most people change, and all others by section; live ones can be changed. */

import { get, wordsOf } from "./api.js";
import { $, keyed, make, say, show } from "./dom.js";
import { t, tOr } from "./i18n.js";
import { roving } from "./roving.js";
import { SettingLine } from "./setting_row.js";

const MOST_USED = "most-used";

export class SettingsView {
  /** @type {{ name: string, box: any, lines: SettingLine[] }[]} */
  #sections = [];

  constructor() {
    for (const id of ["settings-text", "settings-live", "settings-changed"]) {
      $(id).addEventListener("input", () => this.#filter());
    }
    roving($("settings"), "summary");
    $("settings-search").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
  }

  /** Read them and show them. */
  async open() {
    if (!this.#sections.length) this.#result(() => t("busy"));
    try {
      this.#build(await get("config"));
      this.#filter();
    } catch (error) {
      this.#result(wordsOf(error), true);
    }
  }

  /** @param {{ sections: any[], most_used?: string[] }} config */
  #build({ sections, most_used: first = [] }) {
    const known = new Map(this.#sections.map((section) => [section.name, section]));
    const byKey = new Map(sections.flatMap(({ settings }) => settings).map((/** @type {any} */ one) => [one.key, one]));
    const mostUsed = first.map((key) => byKey.get(key)).filter(Boolean);
    const rest = sections.map(({ name, settings }) => ({ name, settings: settings.filter((/** @type {any} */ one) => !first.includes(one.key)) }));
    this.#sections = [{ name: MOST_USED, settings: mostUsed }, ...rest].filter(({ settings }) => settings.length).map(({ name, settings }) => {
      const before = known.get(name);
      if (before && before.lines.length === settings.length) {
        before.lines.forEach((line, index) => line.update(settings[index]));
        return before;
      }
      return this.#section(name, settings);
    });
    keyed($("settings"), this.#sections.map(({ name }) => name), (name) => this.#sections.find((section) => section.name === name)?.box);
  }

  /** @param {string} name @param {any[]} settings */
  #section(name, settings) {
    const done = { saved: (/** @type {import("./dom.js").Words} */ words, /** @type {boolean} */ bad) => this.#result(words, bad), changed: () => this.#reread() };
    const lines = settings.map((setting) => new SettingLine(setting, done));
    const list = make("ul", { class: "settings", role: "list" }, ...lines.map((line) => line.element));
    const title = make("h2", { text: () => tOr(`section.${name}`, name) });
    const box = name === MOST_USED ? make("section", { class: "card most-used" }, title, list)
      : make("details", { class: "card section" },
        make("summary", { tabindex: -1 }, title, make("code", { class: "quiet", text: `[${name}]` }), make("span", { class: "quiet count" })), list);
    return { name, box, lines };
  }

  async #reread() {
    this.#build(await get("config"));
  }

  #filter() {
    const words = $("settings-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [live, changed] = [$("settings-live").checked, $("settings-changed").checked];
    const filtering = words.length > 0 || live || changed;
    let total = 0;
    for (const { box, lines } of this.#sections) {
      const fitting = lines.filter((line) => line.fits(words, live, changed));
      for (const line of lines) show(line.element, fitting.includes(line));
      show(box, fitting.length > 0);
      if (box.localName === "details") {
        box.open = filtering ? fitting.length > 0 : box.open && !this.filtered;
        say(box.querySelector(".count"), String(fitting.length));
      }
      total += fitting.length;
    }
    this.filtered = filtering;
    this.#result(() => (total ? t("settings.count", { count: total }) : t("settings.none")));
  }

  /** Whether a search holds at present. */
  filtered = false;

  /** @param {import("./dom.js").Words} words @param {boolean} [bad] */
  #result(words, bad = false) {
    $("settings-result").classList.toggle("bad", bad);
    say($("settings-result"), words);
  }
}
