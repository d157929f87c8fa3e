/** The state of the connection to web server and daemon: shown, and announced when it changes. */

import { $, say, show } from "./dom.js";
import { t } from "./i18n.js";
import { connectionIs } from "./needs.js";

export class Connection {
  #web = true;
  #daemon = true;
  #answers = true;
  #locked = false;
  #known = false;
  #well = true;

  /**
   * `daemon`: the event stream says that the daemon is connected; `answers`: it answers `/status`. A daemon that
   * hangs is connected, and does not answer.
   * @param {Partial<{ web: boolean, daemon: boolean, answers: boolean, locked: boolean, well: boolean }>} changes
   */
  update(changes) {
    this.#web = changes.web ?? this.#web;
    this.#daemon = changes.daemon ?? this.#daemon;
    this.#answers = changes.answers ?? this.#answers;
    this.#locked = changes.locked ?? this.#locked;
    this.#well = changes.well ?? this.#well;
    this.#known ||= changes.well !== undefined || changes.web === false || changes.daemon === false || changes.answers === false;
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
    connectionIs(state);
    say($("state").firstElementChild, () => t(`state.${state}`));
    const trouble = ["web-down", "daemon-down", "daemon-silent"].includes(state);
    show($("banner"), trouble);
    say($("banner"), trouble ? () => t(`banner.${state}`) : "");
  }
}
