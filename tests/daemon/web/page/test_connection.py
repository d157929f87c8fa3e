"""What the page says of the daemon's health, and while daemon or web are away."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from daemon.errors import CommandError
from tests.daemon.web.serving import Serving
from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow

HOSTILE = "<b>worse</b>"


def awaited(what: Any, timeout_s: float = 10.0) -> Any:
    """Look now and then until it is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_health_is_one_line_and_the_rest_is_folded(page: Page, stage: Stage) -> None:
    line = page.locator("#health-line")
    expect(line).to_have_text("All well · 14.9 pictures/s · 0.14 s from picture to ear")
    expect(page.locator("#components")).to_be_hidden()
    expect(page.locator("#frame-note")).to_be_hidden()
    page.locator("#health summary").click()
    expect(page.locator("#figures")).to_contain_text("0.14 s usually, 0.18 s at 95 %")
    expect(page.locator('[data-key="figure.model"] dd')).to_have_text("starter, CPU")
    label, said = (page.locator(f'[data-key="figure.model-note"] {part}') for part in ("dt", "dd"))
    turned_down = page.locator('[data-key="figure.turned-down"]')
    expect(said).to_have_count(0)

    note = "zero-shot; not measured on labelled pictures; the starter votes on every built-in hazard"
    refused = {"siglip2-b-16": "too slow here: 3.2 frames/s, 8 are needed", HOSTILE: HOSTILE}
    stage.more_status = {"model": "vit-b-32-256", "model_note": note, "models_turned_down": refused}
    stage.components["describer"] = {"reason": "failed", "since_s": 65.0, "detail": "out of memory"}
    stage.components["picture"] = {"reason": "frozen", "since_s": 12.0, "detail": ""}
    expect(line).to_contain_text("Describer: failed")
    expect(line).to_contain_text("Picture: frozen")
    expect(page.locator("#state")).to_have_text("Not well")
    component = page.locator('[data-component="describer"]')
    expect(component).to_contain_text("for 1 min 5 s")
    expect(component).to_contain_text("out of memory")
    expect(page.locator("#frame-note")).to_have_text("Picture: frozen")
    expect(page.locator("#picture")).to_have_class("stale")
    expect(label).to_have_text("Judgement")
    expect(said).to_have_text(note)
    expect(turned_down.locator("dd")).to_have_text(
        f"siglip2-b-16 ({refused['siglip2-b-16']}), {HOSTILE} ({HOSTILE})"
    )
    page.locator("#language").select_option("ko")
    expect(label).to_have_text("판단 근거")

    stage.more_status = {"model": "vit-b-32-256", "model_note": "", "models_turned_down": {}}
    stage.components["picture"] = {"reason": "ok", "since_s": 0.0, "detail": ""}
    expect(said).to_have_count(0)
    expect(turned_down).to_have_count(0)
    expect(page.locator("#frame-note")).to_be_hidden()


def test_while_the_daemon_is_away_it_is_said_and_no_button_pretends(page: Page, stage: Stage) -> None:
    stage.alert("fire", "a1")
    expect(page.locator("#now")).to_contain_text("Fire")
    stage.stop()
    expect(page.locator("#state")).to_have_text("Watchword is not running")
    expect(page.get_by_role("alert")).to_contain_text("nobody is being warned")
    expect(page.locator("#now")).not_to_contain_text("Fire")
    expect(page.locator("#health-line")).to_have_text("The program does not answer")
    expect(page.locator("#near")).to_be_hidden()
    hush = page.get_by_role("button", name="Hush")
    expect(hush).to_have_attribute("aria-disabled", "true")
    expect(hush).to_have_attribute("title", "Watchword is not running")
    expect(hush).to_have_accessible_description(page.locator("#banner").inner_text())
    hush.click(force=True)
    page.get_by_label("A question").fill("Is the door open?")
    page.keyboard.press("Enter")
    expect(page.locator("#actions-result")).to_have_text("")
    expect(page.locator("#answer")).to_be_hidden()
    expect(page.locator("#picture-pause")).not_to_have_attribute("aria-disabled", "true")
    stage.active.clear()
    stage.start()
    expect(page.locator("#state")).to_have_text("Watching")
    expect(page.locator("#banner")).to_be_hidden()
    expect(hush).to_have_attribute("aria-disabled", "false")
    assert stage.commands("hush") == stage.commands("ask") == []


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
    expect(page.locator("#health-line")).to_have_text("The program does not answer")
    expect(page.get_by_role("button", name="Ask")).to_have_attribute("aria-disabled", "true")
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
    page.get_by_role("button", name="All events").click()
    awaited(lambda: stage.emit("health", component="disk", state="ok", reason="ok", detail="", reminder=True)
            and page.locator("#events .story").count())  # fmt: skip
    expect(page.locator("#events .story").nth(0)).to_contain_text("Disk: well")
