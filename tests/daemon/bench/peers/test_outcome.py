"""Counting which scene changes a rule answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.bench.peers.outcome import ClipOutcome, SceneChange, are_answered, is_judged, total
from pipeline.evaluation.clip_counts import match_scenes


def changes(*times: float) -> tuple[SceneChange, ...]:
    return tuple(map(SceneChange, times))


@pytest.mark.parametrize(
    ("described", "answered"),
    [
        ((), (False, False)),
        ((1.0,), (True, False)),
        ((0.9,), (False, False)),
        ((3.0,), (True, False)),
        ((3.1,), (False, False)),
        # One description answers one change, though both are near enough.
        ((2.7,), (True, False)),
        ((2.7, 4.0), (True, True)),
    ],
)
def test_a_change_is_answered_within_two_seconds(
    described: tuple[float, ...], answered: tuple[bool, ...]
) -> None:
    second = 2.5 if described and described[0] == 2.7 else 20.0
    assert are_answered(changes(1.0, second), described) == answered


TIMES = st.lists(st.integers(0, 200).map(lambda n: n / 10), max_size=12)


@given(TIMES, TIMES)
def test_as_many_are_answered_as_evaluate_counts(cuts: list[float], described: list[float]) -> None:
    answered = are_answered(changes(*sorted(cuts)), described)
    found, _ = match_scenes(sorted(cuts), described)
    # `evaluate` has no tolerance for rounding, so it may count fewer where a time lies on the edge.
    assert found <= sum(answered) <= min(len(cuts), len(described))


def test_a_change_at_the_end_of_a_clip_is_not_judged() -> None:
    assert is_judged(SceneChange(8.0), 10.0)
    assert not is_judged(SceneChange(8.1), 10.0)


def test_clips_add_up() -> None:
    turn = SceneChange(5.0, "turn")
    one = ClipOutcome(30.0, (*changes(1.0), turn), (0.0, 1.5))
    two = ClipOutcome(30.0, changes(2.0, 29.0), (2.5, 9.0, 15.0))
    outcome = total([one, two])
    assert outcome.minutes == 1.0
    assert outcome.per_minute == 5.0
    assert outcome.recall == pytest.approx(2 / 3)
    assert outcome.f1 == pytest.approx(2 * 2 / (3 + 5))
    assert str(outcome).startswith("2 of 2 cuts, 0 of 1 turns answered within 2 s")


def test_without_changes_there_is_no_recall() -> None:
    assert total([ClipOutcome(60.0, (), (1.0,))]).recall is None
    assert total([]).per_minute == 0.0
