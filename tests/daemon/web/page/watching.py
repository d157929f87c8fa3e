"""What tests of the page wait for."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]"
STOPS = f"""selector => {{
  const all = [...document.querySelectorAll({FOCUSABLE!r})].filter((each) =>
    each.tabIndex >= 0 && !each.disabled && each.checkVisibility() && each.getClientRects().length);
  return all.findIndex((each) => each.matches(selector)) + 1;
}}"""


def watching(page: Page) -> None:
    """Wait until events reach the page, and the hazards are there."""
    expect(page.locator("#state")).to_have_attribute("data-state", re.compile("up|unwell"))
    expect(page.locator("#near li")).to_have_count(3)


def painted(page: Page) -> None:
    """Wait for the first picture of the page: Chromium drops whatever is typed before it."""
    page.wait_for_function("() => performance.getEntriesByType('paint').length > 0")


def go(page: Page, view: str) -> None:
    """Open a view by its link."""
    page.get_by_role("link", name=view, exact=True).click()
    expect(page.get_by_role("heading", name=view, level=1)).to_be_focused()


def stops_to(page: Page, selector: str) -> int:
    """How often Tab is pressed from the top of the page to the first of these; 0 if it never gets there."""
    return int(page.evaluate(STOPS, selector))
