"""A view that always shows a little of a hazard is judged by what it shows more than that."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerting.baseline import AFTER_S, MOST, BaselineFilter

OVER_S = 60.0
RATE = 5.0
MINUTES = 10
THRESHOLDS = (0.5, 0.5)


def after(subject: BaselineFilter, *levels: tuple[float, float]) -> float:
    """Shown each level for its seconds, what the last picture counts for."""
    now, p = 0.0, 0.0
    for level, seconds in levels:
        for _ in range(max(1, int(seconds * RATE))):
            now += 1 / RATE
            p = float(subject.subtract(np.array([level, 0.01], np.float32), now)[0])
    return p


def odds(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_what_a_view_always_shows_counts_for_less() -> None:
    assert after(BaselineFilter(OVER_S, THRESHOLDS), (0.4, 1)) == pytest.approx(0.4)
    assert after(BaselineFilter(OVER_S, THRESHOLDS), (0.4, 60 * MINUTES)) < 0.22


def test_a_danger_in_such_a_view_is_seen_still() -> None:
    assert after(BaselineFilter(OVER_S, THRESHOLDS), (0.4, 60 * MINUTES), (0.8, 0.2)) > 0.5


def test_a_lasting_hazard_is_never_learnt() -> None:
    subject = BaselineFilter(OVER_S, THRESHOLDS)
    assert after(subject, (0.01, 60), (0.9, 60 * 60)) == pytest.approx(0.9)
    flickering = [(0.9, 2.0), (0.3, AFTER_S / 2)] * 100
    assert after(BaselineFilter(OVER_S, THRESHOLDS), (0.01, 60), *flickering, (0.9, 1)) == pytest.approx(0.9)


def test_a_lasting_hazard_is_measured_by_its_own_threshold() -> None:
    assert after(BaselineFilter(OVER_S, (0.3, 0.5)), (0.01, 60), (0.4, 60 * MINUTES)) == pytest.approx(0.4)


def test_an_ordinary_view_is_left_alone_to_the_bit() -> None:
    p = np.array([0.015, 0.01], np.float32)
    subject = BaselineFilter(OVER_S, THRESHOLDS)
    assert all((subject.subtract(p, i / RATE) == p).all() for i in range(3000))


def test_a_view_that_becomes_ordinary_is_forgotten() -> None:
    assert after(BaselineFilter(OVER_S, THRESHOLDS), (0.4, 600), (0.01, 600), (0.4, 0.2)) == pytest.approx(
        0.4, abs=0.01
    )


def test_a_recording_that_begins_anew_and_zero_take_nothing_off() -> None:
    subject = BaselineFilter(OVER_S, THRESHOLDS)
    after(subject, (0.4, 600))
    assert after(subject, (0.4, 0.2)) == pytest.approx(0.4)
    assert after(BaselineFilter(0.0, THRESHOLDS), (0.4, 600)) == np.float32(0.4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=60), st.floats(0.01, 50))
def test_never_higher_and_at_most_so_much_lower(levels: list[float], step_s: float) -> None:
    subject = BaselineFilter(5.0, [0.5])
    for i, level in enumerate(levels):
        p = np.array([level], np.float32)
        out = float(subject.subtract(p, i * step_s)[0])
        assert out <= p[0] + 1e-6
        if 0.001 < level < 0.999:
            assert odds(out) >= odds(float(p[0])) - MOST - 1e-3


def test_what_is_no_number_teaches_nothing() -> None:
    subject = BaselineFilter(OVER_S, THRESHOLDS)
    after(subject, (0.4, 60 * MINUTES))
    for i in range(20):
        subject.subtract(np.array([np.nan, 0.01], np.float32), 601 + i / RATE)
    assert 0.1 < float(subject.subtract(np.array([0.4, 0.01], np.float32), 606.0)[0]) < 0.22
