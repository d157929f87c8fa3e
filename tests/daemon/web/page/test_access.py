"""The page in a real browser, on the real web, before a daemon that plays a script."""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from daemon.config.sections import WebSettings
from daemon.errors import CommandError
from tests.daemon.web.browsing import chromium, opened
from tests.daemon.web.serving import Serving
from tests.daemon.web.stage import HAZARDS, Stage

GENEROUS_S = 5.0
"""What an alert may take on a machine that runs other tests too; the figure printed is the point."""
HOSTILE = '<img src=x onerror="window.caught=1"><script>window.caught=2</script>&lt;b&gt;'
LOOKS: tuple[tuple[str, Literal["light", "dark"]], ...] = (
    ("en", "light"),
    ("en", "dark"),
    ("ko", "light"),
    ("ko", "dark"),
)
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NOTICE_ALERTS = """
window.noticed = {};
const watch = () => new MutationObserver(() => {
  for (const line of document.querySelectorAll('#now [data-hazard]'))
    window.noticed[line.dataset.hazard] ??= Date.now();
}).observe(document.getElementById('now'), { childList: true, subtree: true });
document.readyState === 'loading' ? addEventListener('DOMContentLoaded', watch) : watch();
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Stage, Serving]]:
    # A socket's path is short.
    with (
        TemporaryDirectory(prefix="ww") as folder,
        Stage(Path(folder) / "c.sock") as daemon,
        Serving(daemon.path) as serving,
    ):
        yield daemon, serving


@pytest.fixture
def stage(pair: tuple[Stage, Serving]) -> Stage:
    pair[0].reset()
    return pair[0]


@pytest.fixture
def web(pair: tuple[Stage, Serving]) -> Serving:
    return pair[1]


@pytest.fixture(scope="module")
def tab(browser: Browser, pair: tuple[Stage, Serving]) -> Iterator[Page]:
    with opened(browser, pair[1].address) as page:
        yield page


@pytest.fixture
def page(tab: Page, stage: Stage, web: Serving) -> Page:
    """The page opened anew, with nothing remembered: opening a tab for each test takes longer."""
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.evaluate("() => localStorage.clear()")
    tab.goto("about:blank")
    tab.goto(web.address)
    watching(tab)
    return tab


def watching(page: Page) -> None:
    """Wait until events reach the page, and the hazards are there."""
    expect(page.locator("#state")).to_have_attribute("data-state", re.compile("up|unwell"))
    expect(page.locator("#hazards .hazard")).to_have_count(len(HAZARDS))
    painted(page)


def painted(page: Page) -> None:
    """Wait for the first picture of the page: Chromium drops whatever is typed before it."""
    page.wait_for_function("() => performance.getEntriesByType('paint').length > 0")


def awaited(what: Any, timeout_s: float = 10.0) -> Any:
    """Look now and then until it is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_the_live_picture_moves(page: Page) -> None:
    canvas = page.locator("#picture")
    expect(page.locator("#frame-note")).to_be_hidden()
    first = canvas.evaluate("canvas => canvas.toDataURL()")
    count = int(canvas.get_attribute("data-pictures") or 0)
    page.wait_for_function(f"() => Number(document.getElementById('picture').dataset.pictures) > {count + 3}")
    assert canvas.evaluate("canvas => canvas.toDataURL()") != first


def test_a_paused_picture_stays_and_goes_on_again(page: Page) -> None:
    expect(page.locator("#frame-note")).to_be_hidden()
    button = page.get_by_role("button", name="Pause")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#picture-note")).to_have_text("Paused")
    count = page.locator("#picture").get_attribute("data-pictures")
    button.click()
    page.wait_for_function(f"() => document.getElementById('picture').dataset.pictures > {count}")


