"""The page by keyboard, by ear, in both languages, on a small screen, and for those who may not see it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from daemon.config.sections import WebSettings
from tests.daemon.web.browsing import opened
from tests.daemon.web.page.watching import go, stops_to, watching
from tests.daemon.web.serving import Serving
from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow

VIEWS = ("live", "tune", "journal", "settings")
LOOKS: tuple[tuple[str, str, Literal["light", "dark"]], ...] = (
    ("live", "en", "light"),
    ("live", "ko", "dark"),
    ("tune", "ko", "dark"),
    ("journal", "en", "dark"),
    ("settings", "en", "light"),
)
"""Colours and words are the same ones in every view: not each has to be seen in every combination."""
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MOST_STOPS = 25
CONTROLS = {
    "live": (
        "#picture-pause",
        "#ask-text",
        "[data-do=hush]",
        "#more summary",
        "#events .open",
        "#health summary",
    ),
    "tune": (
        "#proposal-try",
        "#proposal-save",
        "#threshold-fire",
        "#threshold-dog",
        "#hazards-table summary",
    ),
    "journal": ("#journal-kind", "#journal .open", "#journal-purge"),
    "settings": ("#settings-text", "#settings summary", "#announce"),
}
"""The main controls of each view."""


def test_everything_is_done_by_keyboard_alone(page: Page, stage: Stage) -> None:
    def until(selector: str, most: int = MOST_STOPS) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(outline) != "none", selector
                return
        raise AssertionError(f"no way to {selector} by tabulator")

    stage.alert("fire", "a1")
    expect(page.locator("#events .story")).to_have_count(1)
    until(".skip")
    page.keyboard.press("Enter")
    until("#ask-text")
    page.keyboard.type("Is the door open?")
    page.keyboard.press("Enter")
    expect(page.locator("#actions-result")).to_have_text("Ask: done.")
    page.keyboard.press("Shift+Tab")
    until("#ask-text")
    page.keyboard.type("Hello")
    until("#say-do")
    page.keyboard.press("Enter")
    expect(page.locator("#actions-result")).to_have_text("Say: done.")
    until("[data-do=hush]")
    page.keyboard.press("Space")
    expect(page.locator("#actions-result")).to_have_text("Hush: done.")
    until("#more summary")
    page.keyboard.press("Enter")
    until("#mute-do")
    page.keyboard.press("Enter")
    expect(page.locator("#unmute")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#mute-do")).to_be_focused()
    until("#events .open")
    page.keyboard.press("Enter")
    expect(page.locator("#events .why")).to_be_visible()

    page.goto(page.url.split("#")[0] + "#tune")
    expect(page.locator("#tune-title")).to_be_focused()
    until("#threshold-fire")
    page.keyboard.press("ArrowDown")
    page.locator("#tune-title").focus()
    until("#proposal-save")
    page.keyboard.press("Enter")
    expect(page.locator("#proposal-result")).to_contain_text("Fire 0.50 → 0.49")
    told = [
        (each["do"], each.get("question") or each.get("text") or each.get("seconds"))
        for each in stage.asked
        if each["do"] not in ("config", "journal", "why", "snapshot")
    ]
    assert told == [
        ("ask", "Is the door open?"),
        ("say", "Hello"),
        ("hush", None),
        ("mute", 900.0),
        ("mute", 0.0),
        ("set", None),
    ]


def test_every_control_is_less_than_twenty_five_stops_away(page: Page, stage: Stage) -> None:
    for number, hazard in enumerate(("fire", "dog", "knife", "fire", "stairs", "dog"), 1):
        stage.alert(hazard, f"a{number}")
    expect(page.locator("#events .story")).to_have_count(6)
    far = {}
    for view in VIEWS:
        if view != "live":
            go(page, view.capitalize())
        for selector in CONTROLS[view]:
            page.locator(f"{selector}:visible").first.wait_for()
            stops = stops_to(page, selector)
            if not 0 < stops < MOST_STOPS:
                far[view, selector] = stops
    assert far == {}


OUTLINE = """view => [...document.querySelectorAll('header, nav, main, footer, h1, h2, h3')]
  .filter((each) => each.checkVisibility() && !each.closest('li'))
  .map((each) => `${each.localName} ${each.matches('h1, h2, h3') ? each.textContent.trim() : ''}`.trim())"""


def test_headings_stand_in_order_and_only_the_webs_own_scripts_run(page: Page, web: Serving) -> None:
    with urlopen(web.address) as answer:
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] in ("'none'", "'self'")
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert page.locator("[style], style, script:not([src])").count() == 0
    assert page.evaluate(OUTLINE) == [
        "header",
        "nav",
        "main",
        "h1 Live",
        "h2 Camera",
        "h2 Present now",
        "h3 Closest to an alert, last 10 s",
        "h2 Talk to it",
        "h2 Said",
        "h2 Health",
        "footer",
    ]
    go(page, "Tune")
    assert page.evaluate(OUTLINE)[3:6] == [
        "h1 Tune",
        "h2 Changed thresholds",
        "h2 Hazards, the most active first",
    ]
    for view in ("Journal", "Settings"):
        go(page, view)
        levels = [int(line[1]) for line in page.evaluate(OUTLINE) if re.match(r"h\d", line)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_screen_readers_hear_dangers_at_once_and_the_rest_in_turn(page: Page, stage: Stage) -> None:
    stage.emit("scene", "s1", trigger="scene_change", hazard=None)
    stage.emit("describe", "d1", "s1", text="A quiet street.", trigger="scene_change", model="tags")
    expect(page.locator("#polite")).to_have_text("A quiet street.")
    stage.alert("fire", "a1", "left")
    expect(page.locator("#assertive")).to_have_text("Critical: Fire, on the left")
    page.get_by_label("A screen reader is told").select_option("danger")
    stage.emit("describe", "d2", "s1", text="Two dogs.", trigger="scene_change", model="tags")
    stage.alert("dog", "a2")
    expect(page.locator("#polite")).to_have_text("Notice: Dog")
    page.get_by_label("A screen reader is told").select_option("none")
    stage.alert("knife", "a3")
    expect(page.locator("#now")).to_contain_text("Knife")
    expect(page.locator("#assertive")).to_have_text("Critical: Fire, on the left")


def test_language_and_motion_are_those_of_the_browser_until_one_is_chosen(
    browser: Browser, web: Serving, stage: Stage
) -> None:
    with opened(browser, web.address, locale="ko-KR", reduced_motion="reduce") as page:
        watching(page)
        expect(page.locator("#picture-note")).to_have_text("2초마다 1프레임")
        streams = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/live')).length"
        assert page.evaluate(streams) == 0
        stage.alert("fire", "a1", "left")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator("#now")).to_contain_text("불, 왼쪽")
        expect(page).to_have_title("실시간 · Watchword")
        page.locator("#language").select_option("en")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.locator("#now")).to_contain_text("Fire, on the left")
        expect(page.locator("#events .title")).to_have_text("Fire, on the left")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_it_fits_the_screen(page: Page, web: Serving, stage: Stage) -> None:
    """Nothing lies beside 320 pixels, or beside a screen of 1280 at 200 %.

    Live is one screen high, and one and a half on a phone.
    """
    for number, hazard in enumerate(("fire", "dog", "knife", "fire", "stairs", "dog"), 1):
        stage.alert(hazard, f"a{number}", "right")
    expect(page.locator("#now li")).to_have_count(4)
    wide = []
    try:
        for width, height, most in ((1280, 800, 1.0), (390, 844, 1.6)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollHeight") <= most * height, (width, height)
        for language in ("en", "ko"):
            page.locator("#language").select_option(language)
            for view in VIEWS:
                page.goto(f"{web.address}/#{view}")
                page.locator(f"#view-{view}").wait_for()
                for width in (320, 640):
                    page.set_viewport_size({"width": width, "height": 640})
                    if page.evaluate("document.documentElement.scrollWidth") > width:
                        wide.append((language, view, width))
    finally:
        page.set_viewport_size({"width": 1280, "height": 720})
    assert wide == []


def test_axe_finds_nothing(page: Page, web: Serving, stage: Stage) -> None:
    page.locator("#picture-pause").click()
    stage.quiet = {"dog"}
    stage.components["camera"] = {"reason": "lost", "since_s": 65.0, "detail": "unplugged"}
    stage.alert("fire", "a1", "left")
    stage.alert("two_wheeler", "a2")
    stage.alert("dog", "a3")
    expect(page.locator("#state")).to_have_attribute("data-state", "unwell")
    for folded in ("#more", "#health", "#quiet"):
        page.locator(f"{folded} summary").click()
    page.locator("#ask-text").fill("Is it safe?")
    page.keyboard.press("Enter")
    page.locator("#events .open").first.click()
    page.locator("#events .why").wait_for()
    page.goto(f"{web.address}/#tune")
    page.locator("#threshold-knife").fill("0.2")
    page.locator("#threshold-stairs").fill("20")
    page.locator("#hazards-table summary").click()
    page.locator("#proposal-try").click()
    page.locator("#trial").wait_for()
    found = []
    for view, language, scheme in LOOKS:
        page.locator("#language").select_option(language)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours at once
        page.goto(f"{web.address}/#{view}")
        if view == "journal":
            page.locator("#journal .open").first.wait_for()
        if view == "settings":
            page.locator("#settings-text").fill("speech")
            page.locator('[data-setting="speech.language"]').first.wait_for()
        found += [f"{view}, {language}: {problem}" for problem in problems(page)]
    assert found == []


def problems(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA and best practice, however slight."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    result = page.evaluate("tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", AXE_TAGS)
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def test_the_token_is_asked_for_and_remembered(browser: Browser, stage: Stage) -> None:
    with (
        Serving(stage.path, WebSettings(), token="a token of some length") as web,
        opened(browser, web.address) as page,
    ):
        expect(page.get_by_role("dialog", name="Token needed")).to_be_visible()
        assert problems(page) == []
        page.get_by_role("textbox", name="Token").fill("not this one, surely")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#login-result")).to_have_text("That is not the token.")
        page.get_by_role("textbox", name="Token").fill("a token of some length")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()
        watching(page)
        page.reload()
        watching(page)
        expect(page.get_by_role("dialog")).to_be_hidden()
