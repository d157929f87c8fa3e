"""The view Live: the picture, what is present, what was said, and asking."""

from __future__ import annotations

import re
import statistics
import sys

import pytest
from playwright.sync_api import Page, expect

from daemon.errors import CommandError
from tests.daemon.web.page.watching import painted, watching
from tests.daemon.web.serving import Serving
from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow

PATIENCE_MS = 20_000
"""What an alert may take on a machine that runs other tests too; the figure printed is the point."""
HOSTILE = '<img src=x onerror="window.caught=1"><script>window.caught=2</script>&lt;b&gt;'
NOTICE_ALERTS = """
window.noticed = {};
const watch = () => new MutationObserver(() => {
  for (const line of document.querySelectorAll('#now [data-hazard]'))
    window.noticed[line.dataset.hazard] ??= Date.now();
}).observe(document.getElementById('now'), { childList: true, subtree: true });
document.readyState === 'loading' ? addEventListener('DOMContentLoaded', watch) : watch();
"""


def again(page: Page, web: Serving) -> None:
    """Open the page anew in the same tab."""
    page.goto("about:blank")
    page.goto(web.address)
    watching(page)
    painted(page)


def test_the_picture_moves_and_dangers_stand_on_it_the_worst_first(page: Page, stage: Stage) -> None:
    canvas = page.locator("#picture")
    expect(page.locator("#frame-note")).to_be_hidden()
    first = canvas.evaluate("canvas => canvas.toDataURL()")
    page.wait_for_function("first => document.getElementById('picture').toDataURL() !== first", arg=first)
    button = page.get_by_role("button", name="Pause")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#picture-note")).to_have_text("Paused")
    count = canvas.get_attribute("data-pictures")
    button.click()
    page.wait_for_function(f"() => document.getElementById('picture').dataset.pictures > {count}")

    stage.alert("two_wheeler", "a1")
    stage.alert("fire", "a2", "left")
    now = page.locator("#now li")
    expect(now.nth(0)).to_have_text(re.compile(r"Critical\s*Fire, on the left"))
    expect(now.nth(1)).to_have_text(re.compile(r"Warning\s*Bicycle or motorbike$"))
    expect(page.locator("#overlay .left")).to_have_text("◀ Fire")
    stage.emit("direction", "l1", "a1", hazard="two_wheeler", direction="right")
    expect(now.nth(1)).to_contain_text("on the right")
    expect(page.locator("#overlay .right")).to_have_text("▶ Bicycle or motorbike")
    stage.emit("clear", "c1", "a1", hazard="two_wheeler")
    stage.emit("clear", "c2", "a2", hazard="fire")
    expect(page.locator("#now")).to_have_text("No danger at the moment.")