def test_an_alert_is_on_the_page_at_once(
    page: Page, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    page.evaluate(NOTICE_ALERTS)
    delays = []
    for number in range(12):
        page.evaluate("window.noticed = {}")
        event = stage.alert("fire", f"a{number}", "left")
        page.wait_for_function("() => window.noticed.fire", timeout=GENEROUS_S * 1000)
        delays.append(page.evaluate("window.noticed.fire") / 1000 - event["timing"]["wall_s"])
        stage.emit("clear", f"c{number}", f"a{number}", hazard="fire")
        expect(page.locator("#now [data-hazard]")).to_have_count(0)
    with capsys.disabled():
        middle, worst = statistics.median(delays) * 1000, max(delays) * 1000
        sys.stdout.write(f"\nalert to page: median {middle:.0f} ms, worst {worst:.0f} ms of {len(delays)}\n")


def test_dangers_are_shown_with_their_direction_the_worst_first(page: Page, stage: Stage) -> None:
    stage.alert("two_wheeler", "a1")
    stage.alert("fire", "a2", "left")
    now = page.locator("#now li")
    expect(now.nth(0)).to_have_text(re.compile(r"Critical\s*Fire, on the left"))
    expect(now.nth(1)).to_have_text(re.compile(r"Warning\s*Bicycle or motorbike$"))
    expect(page.locator("#overlay .left")).to_have_text("◀ Fire")
    stage.emit("direction", "l1", "a1", hazard="two_wheeler", direction="right")
    expect(now.nth(1)).to_contain_text("on the right")
    expect(page.locator("#overlay .right")).to_have_text("▶ Bicycle or motorbike")
    expect(page.locator('.hazard[data-hazard="fire"] .badge.active')).to_have_text("alert, on the left")
    stage.emit("clear", "c1", "a1", hazard="two_wheeler")
    stage.emit("clear", "c2", "a2", hazard="fire")
    expect(page.locator("#now")).to_have_text("No danger at the moment.")


def test_a_danger_that_was_there_before_the_page_is_shown(
    browser: Browser, web: Serving, stage: Stage
) -> None:
    stage.active["fire"] = None
    with opened(browser, web.address) as page:
        expect(page.locator("#now")).to_contain_text("Fire")
        del stage.active["fire"]
        expect(page.locator("#now")).to_have_text("No danger at the moment.")


def test_a_page_opened_during_a_danger_shows_where_it_is_and_how_bad(
    browser: Browser, web: Serving, stage: Stage
) -> None:
    for hazard in ("fire", "dog"):  # what the page would guess is right for neither
        stage.active[hazard] = "left"
    with opened(browser, web.address) as page:
        now = page.locator("#now li")
        expect(now.nth(0)).to_have_text(re.compile(r"Critical\s*Fire, on the left"))
        expect(now.nth(1)).to_have_text(re.compile(r"Notice\s*Dog, on the left"))
        expect(page.locator("#overlay .left")).to_contain_text("◀ Fire")
        expect(page.locator('.hazard[data-hazard="fire"] .badge.active')).to_have_text("alert, on the left")
        stage.active["fire"] = "ahead"  # the event of it was missed
        expect(now.nth(0)).to_have_text(re.compile(r"Critical\s*Fire, ahead"))


SETTLING = """async ({ steps }) => {
  const { Dangers } = await import('./js/dangers.js');
  const dangers = new Dangers();
  return steps.map(([what, first, second]) => {
    const changed = what === 'event' ? dangers.applyEvent(first) : dangers.applyStatus(first, second);
    const words = ({ hazard, severity, direction, alert }) => `${hazard} ${severity} ${direction} ${alert}`;
    return [changed, dangers.list.map(words)];
  });
}"""


def test_a_guessed_severity_is_corrected_once_it_is_known(page: Page) -> None:
    alert = {"kind": "alert", "hazard": "fire", "severity": "critical", "direction": "left", "id": "a1"}
    told = {"hazard": "fire", "severity": "notice", "direction": "right", "alert": "a2"}
    steps = [
        ["status", {"active": ["fire"]}, {}],
        ["status", {"active": ["fire"]}, {"fire": "critical"}],
        ["status", {"active": ["fire"]}, {"fire": "critical"}],
        ["event", alert],
        ["status", {"active": ["fire"]}, {"fire": "warning"}],
        ["status", {"active": ["fire"], "dangers": [told]}, {"fire": "warning"}],
        ["status", {"active": []}, {}],
    ]
    assert page.evaluate(SETTLING, {"steps": steps}) == [
        [True, ["fire warning null null"]],
        [True, ["fire critical null null"]],
        [False, ["fire critical null null"]],
        [True, ["fire critical left a1"]],
        [False, ["fire critical left a1"]],
        [True, ["fire notice right a2"]],
        [True, []],
    ]


def test_what_followed_from_an_alert_stands_under_it(page: Page, stage: Stage) -> None:
    stage.alert("fire", "a1", "left")
    stage.emit("scene", "s1", "a1", trigger="danger", hazard="fire")
    stage.emit("describe", "d1", "s1", text="A burning bin.", trigger="danger", model="tags")
    timing = {"since_capture_s": 0.12, "output_s": 0.02}
    stage.emit("speak", "u1", "a1", text="Stop!", language="en", priority="danger", timing=timing)
    stage.emit("unspoken", "u2", "d1", text="불이 보입니다.", language="ko", priority="text", reason="cut")
    story = page.locator("#events .story")
    expect(story).to_have_count(1)
    expect(story.locator(".title")).to_have_text("Fire, on the left")
    after = story.locator(".after li")
    expect(after.nth(1)).to_have_text("tags sees: A burning bin.")
    expect(after.nth(2)).to_have_text("Said 0.14 s after the picture: “Stop!”")
    expect(after.nth(3)).to_have_text("Not said (cut off by something more urgent): “불이 보입니다.”")
    expect(after.nth(3).locator("[lang=ko]")).to_have_text("불이 보입니다.")


def test_what_happened_before_the_page_was_opened_is_there_once(
    browser: Browser, web: Serving, stage: Stage
) -> None:
    with opened(
        browser, web.address
    ) as page:  # from here on the web interface holds events for those who come back
        watching(page)
        stage.alert("fire", "a1", "left")
        expect(page.locator("#events .story")).to_have_count(1)
    stage.emit("speak", "u1", "a1", text="Stop!", language="en", priority="danger", timing={})
    with opened(browser, web.address) as page:
        watching(page)
        expect(page.locator("#events .after li")).to_have_text("Said: “Stop!”")
        stage.emit("clear", "c1", "a1", hazard="fire")
        expect(page.locator("#events .after li")).to_have_count(2)
        expect(page.locator("#events .story")).to_have_count(1)


def test_why_and_the_picture_of_an_event_come_on_demand(page: Page, stage: Stage) -> None:
    stage.alert("fire", "a1")
    why = page.get_by_role("button", name="Why? Fire")
    why.click()
    expect(why).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#events .why")).to_contain_text("its threshold is 0.50")
    why.click()
    expect(page.locator("#events .why")).to_have_count(0)
    page.get_by_role("button", name="Picture Fire").click()
    expect(page.get_by_role("img", name="What the camera saw: Fire")).to_be_visible()
    assert stage.commands("snapshot") == [{"do": "snapshot", "row": stage.journal[0]["row"]}]


def test_why_is_asked_by_row_where_the_journal_has_it_and_by_id_else(page: Page, stage: Stage) -> None:
    for number, hazard in enumerate(("fire", "dog", "knife"), 1):
        stage.alert(hazard, f"a{number}")
    page.get_by_role("button", name="Why? Fire").click()
    expect(page.locator("#events .why")).to_have_count(1)
    stage.journal.clear()
    page.get_by_role("button", name="Why? Dog").click()
    expect(page.locator("#events .why")).to_have_count(2)
    stage.refusals["journal"] = CommandError("there is no journal", "unavailable")
    page.get_by_role("button", name="Why? Knife").click()
    expect(page.locator("#events .why")).to_have_count(3)
    asked = [command["event"] for command in stage.commands("why")]
    assert re.fullmatch(r"#\d+", asked[0])
    assert asked[1:] == ["a2", "a3"]


def test_a_korean_page_gets_its_reasons_in_korean(page: Page, stage: Stage) -> None:
    page.locator("#language").select_option("ko")
    stage.alert("fire", "a1")
    page.get_by_role("button", name="왜? 불").click()
    reason = page.locator("#events .why")
    expect(reason).to_have_attribute("lang", "ko")
    expect(reason).to_contain_text("기준 0.50")


def test_events_of_an_earlier_run_are_not_shown_as_those_of_this_one(
    browser: Browser, web: Serving, stage: Stage
) -> None:
    with opened(browser, web.address) as page:
        stage.alert("fire", "a1", "left")
        expect(page.locator("#events .story")).to_have_count(1)
    stage.journal = [{**event, "run": "earlier"} for event in stage.journal]
    stage.journal[0]["id"] = "a0"
    with opened(browser, web.address) as page:
        watching(page)
        stage.alert("dog", "a2")
        expect(page.locator("#events .title").first).to_have_text("Dog")
        assert "Fire" not in page.locator("#events").inner_text()


def test_new_events_wait_while_somebody_reads_the_list(page: Page, stage: Stage) -> None:
    stage.emit("health", "h1", component="camera", state="failing", reason="lost", detail="", reminder=False)
    page.get_by_role("button", name="Why?").focus()
    stage.emit("health", "h2", component="camera", state="ok", reason="ok", detail="", reminder=False)
    waiting = page.get_by_role("button", name="Show new events: 1")
    expect(waiting).to_be_visible()
    expect(page.locator("#events .story")).to_have_count(1)
    waiting.click()
    expect(page.locator("#events .story").nth(0)).to_contain_text("Camera: well")


def test_markup_in_what_was_seen_or_said_stays_text(page: Page, stage: Stage) -> None:
    stage.components["camera"] = {"reason": HOSTILE, "since_s": 3.0, "detail": HOSTILE}
    stage.alert(HOSTILE, "a1", HOSTILE)
    stage.emit("describe", "d1", "a1", text=HOSTILE, trigger="danger", model=HOSTILE)
    stage.emit("speak", "u1", "a1", text=HOSTILE, language="en", priority="danger", timing={})
    stage.emit(
        "health", "h1", component=HOSTILE, state="failing", reason=HOSTILE, detail=HOSTILE, reminder=False
    )
    expect(page.locator("#events .story")).to_have_count(2)
    expect(page.locator("#events .after")).to_contain_text([f"{HOSTILE} sees: {HOSTILE}"])
    expect(page.locator("#components")).to_contain_text(HOSTILE)
    expect(page.locator("#now")).to_contain_text(HOSTILE)
    page.goto(page.url.split("#")[0] + "#journal")
    expect(page.locator("#journal .story")).to_have_count(4)
    assert page.locator("img[src=x], b, main script").count() == 0
    assert page.evaluate("window.caught") is None


def test_what_an_unmeasured_model_judges_by_is_shown_and_goes_again(page: Page, stage: Stage) -> None:
    label, said = (page.locator(f'[data-key="figure.model-note"] {part}') for part in ("dt", "dd"))
    expect(page.locator('[data-key="figure.model"] dd')).to_have_text("starter, CPU")
    expect(said).to_have_count(0)
    note = "zero-shot; not measured on labelled pictures; the starter votes on every built-in hazard"
    stage.more_status = {"model": "vit-b-32-256-datacomp", "model_note": note}
    expect(page.locator('[data-key="figure.model"] dd')).to_have_text("vit-b-32-256-datacomp, CPU")
    expect(label).to_have_text("Judgement")
    expect(said).to_have_text(note)
    page.locator("#language").select_option("ko")
    expect(label).to_have_text("판단 근거")
    stage.more_status = {"model": "vit-b-32-256-datacomp", "model_note": ""}  # fitted since
    expect(said).to_have_count(0)


def test_models_that_were_turned_down_stand_with_their_reasons(page: Page, stage: Stage) -> None:
    line = page.locator('[data-key="figure.turned-down"]')
    expect(page.locator('[data-key="figure.fps"]')).to_have_count(1)
    expect(line).to_have_count(0)
    slow = "too slow here: 3.2 frames/s, 8 are needed"
    stage.more_status = {"models_turned_down": {"siglip2-b-16": slow, HOSTILE: HOSTILE}}
    expect(line.locator("dt")).to_have_text("Models turned down")
    expect(line.locator("dd")).to_have_text(f"siglip2-b-16 ({slow}), {HOSTILE} ({HOSTILE})")
    assert page.evaluate("window.caught") is None
    stage.more_status = {"models_turned_down": {}}
    expect(line).to_have_count(0)


def test_a_threshold_is_changed_tried_saved_and_taken_back(page: Page, stage: Stage) -> None:
    alert = {
        "hazard": "fire",
        "severity": "critical",
        "probability": 0.41,
        "escalated": False,
        "again": False,
    }
    stage.before = [{**alert, "t": 120.0}]
    stage.after = [{**alert, "t": 120.0}, {**alert, "t": 130.0}]
    card = page.locator('.hazard[data-hazard="fire"]')
    page.get_by_label("Threshold of Fire", exact=True).fill("0.35")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Fire 0.50 → 0.35")
    expect(card.locator(".note")).to_have_text("changed, not saved; in force: 0.50")

    page.get_by_role("button", name="Try on the last minute").click()
    expect(page.locator("#proposal-result")).to_have_text("Alerts as it was: 1. With the new thresholds: 2.")
    expect(page.locator("#trial tbody tr")).to_have_count(2)
    expect(page.locator("#trial tr.differs td").nth(1)).to_contain_text("no alert")
    assert stage.commands("try") == [{"do": "try", "thresholds": {"fire": 0.35}}]
    assert stage.overrides == {}

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#proposal-result")).to_have_text("Saved and in force: Fire 0.50 → 0.35")
    assert stage.overrides == {"hazards.fire.threshold": 0.35}
    expect(card.locator(".note")).to_have_text("saved here")
    expect(page.locator("#proposal-text")).to_have_text("No threshold is changed.")

    page.get_by_role("button", name="Back to what was: Fire").click()
    expect(page.locator("#proposal-result")).to_have_text("Back to what was: Fire 0.50")
    assert stage.overrides == {}


def test_a_change_can_be_discarded(page: Page, stage: Stage) -> None:
    slider = page.get_by_label("Threshold of Knife, slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Knife 0.50 → 0.51")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#proposal-text")).to_have_text("No threshold is changed.")
    expect(page.get_by_label("Threshold of Knife", exact=True)).to_have_value("0.50")
    assert stage.commands("set") == []


def test_a_slider_stands_at_its_threshold_before_the_settings_are_known(
    page: Page, stage: Stage, web: Serving
) -> None:
    stage.overrides = {"hazards.knife.threshold": 0.3}
    held: list[Route] = []
    page.route("**/config", lambda route: held.append(route))
    page.goto("about:blank")
    page.goto(web.address)
    painted(page)
    slider = page.get_by_label("Threshold of Knife, slider")
    expect(slider).to_be_visible()
    assert slider.input_value() == "0.3"
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Knife 0.30 → 0.31")
    assert held, "the settings had come already"
    for route in held:
        route.continue_()
    page.unroute("**/config")


def test_a_refusal_is_told(page: Page, stage: Stage) -> None:
    stage.refusals["set"] = CommandError("hazards.fire.threshold: not that", "invalid")
    stage.refusals["say"] = CommandError("another is at it", "busy")
    page.get_by_label("Threshold of Fire", exact=True).fill("0.9")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#proposal-result")).to_contain_text("hazards.fire.threshold: not that")
    page.get_by_label("Words to be spoken").fill("Hello")
    page.get_by_role("button", name="Say").click()
    expect(page.locator("#actions-result")).to_have_text(re.compile("It is busy"))
    expect(page.get_by_label("Words to be spoken")).to_have_value("Hello")


def test_everything_is_done_by_keyboard_alone(page: Page, stage: Stage) -> None:
    def until(selector: str, most: int = 60) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(outline) != "none", selector
                return
        raise AssertionError(f"no way to {selector} by tabulator")

    until(".skip")
    page.keyboard.press("Enter")
    until("#ask-text")
    page.keyboard.type("Is the door open?")
    page.keyboard.press("Enter")
    expect(page.locator("#actions-result")).to_have_text("Ask: done.")
    until("#say-text")
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    expect(page.locator("#actions-result")).to_have_text("Say: done.")
    until("[data-do=hush]")
    page.keyboard.press("Space")
    expect(page.locator("#actions-result")).to_have_text("Hush: done.")
    until("#mute-do")
    page.keyboard.press("Enter")
    expect(page.locator("#unmute")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#mute-do")).to_be_focused()
    until("#threshold-fire")
    page.keyboard.press("ArrowDown")
    until("#proposal-save")
    page.keyboard.press("Enter")
    expect(page.locator("#proposal-result")).to_contain_text("Fire 0.50 → 0.49")
    told = [
        (each["do"], each.get("question") or each.get("text") or each.get("seconds")) for each in stage.asked
    ]
    assert [each for each in told if each[0] not in ("config", "journal")] == [
        ("ask", "Is the door open?"),
        ("say", "Hello"),
        ("hush", None),
        ("mute", 900.0),
        ("mute", 0.0),
        ("set", None),
    ]


def test_each_button_asks_for_what_it_says(page: Page, stage: Stage) -> None:
    for button in ("Describe", "Repeat", "Hush", "Louder", "Softer", "False alarm"):
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator("#actions-result")).to_have_text(f"{button}: done.")
        assert stage.commands(button.lower().replace(" ", "_")), button


def test_pressing_mute_again_never_silences_danger(page: Page, stage: Stage) -> None:
    stage.muted_s = 600.0  # by somebody else, and the page may not know it yet
    page.locator("#mute").evaluate("form => form.requestSubmit()")
    expect(page.locator("#actions-result")).to_have_text("It is muted already.")
    expect(page.locator("#mute-hint")).to_contain_text("10 min 0 s")
    assert stage.commands("mute") == []


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
    page.get_by_role("button", name="Why? Knife").click()
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


def test_a_daemon_that_is_gone_and_comes_back_is_told(page: Page, stage: Stage) -> None:
    stage.alert("fire", "a1")
    expect(page.locator("#now")).to_contain_text("Fire")
    stage.stop()
    expect(page.locator("#state")).to_have_text("Watchword is not running")
    expect(page.get_by_role("alert")).to_contain_text("nobody is being warned")
    expect(page.locator("#now")).not_to_contain_text("Fire")
    stage.active.clear()
    stage.start()
    expect(page.locator("#state")).to_have_text("Watching")
    expect(page.locator("#banner")).to_be_hidden()


def test_a_daemon_that_hangs_is_told_and_nothing_stale_is_shown(page: Page, stage: Stage) -> None:
    stage.alert("fire", "a1", "left")
    expect(page.locator("#overlay .left")).to_have_text("◀ Fire")
    stage.refusals["status"] = CommandError("the daemon did not answer within 5 s", "unavailable")
    state = page.get_by_role("status").filter(has_text="The program does not answer")
    expect(state).to_have_attribute("id", "state")  # a live region, and an alert beside it
    expect(page.get_by_role("alert")).to_contain_text("perhaps nobody is being warned")
    expect(page.locator("#now")).to_have_text("It is not known what is dangerous now.")
    expect(page.locator("#overlay")).to_have_text("")
    expect(page.locator("#components li")).to_have_count(1)
    expect(page.locator("#components")).to_contain_text("does not answer")
    expect(page.locator("#figures div")).to_have_count(0)
    expect(page.locator('.hazard[data-hazard="fire"] .badge.active')).to_be_hidden()
    page.locator("#language").select_option("ko")
    expect(page.locator("#state")).to_have_text("프로그램이 응답하지 않음")
    expect(page.locator("#now")).to_have_text("지금 위험한지 알 수 없습니다.")
    page.locator("#language").select_option("en")
    del stage.refusals["status"]
    expect(page.locator("#state")).to_have_text("Watching")
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#now")).to_contain_text("Fire, on the left")
    expect(page.locator('[data-component="camera"]')).to_have_count(1)


def test_a_web_that_is_gone_and_comes_back_is_told_and_nothing_is_missed(
    page: Page, web: Serving, stage: Stage
) -> None:
    web.stop()
    expect(page.locator("#state")).to_have_text("No connection")
    expect(page.get_by_role("alert")).to_contain_text("may be old")
    web.start(web.port)
    expect(page.locator("#state")).to_have_text("Watching", timeout=20_000)
    expect(page.locator("#events .gap")).to_contain_text("Events may be missing")
    awaited(lambda: stage.emit("health", component="disk", state="ok", reason="ok", detail="", reminder=True)
            and page.locator("#events .story").count())  # fmt: skip
    expect(page.locator("#events .story").nth(0)).to_contain_text("Disk: well")


def test_a_failing_component_is_shown_in_words(page: Page, stage: Stage) -> None:
    stage.components["describer"] = {"reason": "failed", "since_s": 65.0, "detail": "out of memory"}
    component = page.locator('[data-component="describer"]')
    expect(component).to_contain_text("failed")
    expect(component).to_contain_text("for 1 min 5 s")
    expect(component).to_contain_text("out of memory")
    expect(page.locator("#state")).to_have_text("Not well")
    expect(page.locator("#figures")).to_contain_text("0.14 s usually, 0.18 s at 95 %")


def test_a_picture_that_cannot_be_relied_on_says_so(page: Page, stage: Stage) -> None:
    note = page.locator("#frame-note")
    expect(note).to_be_hidden()
    stage.components["picture"] = {"reason": "frozen", "since_s": 12.0, "detail": ""}
    expect(note).to_have_text("Picture: frozen")
    expect(page.locator("#picture")).to_have_class("stale")
    stage.components["picture"] = {"reason": "ok", "since_s": 0.0, "detail": ""}
    expect(note).to_be_hidden()


def test_nothing_but_the_webs_own_scripts_may_run(page: Page, web: Serving) -> None:
    with urlopen(web.address) as answer:
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] in ("'none'", "'self'")
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert page.locator("[style], style, script:not([src])").count() == 0


