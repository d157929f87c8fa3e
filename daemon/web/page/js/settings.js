/** All settings with value and origin; live ones can be changed. */

import { get, wordsOf } from "./api.js";
import { $, keyed, make, say, show } from "./dom.js";
import { t } from "./i18n.js";
import { SettingLine } from "./setting_row.js";

export class SettingsView {
  /** @type {{ name: string, box: any, lines: SettingLine[] }[]} */
  #sections = [];

  constructor() {
    for (const id of ["settings-text", "settings-live", "settings-changed"]) {
      $(id).addEventListener("input", () => this.#filter());
    }
    $("settings-search").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
  }

  /** Read them and show them. */
  async open() {
    if (!this.#sections.length) this.#result(() => t("busy"));
    try {
      const { sections } = await get("config");
      this.#build(sections);
      this.#filter();
    } catch (error) {
      this.#result(wordsOf(error), true);
    }
  }

  /** @param {any[]} sections */
  #build(sections) {
    const known = new Map(this.#sections.map((section) => [section.name, section]));
    this.#sections = sections.map(({ name, settings }) => {
      const before = known.get(name);
      if (before && before.lines.length === settings.length) {
        before.lines.forEach((line, index) => line.update(settings[index]));
        return before;
      }
      const done = { saved: (/** @type {import("./dom.js").Words} */ words, /** @type {boolean} */ bad) => this.#result(words, bad), changed: () => this.#reread() };
      const lines = settings.map((/** @type {any} */ setting) => new SettingLine(setting, done));
      const box = make("details", { class: "card section" },
        make("summary", {}, make("h2", { text: `[${name}]` }), make("span", { class: "quiet count" })),
        make("ul", { class: "settings", role: "list" }, ...lines.map((/** @type {SettingLine} */ line) => line.element)));
      return { name, box, lines };
    });
    keyed($("settings"), this.#sections.map(({ name }) => name), (name) => this.#sections.find((section) => section.name === name)?.box);
  }

  async #reread() {
    const { sections } = await get("config");
    this.#build(sections);
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
      box.open = filtering ? fitting.length > 0 : box.open && this.#sections.length > 1 && !this.filtered;
      say(box.querySelector(".count"), String(fitting.length));
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
