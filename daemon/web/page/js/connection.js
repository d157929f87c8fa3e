/** Whether the web interface is there, and the daemon behind it, and whether all is well: shown, and said once. */

import { $, say, show } from "./dom.js";
import { t } from "./i18n.js";

export class Connection {
  #web = true;
  #daemon = true;
  #answers = true;
  #locked = false;
  #known = false;
  #well = true;

  /**
   * `daemon`: somebody is at its socket, by the stream; `answers`: it has told how it is. One that hangs is
   * there, and does not answer.
   * @param {Partial<{ web: boolean, daemon: boolean, answers: boolean, locked: boolean, well: boolean }>} news
   */
  note(news) {
    this.#web = news.web ?? this.#web;
    this.#daemon = news.daemon ?? this.#daemon;
    this.#answers = news.answers ?? this.#answers;
    this.#locked = news.locked ?? this.#locked;
    this.#well = news.well ?? this.#well;
    this.#known ||= news.well !== undefined || news.web === false || news.daemon === false || news.answers === false;
    this.#show();
  }

  /** @returns {"login" | "web-down" | "daemon-down" | "daemon-silent" | "waiting" | "unwell" | "up"} */
  get state() {
    if (this.#locked) return "login";
    if (!this.#web) return "web-down";
    if (!this.#daemon) return "daemon-down";
    if (!this.#answers) return "daemon-silent";
    if (!this.#known) return "waiting";
    return this.#well ? "up" : "unwell";
  }

  #show() {
    const state = this.state;
    if ($("state").dataset.state === state) return;
    $("state").dataset.state = state;
    document.body.dataset.connection = state;
    say($("state").firstElementChild, () => t(`state.${state}`));
    const trouble = ["web-down", "daemon-down", "daemon-silent"].includes(state);
    show($("banner"), trouble);
    say($("banner"), trouble ? () => t(`banner.${state}`) : "");
  }
}