def test_screen_readers_hear_dangers_at_once_and_the_rest_in_turn(page: Page, stage: Stage) -> None:
    stage.emit("scene", "s1", trigger="scene_change", hazard=None)
    stage.emit("describe", "d1", "s1", text="A quiet street.", trigger="scene_change", model="tags")
    expect(page.locator("#polite")).to_have_text("A quiet street.")
    stage.alert("fire", "a1", "left")
    expect(page.locator("#assertive")).to_have_text("Critical: Fire, on the left")
    page.get_by_label("Read out").select_option("danger")
    stage.emit("describe", "d2", "s1", text="Two dogs.", trigger="scene_change", model="tags")
    stage.alert("dog", "a2")
    expect(page.locator("#polite")).to_have_text("Notice: Dog")
    page.get_by_label("Read out").select_option("none")
    stage.alert("knife", "a3")
    expect(page.locator("#now")).to_contain_text("Knife")
    expect(page.locator("#assertive")).to_have_text("Critical: Fire, on the left")


def test_the_language_is_the_browsers_until_one_is_chosen(
    browser: Browser, web: Serving, stage: Stage
) -> None:
    with opened(browser, web.address, locale="ko-KR") as page:
        watching(page)
        stage.alert("fire", "a1", "left")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator("#now")).to_contain_text("불, 왼쪽")
        expect(page).to_have_title("실시간 · Watchword")
        page.locator("#language").select_option("en")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.locator("#now")).to_contain_text("Fire, on the left")
        expect(page.locator("#events .title")).to_have_text("Fire, on the left")
        expect(page.locator('.hazard[data-hazard="fire"] h3')).to_have_text("Fire")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_less_motion_is_respected(browser: Browser, web: Serving) -> None:
    with opened(browser, web.address, reduced_motion="reduce") as page:
        expect(page.locator("#picture-note")).to_have_text("one picture every 2 s")
        assert not page.evaluate(
            "performance.getEntriesByType('resource').some(e => e.name.endsWith('/live'))"
        )