def test_an_alert_is_on_the_page_at_once(
    page: Page, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    page.evaluate(NOTICE_ALERTS)
    delays = []
    for number in range(6):
        page.evaluate("window.noticed = {}")
        event = stage.alert("fire", f"a{number}", "left")
        page.wait_for_function("() => window.noticed.fire", timeout=PATIENCE_MS)
        delays.append(page.evaluate("window.noticed.fire") / 1000 - event["timing"]["wall_s"])
        stage.emit("clear", f"c{number}", f"a{number}", hazard="fire")
        expect(page.locator("#now [data-hazard]")).to_have_count(0)
    with capsys.disabled():
        middle, worst = statistics.median(delays) * 1000, max(delays) * 1000
        sys.stdout.write(f"\nalert to page: median {middle:.0f} ms, worst {worst:.0f} ms of {len(delays)}\n")


def test_a_page_opened_during_a_danger_shows_it_and_what_else_is_close(
    page: Page, web: Serving, stage: Stage
) -> None:
    for hazard in ("fire", "dog"):  # what the page would guess is right for neither
        stage.active[hazard] = "left"
    stage.quiet = {"fire", "knife", "dog"}
    again(page, web)
    now = page.locator("#now li")
    expect(now.nth(0)).to_have_text(re.compile(r"Critical\s*Fire, on the left"))
    expect(now.nth(1)).to_have_text(re.compile(r"Notice\s*Dog, on the left"))
    expect(page.locator("#overlay .left")).to_contain_text("◀ Fire")
    expect(page.locator("#near")).to_contain_text("Vehicle")
    expect(page.locator("#quiet-list")).to_be_hidden()
    page.get_by_text("3 quiet hazards").click()
    expect(page.locator("#quiet-list li")).to_have_count(3)
    stage.active["fire"] = "ahead"  # the event of it was missed
    expect(now.nth(0)).to_have_text(re.compile(r"Critical\s*Fire, ahead"))
    stage.active.clear()
    expect(page.locator("#now")).to_have_text("No danger at the moment.")


def test_words_stand_first_and_the_rest_is_one_press_away(page: Page, stage: Stage) -> None:
    stage.alert("fire", "a1", "left")
    stage.emit("scene", "s1", "a1", trigger="danger", hazard="fire")
    stage.emit("describe", "d1", "s1", text="A burning bin.", trigger="danger", model="tags")
    timing = {"since_capture_s": 0.12, "output_s": 0.02}
    stage.emit("speak", "u1", "a1", text="Stop!", language="en", priority="danger", timing=timing)
    stage.emit("unspoken", "u2", "d1", text="불이 보입니다.", language="ko", priority="text", reason="cut")
    stage.emit("scene", "s2", trigger="scene_change", hazard=None)
    story = page.locator("#events .story.alert")
    expect(story.locator(".words")).to_have_text("Stop!")
    expect(story.locator(".title")).to_have_text("Fire, on the left")
    expect(story.locator(".latency")).to_have_text("after 0.14 s")
    silent = page.locator("#events .story.scene")
    expect(silent).to_be_hidden()
    page.get_by_role("button", name="All events").click()
    expect(silent).to_be_visible()
    page.get_by_role("button", name="All events").click()

    story.locator(".open").click()
    expect(story.locator(".open")).to_have_attribute("aria-expanded", "true")
    after = story.locator(".after li")
    expect(after.nth(1)).to_have_text("tags sees: A burning bin.")
    expect(after.nth(2)).to_have_text("Said 0.14 s after the picture: “Stop!”")
    expect(after.nth(3)).to_have_text("Not said (cut off by something more urgent): “불이 보입니다.”")
    expect(after.nth(3).locator("[lang=ko]")).to_have_text("불이 보입니다.")
    expect(story.locator(".why")).to_contain_text("its threshold is 0.50")
    expect(story.get_by_role("img", name="What the camera saw: Fire, on the left")).to_be_visible()
    row = stage.journal[0]["row"]
    assert stage.commands("snapshot") == [{"do": "snapshot", "row": row, "side": None}]
    assert stage.commands("why") == [{"do": "why", "event": f"#{row}", "language": "en"}]
    story.locator(".open").click()
    expect(story.locator(".why")).to_have_count(0)

    page.locator("#language").select_option("ko")
    stage.refusals["journal"] = CommandError("there is no journal", "unavailable")
    story.locator(".open").click()
    expect(story.locator(".why")).to_have_attribute("lang", "ko")
    expect(story.locator(".why")).to_contain_text("기준 0.50")
    assert stage.commands("why")[1]["event"] == "a1"  # by its id where the journal does not have it


def test_what_happened_before_is_there_once_and_nothing_of_an_earlier_run(
    page: Page, web: Serving, stage: Stage
) -> None:
    stage.alert("fire", "a1", "left")
    expect(page.locator("#events .story")).to_have_count(1)
    stage.emit("speak", "u1", "a1", text="Stop!", language="en", priority="danger", timing={})
    again(page, web)
    expect(page.locator("#events .words")).to_have_text("Stop!")
    stage.emit("speak", "u2", "a1", text="Stop again!", language="en", priority="danger", timing={})
    expect(page.locator("#events .words")).to_have_text("Stop!Stop again!")
    expect(page.locator("#events .story")).to_have_count(1)
    stage.journal = [{**event, "run": "earlier"} for event in stage.journal]
    stage.journal[0]["id"] = "a0"
    again(page, web)
    stage.alert("dog", "a2")
    expect(page.locator("#events .title").first).to_have_text("Dog")
    assert "Fire" not in page.locator("#events").inner_text()


def test_new_events_wait_while_somebody_reads_the_list(page: Page, stage: Stage) -> None:
    stage.emit("health", "h1", component="camera", state="failing", reason="lost", detail="", reminder=False)
    page.locator("#events .open").focus()
    stage.emit("health", "h2", component="camera", state="ok", reason="ok", detail="", reminder=False)
    waiting = page.get_by_role("button", name="Show new events: 1")
    expect(waiting).to_be_visible()
    expect(page.locator("#events .story")).to_have_count(1)
    waiting.click()
    expect(page.locator("#events .story").nth(0)).to_contain_text("Camera: well")
    expect(page.locator("#events .open").nth(0)).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#events .open").nth(1)).to_be_focused()


def test_a_question_and_its_answer_stand_in_one_place(page: Page, stage: Stage) -> None:
    page.get_by_label("A question").fill("Is the door open?")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer")).to_have_text(re.compile(r"“Is the door open\?”\s*Looking…"))
    stage.emit("scene", "s1", trigger="request", hazard=None)
    stage.emit("describe", "d1", "s1", text="It is closed.", trigger="request", model="tags")
    stage.emit("speak", "u1", "d1", text="It is closed.", language="en", priority="text", timing={})
    expect(page.locator("#answer-text")).to_have_text("It is closed.")
    expect(page.locator("#polite")).to_have_text("")  # the answer is a live region already
    page.get_by_role("button", name="Describe").click()
    stage.emit("scene", "s2", trigger="request", hazard=None)
    stage.emit("speak", "u2", "s2", text="It is too dark.", language="en", priority="text", timing={})
    expect(page.locator("#answer")).to_have_text(re.compile(r"What is in view\s*It is too dark\."))
    stage.refusals["read"] = CommandError("no model reads", "unavailable")
    page.get_by_role("button", name="Read text").click()
    expect(page.locator("#actions-result")).to_have_text("That did not work: no model reads")
    expect(page.locator("#answer")).to_be_hidden()


def test_each_button_asks_for_what_it_says_and_a_refusal_is_told(page: Page, stage: Stage) -> None:
    page.locator("#more summary").click()
    for button in ("Describe", "Repeat", "Hush", "Louder", "Softer", "False alarm"):
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator("#actions-result")).to_have_text(f"{button}: done.")
        assert stage.commands(button.lower().replace(" ", "_")), button
    stage.refusals["say"] = CommandError("another is at it", "busy")
    page.get_by_role("button", name="Say").click()
    expect(page.locator("#actions-result")).to_have_text("Write the words first.")
    page.get_by_label("words to be spoken").fill("Hello")
    page.get_by_role("button", name="Say").click()
    expect(page.locator("#actions-result")).to_have_text(re.compile("It is busy"))
    expect(page.get_by_label("words to be spoken")).to_have_value("Hello")

    stage.muted_s = 600.0  # by somebody else, and the page may not know it yet
    page.locator("#mute").evaluate("form => form.requestSubmit()")
    expect(page.locator("#actions-result")).to_have_text("It is muted already.")
    expect(page.locator("#mute-hint")).to_contain_text("10 min 0 s")
    assert stage.commands("mute") == []  # pressing it again never silences danger


def test_markup_in_what_was_seen_or_said_stays_text(page: Page, stage: Stage) -> None:
    stage.components["camera"] = {"reason": HOSTILE, "since_s": 3.0, "detail": HOSTILE}
    stage.alert(HOSTILE, "a1", HOSTILE)
    stage.emit("describe", "d1", "a1", text=HOSTILE, trigger="danger", model=HOSTILE)
    stage.emit("speak", "u1", "a1", text=HOSTILE, language="en", priority="danger", timing={})
    stage.emit(
        "health", "h1", component=HOSTILE, state="failing", reason=HOSTILE, detail=HOSTILE, reminder=False
    )
    expect(page.locator("#events .story")).to_have_count(2)
    page.locator("#events .story.alert .open").click()
    expect(page.locator("#events .after")).to_contain_text([f"{HOSTILE} sees: {HOSTILE}"])
    expect(page.locator("#components")).to_contain_text(HOSTILE)
    expect(page.locator("#now")).to_contain_text(HOSTILE)
    page.goto(page.url.split("#")[0] + "#journal")
    expect(page.locator("#journal .story")).to_have_count(2)
    assert page.locator("img[src=x], b, main script").count() == 0
    assert page.evaluate("window.caught") is None
