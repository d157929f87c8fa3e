from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.processor_heat import HOT_C
from daemon.runtime.frame_budget import MIN_FPS, FrameBudget


def rate(budget: FrameBudget, fps: float, seconds: float = 20.0, *, suspected: bool = False) -> float:
    taken = [i / fps for i in range(round(fps * seconds)) if budget.wants(i / fps, suspected=suspected)]
    longest = max(b - a for a, b in itertools.pairwise(taken))
    assert longest <= 2 / MIN_FPS, "frames are left out evenly"
    return len(taken) / seconds


def test_without_a_describer_nothing_is_left_out() -> None:
    budget = FrameBudget("auto", "auto", describes=False)
    budget.on_assessed(1.0)
    assert rate(budget, 30) == 30


def test_beside_a_describer_assessing_takes_its_share() -> None:
    budget = FrameBudget("auto", "auto", describes=True)
    budget.on_assessed(0.04)
    assert rate(budget, 30) == pytest.approx(12.5, rel=0.1)


@given(st.floats(8, 60), st.floats(1, 60), st.floats(0.001, 2), st.booleans())
def test_never_below_eight_a_second_nor_while_a_hazard_is_suspected(
    fps: float, wanted: float, took_s: float, suspected: bool
) -> None:
    budget = FrameBudget(wanted, 0.1, describes=True)
    budget.on_assessed(took_s)
    found = rate(budget, fps, suspected=suspected)
    assert found >= min(fps, MIN_FPS) * 0.9
    if suspected:
        assert found == pytest.approx(fps, rel=0.01)


@pytest.mark.parametrize("wanted", [8, 10, 12, 15, 20])
def test_a_rate_that_was_asked_for(wanted: float) -> None:
    assert rate(FrameBudget(wanted, "auto", describes=False), 30) == pytest.approx(wanted, rel=0.1)


def test_time_that_runs_back_does_not_stop_it() -> None:
    budget = FrameBudget(10, "auto", describes=False)
    assert budget.wants(1000.0, suspected=False)
    assert budget.wants(1.0, suspected=False) or budget.wants(1.2, suspected=False)


def test_frames_are_left_out_while_the_processor_is_hot() -> None:
    budget = FrameBudget("auto", "auto", describes=False)
    budget.on_assessed(0.04)
    budget.on_temperature(HOT_C)
    assert rate(budget, 30) == pytest.approx(12.5, rel=0.1)
    budget.on_temperature(HOT_C - 1)
    assert budget.hot, "it is to cool down first"
    budget.on_temperature(None)
    assert rate(budget, 30) == 30
