/** The views of the page, chosen by the address's hash. */

import { $, show } from "./dom.js";
import { t } from "./i18n.js";

const VIEWS = ["live", "tune", "journal", "settings"];

/** @param {Record<string, (about: URLSearchParams) => void>} opened what to do when a view is opened */
export function connect(opened) {
  let current = "";
  const go = (/** @type {boolean} */ focus) => {
    const [wanted, about = ""] = location.hash.slice(1).split("?");
    const view = VIEWS.includes(wanted) ? wanted : current || VIEWS[0];
    if (view === current && !about) return;
    current = view;
    for (const name of VIEWS) {
      show($(`view-${name}`), name === view);
      const link = document.querySelector(`nav a[href="#${name}"]`);
      if (name === view) link?.setAttribute("aria-current", "page");
      else link?.removeAttribute("aria-current");
    }
    title();
    opened[view]?.(new URLSearchParams(about));
    if (focus) {
      $(`${view}-title`).focus();
      scrollTo(0, 0);
    }
  };
  const title = () => (document.title = `${t(`view.${current}`)} · Watchword`);
  addEventListener("hashchange", () => go(true));
  go(false);
  return { retitle: title };
}
