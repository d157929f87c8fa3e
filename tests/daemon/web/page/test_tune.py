"""The view Tune: thresholds are changed, tried, saved and taken back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from daemon.errors import CommandError
from tests.daemon.web.page.watching import go, painted
from tests.daemon.web.serving import Serving
from tests.daemon.web.stage import Stage

pytestmark = pytest.mark.slow

ALERT = {"hazard": "fire", "severity": "critical", "probability": 0.41, "escalated": False, "again": False}
COUNTS = "Alerts as it was: 1 (62 an hour). With the new thresholds: 2 (123 an hour)."


def test_a_threshold_is_changed_tried_saved_and_taken_back(page: Page, stage: Stage) -> None:
    stage.before = [{**ALERT, "t": 120.0}]
    stage.after = [{**ALERT, "t": 120.0}, {**ALERT, "t": 130.0}]
    stage.alert("knife", "a1")
    row = stage.journal[-1]["row"]
    go(page, "Tune")
    card = page.locator('.hazard[data-hazard="fire"]')
    result = page.locator("#proposal-result")
    page.get_by_label("Threshold of Fire", exact=True).fill("0.35")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Fire 0.50 → 0.35")
    expect(card.locator(".note")).to_have_text("changed, not saved; in force: 0.50")

    stage.held.clear()
    page.get_by_role("button", name="Try on the last minute").click()
    expect(page.get_by_role("progressbar", name="Trying…")).to_be_visible()
    stage.held.set()
    expect(result).to_have_text(COUNTS)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.locator("#trial tbody tr")).to_have_count(2)
    expect(page.locator("#trial tr.differs td").nth(1)).to_contain_text("no alert")
    page.get_by_label("Try on").select_option(str(row))
    page.get_by_role("button", name="Try on this alert").click()
    expect(page.locator("#trial h3")).to_have_text("What the 58 s around this alert would have been")
    tried = {"do": "try", "thresholds": {"fire": 0.35}}
    # The estimates beside the thresholds ask about all that are shown.
    by_hand = [command for command in stage.commands("try") if len(command["thresholds"]) == 1]
    assert by_hand == [{**tried, "row": None}, {**tried, "row": row}]
    assert stage.overrides == {}

    page.get_by_role("button", name="Save", exact=True).click()
    expect(result).to_have_text("Saved and in force: Fire 0.50 → 0.35")
    assert stage.overrides == {"hazards.fire.threshold": 0.35}
    expect(card.locator(".note")).to_have_text("saved here")
    expect(page.locator("#proposal-text")).to_have_text("No threshold is changed.")
    page.get_by_role("button", name="Back to what was: Fire").click()
    expect(result).to_have_text("Back to what was: Fire 0.50")
    assert stage.overrides == {}

    stage.refusals["set"] = CommandError("hazards.fire.threshold: not that", "invalid")
    page.get_by_label("Threshold of Fire", exact=True).fill("0.9")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(result).to_contain_text("hazards.fire.threshold: not that")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#proposal-text")).to_have_text("No threshold is changed.")
    expect(page.get_by_label("Threshold of Fire", exact=True)).to_have_value("0.50")


def test_the_active_hazards_come_first_and_a_percent_is_refused(page: Page, stage: Stage) -> None:
    stage.quiet = {"knife", "dog"}
    page.reload()  # the page holds two minutes of what was before
    stage.alert("vehicle", "a1", "left")
    go(page, "Tune")
    expect(page.locator("#hazards h3").first).to_have_text("Vehicle")
    expect(page.locator("#hazards .badge.active").first).to_have_text("alert, on the left")
    expect(page.locator("#hazards .hazard")).to_have_count(4)
    expect(page.locator("#hazards-quiet-list")).to_be_hidden()
    page.get_by_text("2 quiet hazards").click()
    expect(page.get_by_label("Threshold of Dog", exact=True)).to_be_visible()
    card = page.locator('.hazard[data-hazard="vehicle"]')
    expect(card.locator(".estimate")).to_contain_text("alerts an hour")
    expect(card.locator(".estimate strong")).to_have_text("0 alerts an hour")
    stage.after = [{**ALERT, "hazard": "vehicle", "t": 120.0}, {**ALERT, "t": 121.0}]
    page.get_by_label("Threshold of Vehicle", exact=True).fill("1")
    expect(card.locator(".estimate strong")).to_have_text("62 alerts an hour")
    expect(card.locator(".estimate span")).to_have_text(re.compile(r"1 in the last \d\.\d min"))
    assert stage.commands("try")[-1]["thresholds"]["vehicle"] == 1
    assert len(stage.commands("try")[-1]["thresholds"]) == 6

    field = page.get_by_label("Threshold of Stairs", exact=True)
    field.fill("60")
    note = page.locator('.hazard[data-hazard="stairs"] .note')
    expect(note).to_have_text("A share from 0 to 1 is wanted: 0.6, not 60.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Vehicle 0.50 → 1.00")
    field.fill("-3")
    expect(note).to_have_text("A number from 0 to 1 is wanted.")
    field.fill("0.6")
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Vehicle 0.50 → 1.00, Stairs 0.50 → 0.60")


def test_a_field_has_its_threshold_before_the_settings_are_known(
    page: Page, stage: Stage, web: Serving
) -> None:
    stage.overrides = {"hazards.knife.threshold": 0.3}
    held: list[Route] = []
    page.route("**/config", lambda route: held.append(route))
    page.goto("about:blank")
    page.goto(f"{web.address}/#tune")
    painted(page)
    field = page.get_by_label("Threshold of Knife", exact=True)
    expect(field).to_have_value("0.30")
    field.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#proposal-text")).to_have_text("Changed: Knife 0.30 → 0.31")
    assert held, "the settings had come already"
    for route in held:
        route.continue_()
    page.unroute("**/config")
