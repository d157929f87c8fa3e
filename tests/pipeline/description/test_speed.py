"""A describer is timed by its first answers, and `auto` turns down one that is too slow here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.speed import (
    ANSWERS,
    Circumstances,
    DescriberSpeed,
    SpeedRecorder,
    current_speed,
    read_speed,
    speed_path,
)

HERE = Circumstances("yesterday", "a processor, 2 cores, auto", 7.0)


def reason(folder: Path, circumstances: Circumstances = HERE) -> str:
    speed = current_speed(folder, "vlm", circumstances)
    return speed.turned_down(circumstances.deadline_s) if speed else ""


def test_a_model_whose_answers_are_all_late_is_turned_down_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = SpeedRecorder(tmp_path, "vlm", HERE)
    for _ in range(ANSWERS):
        assert reason(tmp_path) == ""
        record(None, 7.0)
    assert reason(tmp_path) == (
        f"too slow here: no sentence within 7 s in {ANSWERS} answers, describe.deadline_s is 7"
    )
    record(None, 7.0)
    assert len(caplog.records) == 1
    assert "watchword models pull vlm" in caplog.text


def test_another_pull_another_machine_or_more_time_have_it_timed_again(tmp_path: Path) -> None:
    record = SpeedRecorder(tmp_path, "vlm", HERE)
    for _ in range(ANSWERS):
        record(None, 7.0)
    changes = {"installed": "today"}, {"machine": "another"}, {"deadline_s": 20.0}
    for change in changes:
        assert reason(tmp_path, replace(HERE, **change)) == ""
    again = SpeedRecorder(tmp_path, "vlm", replace(HERE, deadline_s=20.0))
    for seconds in (15.0, 12.5, 30.0):
        again(seconds, 20.0)
    assert reason(tmp_path, replace(HERE, deadline_s=20.0)) == ""
    assert "12.5 s to the first sentence" in reason(tmp_path)


def test_a_late_answer_that_had_less_time_does_not_count(tmp_path: Path) -> None:
    record = SpeedRecorder(tmp_path, "vlm", HERE)
    for _ in range(ANSWERS):
        record(None, 2.0)
    assert read_speed(tmp_path, "vlm") is None


def test_a_file_that_cannot_be_read_or_written_costs_another_timing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = speed_path(tmp_path, "vlm")
    path.parent.mkdir(parents=True)
    path.write_text("{", "utf-8")
    assert read_speed(tmp_path, "vlm") is None
    assert "timed again" in caplog.text
    path.unlink()
    path.mkdir()
    record = SpeedRecorder(tmp_path, "vlm", HERE)
    for _ in range(ANSWERS):
        record(1.0, 7.0)
    assert "cannot be written" in caplog.text


@given(st.lists(st.none() | st.floats(0.01, 60), max_size=8), st.floats(0.5, 60))
def test_the_best_of_the_first_answers_counts(times: list[float | None], deadline_s: float) -> None:
    speed = DescriberSpeed(model="vlm", installed="", machine="", deadline_s=deadline_s)
    for seconds in times:
        speed = speed.with_answer(seconds)
    in_time = [seconds for seconds in times if seconds is not None and round(seconds, 2) <= deadline_s]
    assert bool(speed.turned_down(deadline_s)) == (len(times) >= ANSWERS and not in_time)
