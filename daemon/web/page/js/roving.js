/** One stop of the keyboard for a whole list: arrow keys, Home and End move between its items. */

/**
 * @param {HTMLElement} list whose children come and go
 * @param {string} selector of the element in each item that takes the focus
 */
export function roving(list, selector) {
  const items = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
  const shown = () => items().filter((item) => item.checkVisibility());
  const stopAt = (/** @type {HTMLElement | undefined} */ wanted) => {
    for (const item of items()) item.tabIndex = item === wanted ? 0 : -1;
  };
  const settle = () => {
    const visible = shown();
    const focused = visible.find((item) => item === document.activeElement);
    if (focused) stopAt(focused);
    else if (!visible.some((item) => item.tabIndex === 0) || !list.contains(document.activeElement)) stopAt(visible[0] ?? items()[0]);
  };
  new MutationObserver(settle).observe(list, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "hidden"] });
  addEventListener("hashchange", () => setTimeout(settle));
  list.addEventListener("keydown", (event) => {
    const visible = shown();
    const at = visible.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: visible.length - 1 }[event.key];
    const next = to === undefined ? undefined : visible[to];
    if (!next) return;
    event.preventDefault();
    stopAt(next);
    next.focus();
  });
  list.addEventListener("focusin", (event) => {
    const item = items().find((each) => each === event.target);
    if (item) stopAt(item);
  });
  settle();
}