def test_nothing_lies_beside_a_small_screen(browser: Browser, web: Serving, stage: Stage) -> None:
    """320 pixels, and a screen of 1280 at 200 %."""
    with opened(browser, web.address, viewport={"width": 320, "height": 640}) as page:
        watching(page)
        stage.alert("two_wheeler", "a1", "right")
        expect(page.locator("#events .story")).to_have_count(1)
        wide = []
        for language in ("en", "ko"):
            page.locator("#language").select_option(language)
            for view in ("live", "journal", "settings"):
                page.goto(f"{web.address}/#{view}")
                page.locator(f"#view-{view}").wait_for()
                for width in (320, 640):
                    page.set_viewport_size({"width": width, "height": 640})
                    if page.evaluate("document.documentElement.scrollWidth") > width:
                        wide.append((language, view, width))
        assert wide == []


@pytest.mark.slow
def test_axe_finds_nothing(page: Page, web: Serving, stage: Stage) -> None:
    page.locator("#picture-pause").click()
    stage.components["camera"] = {"reason": "lost", "since_s": 65.0, "detail": "unplugged"}
    stage.alert("fire", "a1", "left")
    stage.alert("two_wheeler", "a2")
    stage.alert("dog", "a3")
    expect(page.locator("#state")).to_have_attribute("data-state", "unwell")
    page.get_by_role("button", name="Why? Fire").click()
    page.locator("#threshold-knife").fill("0.2")
    page.locator("#hazards-table summary").click()
    page.locator("#proposal-try").click()
    page.locator("#trial").wait_for()
    found = []
    for language, scheme in LOOKS:
        page.goto(f"{web.address}/#live")
        page.locator("#language").select_option(language)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours at once
        found += problems(page)
        if (language, scheme) in LOOKS[::3]:
            page.goto(f"{web.address}/#journal")
            expect(page.locator("#journal .story")).to_have_count(3)
            found += problems(page)
            page.goto(f"{web.address}/#settings")
            page.locator("#settings-text").fill("e")
            page.locator('[data-setting="speech.language"]').wait_for()
            found += problems(page)
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


