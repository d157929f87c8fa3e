"""False alarms as they are kept: lines of JSON and black boxes, both bounded."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.core.black_box import BlackBox, Recording
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.messages import Assessed, FalseAlarm, Record
from daemon.journal.false_alarms import FILE, MAX_LINES, MAX_RECORDINGS, FalseAlarms
from tests.fakes import assessment, core_spec

PATIENCE_S = 10.0


@dataclass
class Marked:
    """A core that alerted, and the event of its being marked as wrong."""

    box: BlackBox = field(default_factory=lambda: BlackBox(Core(core_spec())))

    def event(self) -> Event:
        for seq in range(50):
            self.box.step(Assessed(assessment(seq, seq / 25, vehicle=0.9)), seq / 25)
        effects = self.box.step(FalseAlarm(), 4.0)
        (event,) = [e.event for e in effects if isinstance(e, Record) and e.event.kind == "false_alarm"]
        return event


class Clock:
    """Every look is a second later."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


CLOCK = Clock()


def kept(state: Path, box: BlackBox, *events: Event) -> int:
    """Write them; how many failed."""
    failed: list[None] = []
    clerk = FalseAlarms(state, {"model": "m"}, box.snapshot, lambda: failed.append(None), CLOCK)
    thread = threading.Thread(target=clerk.run)
    thread.start()
    for event in events:
        clerk.record(event)
    clerk.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    return len(failed)


def lines(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / FILE).read_text().splitlines()]


def test_a_line_says_all_that_calibration_needs_and_the_black_box_repeats_it(tmp_path: Path) -> None:
    marked = Marked()
    event = marked.event()
    assert kept(tmp_path / "state", marked.box, event) == 0
    (line,) = lines(tmp_path / "state")
    assert (line["alert"], line["hazard"], line["model"]) == ("a1", "vehicle", "m")
    assert line["probabilities"]["vehicle"] == pytest.approx(0.9)
    assert line["noted_after_s"] == pytest.approx(4.0 - event.fields["raised_at_s"])
    recording = Recording.load(tmp_path / "state" / line["black_box"])
    assert recording.repeat() == recording.events


def test_an_alert_of_long_ago_is_noted_without_a_black_box(tmp_path: Path) -> None:
    assert kept(tmp_path, BlackBox(Core(core_spec())), Marked().event()) == 0
    assert lines(tmp_path)[0]["black_box"] is None


def test_where_no_black_boxes_are_wanted_there_are_none(tmp_path: Path) -> None:
    event = Marked().event()
    clerk = FalseAlarms(tmp_path, {"model": "m"}, None, lambda: None, CLOCK)
    clerk.record(event)
    clerk.close()
    clerk.run()
    assert lines(tmp_path)[0]["black_box"] is None
    assert not (tmp_path / "false_alarms").exists()


def test_lines_and_boxes_are_bounded(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("".join(f'{{"old":{n}}}\n' for n in range(MAX_LINES)))
    marked = Marked()
    event = marked.event()
    for _ in range(MAX_RECORDINGS + 2):
        kept(tmp_path, marked.box, event)
    found = lines(tmp_path)
    assert len(found) == MAX_LINES
    assert found[0] == {"old": MAX_RECORDINGS + 2}
    assert len(list((tmp_path / "false_alarms").iterdir())) <= MAX_RECORDINGS


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    marked = Marked()
    assert kept(tmp_path / "state", marked.box, marked.event()) == 1
