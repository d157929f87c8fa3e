/** Asks for confirmation before an action that cannot be undone. */

import { $, say } from "./dom.js";
import { t } from "./i18n.js";

/** @param {{ title: string, text: string, yes: string }} keys of the words @returns {Promise<boolean>} */
export function confirmed({ title, text, yes }) {
  const dialog = $("confirm");
  say($("confirm-title"), () => t(title));
  say($("confirm-text"), () => t(text));
  say($("confirm-yes"), () => t(yes));
  return new Promise((resolve) => {
    $("confirm-yes").onclick = () => dialog.close("yes");
    $("confirm-no").onclick = () => dialog.close("no");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "no";
    dialog.showModal();
    $("confirm-no").focus();
  });
}
