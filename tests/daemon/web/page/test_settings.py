"""The view Settings."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow


def test_settings_are_searched_changed_and_taken_back(page: Page, stage: Stage) -> None:
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("#settings-result")).to_have_text("Settings shown: 10")
    page.get_by_label("Search in names and descriptions").fill("words minute")
    expect(page.locator("#settings-result")).to_have_text("Settings shown: 1")
    line = page.locator('[data-setting="speech.rate_wpm"]')
    expect(line).to_contain_text("Default: 180")
    expect(line).to_contain_text("80 to 500")
    line.locator("input").fill("220")
    page.get_by_role("button", name="Save speech.rate_wpm").click()
    expect(page.locator("#settings-result")).to_have_text("Saved and in force: speech.rate_wpm = 220")
    expect(line.locator(".layer")).to_have_text("changed here")
    assert stage.overrides == {"speech.rate_wpm": 220}
    page.get_by_role("button", name="Back to what was: speech.rate_wpm").click()
    expect(line.locator(".layer")).to_have_text("default")
    expect(line.locator("input")).to_have_value("180")
    page.get_by_label("Search in names and descriptions").fill("capture.source")
    expect(page.locator("#settings .setting:visible input, #settings .setting:visible select")).to_have_count(
        0
    )
