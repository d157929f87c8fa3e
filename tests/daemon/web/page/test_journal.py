"""The view Journal."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.daemon.web.page.watching import go
from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow


def test_the_journal_groups_filters_and_marks(page: Page, stage: Stage) -> None:
    kinds = ("fire", "dog")
    for number in range(120):
        stage.emit("clear", f"c{number}", None, hazard=kinds[number // 20 % 2])
    alert = stage.alert("knife", "a1", "left")
    stage.emit("speak", "u1", "a1", text="Knife!", language="en", priority="danger", timing={})
    go(page, "Journal")
    stories = page.locator("#journal > .story")
    expect(page.locator("#journal-result")).to_have_text("Shown: 100")
    # An alert with what was said of it, and runs of equal neighbours, the last of which is cut by the page.
    expect(stories).to_have_count(6)
    expect(stories.nth(0).locator(".words")).to_have_text("Knife!")
    expect(stories.nth(0).locator("img.thumbnail")).to_have_js_property("complete", True)
    expect(stories.nth(1).locator(".count")).to_contain_text("20 times since")
    stories.nth(1).locator(".open").first.click()
    expect(stories.nth(1).locator(".others .story")).to_have_count(19)
    page.get_by_role("button", name="Older events").click()
    expect(page.locator("#journal-result")).to_have_text("Shown: 122")
    expect(page.locator("#journal-older")).to_be_hidden()
    expect(stories.nth(6).locator(".open")).to_be_focused()

    stories.nth(0).locator(".open").click()
    story = stories.nth(0)
    expect(story.locator(".why")).to_contain_text("its threshold is 0.50")
    wrong = story.get_by_role("button", name="False alarm: Knife, on the left")
    wrong.click()
    expect(story.get_by_role("status")).to_contain_text("--labelled /state/journal/marks/marks.csv")
    expect(wrong).to_have_attribute("aria-pressed", "true")
    wrong.click()
    expect(wrong).to_have_attribute("aria-pressed", "false")
    row = stage.journal[-2]["row"]
    marks = [(each["row"], each["verdict"]) for each in stage.commands("mark")]
    assert marks == [(row, "false"), (row, "none")]
    story.get_by_role("link", name="Try thresholds on it").click()
    expect(page.locator("#tune-title")).to_be_focused()
    expect(page.get_by_label("Try on")).to_have_value(str(row))

    go(page, "Journal")
    page.get_by_label("Kind").select_option("alert")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#journal-result")).to_have_text("Shown: 1")
    wall_ms = alert["timing"]["wall_s"] * 1000
    local = page.evaluate(
        "ms => new Date(ms - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16)", wall_ms
    )
    page.get_by_label("From").fill("2020-01-01T00:00")
    page.get_by_label("Up to").fill("2020-01-02T00:00")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#journal-result")).to_have_text("There is nothing of that kind.")
    page.get_by_label("From").fill(local)
    page.get_by_label("Up to").fill("")
    page.get_by_role("button", name="Show").click()
    expect(stories).to_have_count(1)


def test_the_journal_is_taken_along_and_forgotten(page: Page, stage: Stage, tmp_path: Path) -> None:
    stage.alert("knife", "a1")
    go(page, "Journal")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "journal.zip")
    with zipfile.ZipFile(tmp_path / "journal.zip") as archive:
        row = stage.journal[0]["row"]
        assert set(archive.namelist()) >= {"index.html", "events.jsonl", f"pictures/{row}.jpg"}
        assert f"pictures/{row}.jpg" in archive.read("index.html").decode()
    page.get_by_role("button", name="Forget everything…").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    assert stage.commands("purge") == []
    page.get_by_role("button", name="Forget everything…").click()
    page.get_by_role("button", name="Forget everything", exact=True).click()
    expect(page.locator("#journal-result")).to_contain_text("Forgotten: 1 events")
    expect(page.locator("#journal .story")).to_have_count(0)
