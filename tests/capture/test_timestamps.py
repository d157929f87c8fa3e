from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capture.timestamps import TimestampRepair

reports = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30)


@given(st.floats(allow_nan=True, allow_infinity=True), reports)
@example(2.2e-313, [0.0, 0.0])
@example(25, [1.0, 1.0 + 2**-52, 5e-324])
def test_stamps_rise_whatever_is_reported(fps: float, reported: list[float]) -> None:
    stamps = TimestampRepair(fps)
    given_s = [stamps.next(seconds) for seconds in reported]
    assert all(math.isfinite(s) and s >= 0 for s in given_s)
    assert all(a < b for a, b in pairwise(given_s))
    assert stamps.count == len(reported)


@given(st.lists(st.floats(0.001, 600), min_size=1, max_size=30))
def test_rising_reports_are_kept(steps: list[float]) -> None:
    stamps, at_s, expected, given_s = TimestampRepair(25), 0.0, [], []
    for step in steps:
        at_s += step
        expected.append(at_s)
        given_s.append(stamps.next(at_s))
    assert given_s == pytest.approx(expected)


def test_without_any_times_the_frame_rate_counts() -> None:
    stamps = TimestampRepair(10)
    assert [stamps.next(0.0) for _ in range(40)] == pytest.approx([i / 10 for i in range(40)])


def test_a_last_frame_stamped_zero_follows_its_predecessor() -> None:
    stamps = TimestampRepair(25)
    assert [stamps.next(s) for s in (29.92, 29.96, 0.0)] == pytest.approx([29.92, 29.96, 30.0])


def test_frames_out_of_order_do_not_shift_what_comes_later() -> None:
    stamps = TimestampRepair(25)
    given_s = [stamps.next(s) for s in (0.04, 0.12, 0.08, 0.20, 0.24)]
    assert given_s == pytest.approx([0.04, 0.12, 0.16, 0.20, 0.24])


def test_a_source_that_starts_counting_again_goes_on() -> None:
    stamps = TimestampRepair(25)
    assert [stamps.next(s) for s in (8.0, 8.04, 0.0, 0.08)] == pytest.approx([8.0, 8.04, 8.08, 8.16])


def test_an_absurd_leap_is_not_believed() -> None:
    stamps = TimestampRepair(25)
    assert [stamps.next(s) for s in (0.0, 95443.0, 95443.5)] == pytest.approx([0.0, 0.04, 0.54])
