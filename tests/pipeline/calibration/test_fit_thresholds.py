"""Budgets of false alerts on simulated streams whose rates are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.alerting.baseline import BaselineFilter
from pipeline.calibration.fit_thresholds import HIGHEST, LOWEST, ThresholdChoice, enforce_budget, make_plan
from pipeline.calibration.sweep import LOGITS, ScoreSeries, replay_alerts, sweep
from pipeline.calibration.tail import fit_tail, level_interval
from pipeline.evaluation.intervals import poisson_interval
from pipeline.settings import WatchSettings
from pipeline.types import Severity

WATCH = WatchSettings()
HAZARDS = [HazardThreshold("fire", Severity.CRITICAL, 0.5), HazardThreshold("dog", Severity.NOTICE, 0.5)]


def stream(minutes: float, seed: int, spread: float = 1.5, fps: float = 5.0) -> ScoreSeries:
    """Log-odds that wander about -5 with a memory of two seconds, for both hazards."""
    random, count = np.random.default_rng(seed), round(minutes * 60 * fps)
    keep = math.exp(-1 / (2 * fps))
    noise = random.normal(0, spread * math.sqrt(1 - keep**2), (count, len(HAZARDS)))
    odds = np.empty_like(noise)
    state = random.normal(0, spread, len(HAZARDS))
    for row, push in zip(odds, noise, strict=True):
        state = keep * state + push
        row[:] = state - 5
    return ScoreSeries(np.arange(count) / fps, (1 / (1 + np.exp(-odds))).astype(np.float32))


def with_thresholds(footage: ScoreSeries, thresholds: list[float]) -> int:
    changed = [HazardThreshold(h.name, h.severity, t) for h, t in zip(HAZARDS, thresholds, strict=True)]
    return len(replay_alerts(footage, changed, WATCH).alerts)


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "seed"), [(60.0, 2), (2.0, 4)])
def test_footage_of_the_same_kind_keeps_to_the_budget(budget: float, seed: int) -> None:
    """From half an hour, counted (30, 60 an hour) and extrapolated (4, 2); judged on two hours."""
    plan = make_plan(stream(30, seed), HAZARDS, WATCH, budget)
    seen = with_thresholds(stream(120, seed + 100), [c.threshold for c in plan.choices])
    low, high = poisson_interval(seen, 0.99)
    assert low <= 3 * 2 * budget
    if all(c.basis == "counted" for c in plan.choices):
        assert high >= 2 * budget / 3


def test_alerts_now_never_exceed_the_budget_that_the_footage_could_show() -> None:
    footage = stream(20, 7, spread=2.5)
    before = with_thresholds(footage, [0.5, 0.5])
    plan = make_plan(footage, HAZARDS, WATCH, 6.0)
    assert plan.alerts_before == before > 2
    assert plan.alerts <= 2


def test_minutes_of_silence_make_nothing_bolder_and_say_so() -> None:
    quiet = ScoreSeries(np.arange(600) / 5, np.full((600, 2), 0.002, np.float32))
    plan = make_plan(quiet, HAZARDS, WATCH, 1.0)
    assert [(c.threshold, c.basis) for c in plan.choices] == [(0.5, "kept")] * 2
    rate, low, high = plan.rate(plan.alerts)
    assert (rate, low) == (0, 0)
    assert high == pytest.approx(3 / plan.hours, rel=0.01)


def test_hours_of_silence_may_lower_thresholds() -> None:
    quiet = ScoreSeries(np.arange(3 * 3600) / 1.0, np.full((3 * 3600, 2), 0.002, np.float32))
    plan = make_plan(quiet, HAZARDS, WATCH, 8.0)
    assert [(c.threshold, c.basis) for c in plan.choices] == [(LOWEST, "counted")] * 2


def test_a_view_that_always_looks_dangerous_is_out_of_reach() -> None:
    sure = ScoreSeries(np.arange(3000) / 5, np.full((3000, 2), 0.9999, np.float32))
    plan = make_plan(sure, HAZARDS, WATCH, 1.0)
    assert [(c.threshold, c.basis) for c in plan.choices] == [(HIGHEST, "out of reach")] * 2


def test_a_worse_hazard_gets_the_greater_share() -> None:
    footage = stream(60, 11)
    same = ScoreSeries(footage.times_s, footage.probabilities[:, [0, 0]])
    fire, dog = make_plan(same, HAZARDS, WATCH, 40.0).choices
    assert fire.threshold < dog.threshold


def test_the_budget_is_kept_while_the_camera_moves_too() -> None:
    """Hours on a shelf and a loud walk: over all the budget holds at lower thresholds than on the walk."""
    shelf, walk = stream(100, 21, spread=0.5, fps=2), stream(20, 22, spread=2.5, fps=2)
    times = np.concatenate([shelf.times_s, 6000 + walk.times_s])
    footage = ScoreSeries(times, np.concatenate([shelf.probabilities, walk.probabilities]))
    moving = footage.during([(6000, 7200)])
    assert moving.seconds == pytest.approx(1200)
    assert np.array_equal(moving.probabilities, walk.probabilities)
    alone, both = (
        make_plan(footage, HAZARDS, WATCH, 24.0),
        make_plan(footage, HAZARDS, WATCH, 24.0, moving=moving),
    )
    counts = [with_thresholds(walk, [c.threshold for c in plan.choices]) for plan in (alone, both)]
    assert counts[0] > 8 >= counts[1]
    assert "moving camera" in {choice.basis for choice in both.choices}


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.5, 20)), max_size=4))
def test_stretches_put_end_to_end_are_as_long_as_they_are(stretches: list[tuple[float, float]]) -> None:
    whole = ScoreSeries(np.arange(300) / 5, np.zeros((300, 1), np.float32))
    spans = [(start, start + length) for start, length in stretches]
    part = whole.during(spans)
    inside = sum(any(start <= now < end for start, end in spans) for now in whole.times_s.tolist())
    assert len(part.times_s) == inside
    if inside > 1:
        assert part.seconds == pytest.approx(inside / 5)
        assert part.times_s[0] == 0


def test_no_footage_is_no_plan() -> None:
    with pytest.raises(ValueError, match="fewer than two frames"):
        make_plan(ScoreSeries(np.zeros(1), np.zeros((1, 2), np.float32)), HAZARDS, WATCH, 1.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 0.95))
def test_the_sweep_counts_what_the_watch_counts(seed: int, threshold: float) -> None:
    footage = stream(3, seed, spread=3)
    tried = sweep(footage, [h.severity for h in HAZARDS], WATCH)
    level = int(np.argmin(np.abs(LOGITS - math.log(threshold / (1 - threshold)))))
    near = float(1 / (1 + np.exp(-LOGITS[level])))
    assert with_thresholds(footage, [near, near]) == tried.alerts[:, level].sum()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 3.0))
def test_an_exponential_tail_is_prolonged_to_about_where_it_goes(seed: int, scale: float) -> None:
    maxima = np.random.default_rng(seed).exponential(scale, 400)
    true = scale * math.log(1 / 0.0005)
    assert 0.4 * true < fit_tail(maxima).level(0.0005) < 2.5 * true


def test_the_interval_of_a_level_holds_it() -> None:
    maxima = np.random.default_rng(5).exponential(1.0, 200)
    low, high = level_interval(maxima, 0.001)
    assert low <= fit_tail(maxima).level(0.001) <= high


def test_levels_rise_as_chances_fall() -> None:
    tail = fit_tail(np.random.default_rng(6).gumbel(size=100))
    levels = [tail.level(chance) for chance in (0.5, 0.1, 0.01, 0.001)]
    assert levels == sorted(levels)


def test_two_blocks_are_no_tail() -> None:
    with pytest.raises(ValueError, match="at least three"):
        fit_tail(np.zeros(2))


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0, 2.996), (1, 0.0253, 5.572), (5, 1.623, 11.668), (100, 81.36, 121.63)]
)
def test_poisson_bounds_by_the_book(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-3)


def test_a_minute_without_alerts_silences_nothing() -> None:
    """What comes near in a minute says nothing about an hour."""
    footage = stream(1, 3, spread=1.5)
    plan = make_plan(footage, HAZARDS, WATCH, 1.0)
    assert plan.alerts_before == 0
    assert all((c.threshold, c.basis) == (0.5, "kept") for c in plan.choices)


USUAL_S = 60.0


def resting(seed: int, minutes: float = 60, fps: float = 2.0) -> ScoreSeries:
    """A view that shows a little of fire all the time, and now and then more of it; never a dog."""
    random, count = np.random.default_rng(seed), round(minutes * 60 * fps)
    odds = random.normal(-0.4, 0.1, count)
    for start in random.integers(0, count, 6):
        odds[start : start + 8] += 1.0
    columns = np.stack([odds, np.full(count, -7.0)], axis=1)
    return ScoreSeries(np.arange(count) / fps, (1 / (1 + np.exp(-columns))).astype(np.float32))


def alerts_at(footage: ScoreSeries, threshold: float, usual_s: float) -> int:
    changed = [HazardThreshold("fire", Severity.CRITICAL, threshold), HAZARDS[1]]
    return len(replay_alerts(footage, changed, WATCH, usual_s).alerts)


@pytest.mark.slow
def test_a_resting_view_is_taken_off_as_at_the_threshold_that_is_chosen() -> None:
    """Below the resting view nothing is learnt: what it took off at the shipped threshold does not count."""
    footage, budget = resting(21), 12.0
    plan = make_plan(footage, HAZARDS, WATCH, budget, USUAL_S)
    fire = plan.choices[0]
    assert fire.basis == "counted"
    assert fire.alerts == alerts_at(footage, fire.threshold, USUAL_S) <= budget * 3 / 4
    assert alerts_at(resting(121), fire.threshold, USUAL_S) <= budget
    frozen = BaselineFilter(USUAL_S, [h.threshold for h in HAZARDS])
    rows = [frozen.subtract(*pair) for pair in zip(footage.probabilities, footage.times_s, strict=True)]
    fooled = make_plan(ScoreSeries(footage.times_s, np.array(rows)), HAZARDS, WATCH, budget).choices[0]
    assert fooled.threshold < fire.threshold
    assert fooled.alerts <= budget
    assert alerts_at(footage, fooled.threshold, USUAL_S) > budget, "and it would have been broken"


def test_the_sweep_takes_the_normal_view_off_at_every_threshold_by_itself() -> None:
    footage = resting(31, minutes=8)
    tried = sweep(footage, [h.severity for h in HAZARDS], WATCH, USUAL_S)
    for level in (10, 18, 20, 22):
        near = float(1 / (1 + np.exp(-LOGITS[level])))
        assert alerts_at(footage, near, USUAL_S) == tried.alerts[0, level]
    assert not tried.alerts[1].any()
    assert tried.maxima[:, 1].max() == LOGITS[0]


def test_a_choice_that_proves_too_loud_is_raised_step_by_step_and_not_for_ever() -> None:
    choice = ThresholdChoice("fire", 0.5, 0.41, "extrapolated", None, 9, 0)

    def loud_below(limit: float) -> Callable[[Sequence[ThresholdChoice]], tuple[ThresholdChoice, ...]]:
        return lambda chosen: tuple(replace(c, alerts=9 if c.threshold < limit else 1) for c in chosen)

    (held,) = enforce_budget([choice], {"fire": 2.0}, loud_below(0.53))
    assert (held.alerts, held.basis) == (1, "counted")
    assert 0.53 <= held.threshold < 0.56
    (loud,) = enforce_budget([choice], {"fire": 2.0}, loud_below(2.0))
    assert loud.alerts == 9