def test_streams_are_understood_however_they_are_cut(page: Page) -> None:
    """The parsers of the page: events and pictures, with a cut at each byte."""
    cuts = page.evaluate(
        """async () => {
            const { SseParser } = await import('/js/sse.js');
            const { MultipartParser } = await import('/js/multipart.js');
            const events = ': hello\\n\\nid: r-1\\ndata: {"a":1}\\n\\n' +
                'event: daemon\\r\\ndata: x\\r\\ndata: y\\r\\n\\r\\n';
            const head = (n) => `--w\\r\\nContent-Type: image/jpeg\\r\\nContent-Length: ${n}\\r\\n\\r\\n`;
            const parts = new TextEncoder().encode(head(4) + 'abcd\\r\\n' + head(2) + '\\r\\n\\r\\n');
            const sse = new Set(), multi = new Set();
            for (let cut = 0; cut <= events.length; cut++) {
                const parser = new SseParser();
                const got = [...parser.feed(events.slice(0, cut)), ...parser.feed(events.slice(cut))];
                sse.add(JSON.stringify(got));
            }
            for (let cut = 0; cut <= parts.length; cut++) {
                const parser = new MultipartParser();
                const got = [...parser.feed(parts.slice(0, cut)), ...parser.feed(parts.slice(cut))];
                multi.add(JSON.stringify(got.map((part) => [...part.body])));
            }
            return [[...sse], [...multi]];
        }"""
    )
    sse = '[{"id":"r-1","type":"message","data":"{\\"a\\":1}"},{"id":"r-1","type":"daemon","data":"x\\ny"}]'
    assert cuts == [[sse], ["[[97,98,99,100],[13,10]]"]]
