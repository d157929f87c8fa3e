/**
 * Buttons that need the daemon: while it is away they are marked as disabled and say why. They keep their place
 * in the order of the keyboard, so that the focus is not lost when the connection breaks.
 */

import { t } from "./i18n.js";

const AWAY = ["web-down", "daemon-down", "daemon-silent", "login"];
const BUTTONS = "[data-needs] button:not([data-always])";

/** The state of the connection while the daemon is away, else empty. */
let reason = "";

/** @param {string} state of the connection */
export function connectionIs(state) {
  reason = AWAY.includes(state) ? state : "";
  for (const button of document.querySelectorAll(BUTTONS)) show(/** @type {HTMLButtonElement} */ (button));
}

/** Mark a button that has nothing to do at present. @param {HTMLButtonElement} button @param {boolean} idle */
export function idle(button, idle) {
  button.toggleAttribute("data-idle", idle);
  show(button);
}

/** @param {HTMLButtonElement} button */
function show(button) {
  button.setAttribute("aria-disabled", String(reason !== "" || button.hasAttribute("data-idle")));
  if (reason) button.setAttribute("aria-describedby", "banner");
  else button.removeAttribute("aria-describedby");
  button.title = reason ? t(`state.${reason}`) : "";
}

/** Refuse what needs the daemon while it is away. Enter in a field submits its form by a click on its button. */
export function guard() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(BUTTONS) : null;
    if (!button || !reason) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    show(/** @type {HTMLButtonElement} */ (button));
  }, { capture: true });
}
