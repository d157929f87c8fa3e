/** Asks for the token if the web server requires one. It is kept in a cookie that scripts cannot read. */

import { post, Problem, whenLocked } from "./api.js";
import { $, say } from "./dom.js";
import { t } from "./i18n.js";

/** @param {{ locked: () => void, opened: () => void }} listener */
export function connect({ locked, opened }) {
  const dialog = $("login");
  whenLocked(() => {
    if (dialog.open) return;
    locked();
    dialog.showModal();
  });
  dialog.addEventListener("cancel", (/** @type {Event} */ event) => event.preventDefault());
  $("login-form").addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await post("login", { token: $("login-token").value.trim() });
      $("login-token").value = "";
      say($("login-result"), "");
      dialog.close();
      opened();
    } catch (error) {
      const wrong = error instanceof Problem && (error.status === 401 || error.status === 403);
      say($("login-result"), wrong || !(error instanceof Problem) ? () => t("login.wrong") : error.words);
      $("login-token").select();
    }
  });
}
