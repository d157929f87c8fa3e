"""The view Settings."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.daemon.web.page.watching import go
from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow


def test_settings_are_searched_changed_and_taken_back(page: Page, stage: Stage) -> None:
    go(page, "Settings")
    result = page.locator("#settings-result")
    expect(result).to_have_text("Settings shown: 11")
    expect(page.locator("#settings h2")).to_have_text(
        ["Most used", "Speech and sound", "Journal and privacy", "Hazards"], use_inner_text=True
    )
    expect(page.locator(".most-used h3 span")).to_have_text(
        ["Camera, stream or file", "Language", "Speed of speech"]
    )
    language = page.get_by_label("Language", exact=True).and_(page.locator("#settings select"))
    expect(language.locator("option")).to_have_text(["English", "Korean"])
    source = page.locator('[data-setting="capture.source"]')
    expect(source.locator(".value")).to_have_text("automatic")
    expect(source.locator("input, select")).to_have_count(0)  # only the file may say it
    # "full" is also a choice of another setting, where it means "everything".
    expect(page.locator('[data-setting="journal.pictures"] .value')).to_have_text("as they are")

    page.get_by_label("Search").fill("words minute")
    expect(result).to_have_text("Settings shown: 1")
    line = page.locator('[data-setting="speech.rate_wpm"]')
    expect(line).to_contain_text("80 to 500")
    save = page.get_by_role("button", name="Save Speed of speech")
    expect(save).to_be_hidden()
    line.locator("input").fill("600")
    save.click()
    expect(line.locator(".bad")).to_have_text("A number from 80 to 500 is wanted.")
    line.locator("input").fill("220")
    save.click()
    expect(result).to_have_text("Saved and in force: Speed of speech = 220")
    expect(line.locator(".layer")).to_have_text("changed here")
    expect(line).to_contain_text("Default: 180")
    assert stage.overrides == {"speech.rate_wpm": 220}
    page.get_by_role("button", name="Back to what was: Speed of speech").click()
    expect(line.locator(".layer")).to_be_hidden()
    expect(line.locator("input")).to_have_value("180")

    page.get_by_label("Search").fill("knife threshold")
    field = page.get_by_label("Knife: Threshold", exact=True)
    field.fill("60")
    expect(page.get_by_text("A share from 0 to 1 is wanted: 0.6, not 60.")).to_be_visible()
    page.keyboard.press("Enter")
    assert len(stage.commands("set")) == 1
    page.locator("#language").select_option("ko")
    expect(page.locator("#settings h2").first).to_have_text("자주 쓰는 설정")
    expect(page.locator('[data-setting="hazards.knife.threshold"] h3')).to_contain_text("경고하는 확률")
    # Descriptions are in Korean too, and are found by Korean words.
    page.get_by_role("searchbox", name="찾기").fill("말하는 단어")
    line = page.locator('[data-setting="speech.rate_wpm"]')
    expect(line.locator(".about p")).to_have_text("1분에 말하는 단어 수입니다.")
    expect(page.locator('[data-setting="speech.language"]')).to_be_hidden()
