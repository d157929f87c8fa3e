"""The last minute with other thresholds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.black_box import BlackBox, Recording
from daemon.core.core import Core
from daemon.core.messages import Assessed, Effect, Record
from daemon.worker.requests import answer
from daemon.worker.tasks import WorkerTasks
from daemon.worker.what_if import Minute, alerts, as_json
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech
from tests.fakes import assessment, core_spec

FPS = 10


def street(vehicle: list[float]) -> tuple[Minute, list[dict[str, Any]]]:
    """A minute in which each vehicle was spoken of at once, and its alerts as they were."""
    recording, raised = recorded(vehicle)
    return Minute.of(recording), raised


def recorded(vehicle: list[float]) -> tuple[Recording, list[dict[str, Any]]]:
    """The same as the black box has it."""
    box, raised = BlackBox(Core(core_spec())), []

    def perform(effects: tuple[Effect, ...], now: float) -> None:
        for effect in effects:
            match effect:
                case Record(event) if event.kind == "alert":
                    raised.append(json.loads(event.to_json()))
                case StartSpeech(utterance):
                    perform(box.step(PlaybackBegan(utterance.id), now), now)
                    perform(box.step(PlaybackEnded(utterance.id), now), now)

    for seq, p in enumerate(vehicle):
        now = seq / FPS
        perform(box.step(Assessed(assessment(seq, now, vehicle=p)), now), now)
    return box.snapshot(), raised


PASSING = [0.1] * 20 + [0.9] * 20 + [0.1] * 60 + [0.7] * 20 + [0.1] * 30


def test_with_its_own_thresholds_it_is_as_it_was() -> None:
    minute, raised = street(PASSING)
    assert raised
    assert [(a["hazard"], a["t"]) for a in as_json(alerts(minute, {}))] == [
        (a["hazard"], a["t"]) for a in raised
    ]
    assert minute.seconds == (len(PASSING) - 1) / FPS


def test_a_higher_threshold_is_quieter_and_a_lower_one_says_more_in_time() -> None:
    minute, _ = street(PASSING)
    before, stricter = alerts(minute, {}), alerts(minute, {"vehicle": 0.95})
    assert before
    assert not stricter
    sooner = alerts(minute, {"vehicle": 0.05})
    assert sooner[0].captured_at_s < before[0].captured_at_s


def test_it_survives_the_way_to_another_process() -> None:
    minute, _ = street(PASSING)
    header, numbers = minute.encode()
    other = Minute.decode(json.loads(json.dumps(header)), numbers)
    assert alerts(other, {"vehicle": 0.6}) == alerts(minute, {"vehicle": 0.6})


def test_an_empty_minute_has_no_alerts() -> None:
    minute, _ = street([])
    header, numbers = minute.encode()
    assert alerts(Minute.decode(header, numbers), {"vehicle": 0.0}) == ()
    assert minute.seconds == 0


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0, 1))
def test_of_hazards_that_are_not_tried_nothing_changes(vehicle: list[float], fire: float) -> None:
    minute, _ = street(vehicle)
    before = [a for a in as_json(alerts(minute, {})) if a["hazard"] == "vehicle"]
    assert [a for a in as_json(alerts(minute, {"fire": fire})) if a["hazard"] == "vehicle"] == before


def test_a_minute_of_the_journal_is_tried_from_its_black_box(tmp_path: Path) -> None:
    recording, raised = recorded(PASSING)
    file = tmp_path / "a1.blackbox"
    recording.save(file)
    request = {"do": "what_if_recorded", "file": str(file), "thresholds": {"vehicle": 0.8}}
    tried, _ = answer(WorkerTasks(), request, b"")
    assert [one["t"] for one in tried["before"]] == [one["t"] for one in raised]
    assert len(tried["after"]) < len(tried["before"])
    unknown, _ = answer(WorkerTasks(), {**request, "thresholds": {"dragon": 0.8}}, b"")
    assert unknown["code"] == "unknown"
    assert "dragon" in unknown["error"]
    missing, _ = answer(WorkerTasks(), {**request, "file": str(tmp_path / "gone.blackbox")}, b"")
    assert "no black box" in missing["error"]
