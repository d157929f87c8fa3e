"""The view Journal."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow


def test_the_journal_is_read_page_by_page_and_by_kind(page: Page, stage: Stage) -> None:
    for number in range(60):
        stage.emit("clear", f"c{number}", None, hazard="fire")
    stage.alert("knife", "a1")
    page.get_by_role("link", name="Journal").click()
    expect(page.get_by_role("heading", name="Journal", level=1)).to_be_focused()
    expect(page.locator("#journal .story")).to_have_count(50)
    page.get_by_role("button", name="Older events").click()
    expect(page.locator("#journal .story")).to_have_count(61)
    expect(page.locator("#journal-older")).to_be_hidden()
    expect(page.locator("#journal .story").nth(50)).to_be_focused()
    page.get_by_label("Kind").select_option("alert")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#journal .story")).to_have_count(1)
    page.locator("#journal .open").click()
    expect(page.locator("#journal .why")).to_contain_text(f"#{stage.journal[-1]['row']}, at")
    page.get_by_label("Hazard", exact=False).and_(page.locator("select")).select_option("dog")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#journal-result")).to_have_text("There is nothing of that kind.")


def test_forgetting_everything_is_asked_first(page: Page, stage: Stage) -> None:
    stage.alert("knife", "a1")
    page.get_by_role("link", name="Journal").click()
    page.get_by_role("button", name="Forget everything…").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    assert stage.commands("purge") == []
    page.get_by_role("button", name="Forget everything…").click()
    page.get_by_role("button", name="Forget everything", exact=True).click()
    expect(page.locator("#journal-result")).to_contain_text("Forgotten: 1 events")
    expect(page.locator("#journal .story")).to_have_count(0)
