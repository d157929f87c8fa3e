"""Thresholds that keep to a budget of false alerts an hour, from footage without danger.

Where the footage is long enough to have shown a hazard's share of the budget at least three times, the
threshold is read off: the lowest at which the real watch keeps to it. If it is not, the tail of the observed
scores is extrapolated (`pipeline.calibration.tail`), but to ten times the footage at most: farther out it
would only silence warnings; less than 30 blocks have no tail worth the name. And the threshold never goes
below the one that came with the model: minutes of silence are no evidence for being bolder.

The daemon subtracts a camera's baseline only as far as it lies below the threshold
(`pipeline.alerting.baseline`), so a lower threshold also raises the scores it is compared with. Every
threshold is therefore judged with the baseline that holds at that very threshold, and the chosen ones are
judged once more together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.sweep import LOGITS, ScoreSeries, ThresholdSweep, replay_alerts, sweep
from pipeline.calibration.tail import fit_tail, level_interval
from pipeline.evaluation.intervals import poisson_interval
from pipeline.settings import WatchSettings
from pipeline.types import Severity

METHOD = "peaks over threshold (generalised Pareto), counted by the watch"
Basis = Literal["counted", "extrapolated", "kept", "out of reach", "moving camera"]

SHARES = {Severity.CRITICAL: 3.0, Severity.WARNING: 2.0, Severity.NOTICE: 1.0}
"""The shares of the budget: a worse danger gets more false alerts."""
LEAST_COUNT = 3.0
"""Alerts that the footage must be long enough for, if it is to lower a threshold."""
FARTHEST = 0.1
"""Alerts expected in the footage, below which its tail is not prolonged."""
LOWEST, HIGHEST = 0.1, 0.999
_ROUNDS = 8
"""Of judging the chosen thresholds, at most; each raises those that are still too loud by one step."""
_BLOCKS = 30
"""Of footage at least, if its tail is to be prolonged: five minutes at the usual cool-down."""


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """One hazard's threshold, and its evidence."""

    hazard: str
    before: float
    threshold: float
    basis: Basis
    interval: tuple[float, float] | None
    """95 % interval of the threshold; None if it was not extrapolated."""
    alerts_before: int
    alerts: int


@dataclass(frozen=True, slots=True)
class ThresholdPlan:
    """All thresholds, and the false alerts that the watch itself counts with them."""

    choices: tuple[ThresholdChoice, ...]
    hours: float
    budget_per_hour: float
    alerts_before: int
    alerts: int

    def rate(self, count: int) -> tuple[float, float, float]:
        """Alerts an hour: as counted, and the 95 % interval."""
        low, high = poisson_interval(count)
        return count / self.hours, low / self.hours, high / self.hours


def make_plan(
    footage: ScoreSeries,
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    budget_per_hour: float,
    usual_s: float = 0.0,
    moving: ScoreSeries | None = None,
) -> ThresholdPlan:
    """Fit a threshold for each hazard. `hazard.threshold` is the current one. Raises ValueError for no
    footage.

    `usual_s`: time constant of the normal view that is taken off; 0 takes nothing off. `moving`: the part of
    the footage in which the camera moves; the budget is kept there by itself too.
    """
    hours = footage.seconds / 3600
    if hours <= 0:
        raise ValueError("the footage has fewer than two frames")
    tried = sweep(footage, [h.severity for h in hazards], settings, usual_s)
    # The budget is for all hazards together; each gets a part by its severity.
    whole = sum(SHARES[h.severity] for h in hazards)
    rates = [budget_per_hour * SHARES[hazard.severity] / whole for hazard in hazards]
    before = _counts(footage, hazards, settings, usual_s)
    picked = [
        ThresholdChoice(h.name, h.threshold, *_pick(column, h, tried, rate, hours), before[h.name], 0)
        for column, (h, rate) in enumerate(zip(hazards, rates, strict=True))
    ]
    if moving is not None and 0 < moving.seconds < footage.seconds:
        walked = make_plan(moving, hazards, settings, budget_per_hour, usual_s)
        picked = [_not_below(one, other) for one, other in zip(picked, walked.choices, strict=True)]
    expected = {h.name: rate * hours for h, rate in zip(hazards, rates, strict=True)}
    choices = enforce_budget(
        picked, expected, lambda chosen: _judged(footage, hazards, chosen, settings, usual_s)
    )
    return ThresholdPlan(
        choices, hours, budget_per_hour, sum(before.values()), sum(choice.alerts for choice in choices)
    )


def _not_below(choice: ThresholdChoice, moving: ThresholdChoice) -> ThresholdChoice:
    """A worn camera sees more that looks dangerous; hours on a shelf must not hide that."""
    if moving.basis == "kept" or moving.threshold <= choice.threshold:
        return choice
    return replace(choice, threshold=moving.threshold, basis="moving camera", interval=moving.interval)


def enforce_budget(
    picked: Sequence[ThresholdChoice],
    expected: Mapping[str, float],
    judged: Callable[[Sequence[ThresholdChoice]], tuple[ThresholdChoice, ...]],
) -> tuple[ThresholdChoice, ...]:
    """The choices with the alerts counted at them; those over budget between two steps are raised."""
    choices = judged(picked)
    # Raising one threshold can release a rival that it withheld, so each round counts again.
    for _ in range(_ROUNDS):
        raised = [_raised(one) if one.alerts > expected[one.hazard] else one for one in choices]
        if all(one.threshold == was.threshold for one, was in zip(raised, choices, strict=True)):
            break
        choices = judged(raised)
    return choices


def _raised(choice: ThresholdChoice) -> ThresholdChoice:
    """At the next step of the sweep."""
    # The margin: the rounded threshold must move by a whole step, or the loop would not advance.
    steps = [t for t in (_probability(level) for level in LOGITS) if t > choice.threshold + 1e-3]
    threshold = min(round(steps[0], 4) if steps else HIGHEST, HIGHEST)
    if threshold <= choice.threshold:
        return choice
    basis: Basis = "out of reach" if threshold == HIGHEST else "counted"
    return replace(choice, threshold=threshold, basis=basis, interval=None)


def _judged(
    footage: ScoreSeries,
    hazards: Sequence[HazardThreshold],
    choices: Sequence[ThresholdChoice],
    settings: WatchSettings,
    usual_s: float,
) -> tuple[ThresholdChoice, ...]:
    changed = [replace(h, threshold=one.threshold) for h, one in zip(hazards, choices, strict=True)]
    counts = _counts(footage, changed, settings, usual_s)
    return tuple(replace(one, alerts=counts[one.hazard]) for one in choices)


def _counts(
    footage: ScoreSeries, hazards: Sequence[HazardThreshold], settings: WatchSettings, usual_s: float
) -> dict[str, int]:
    counts = dict.fromkeys((h.name for h in hazards), 0)
    for alert in replay_alerts(footage, hazards, settings, usual_s).alerts:
        counts[alert.hazard] += 1
    return counts


def _pick(
    column: int, hazard: HazardThreshold, tried: ThresholdSweep, rate: float, hours: float
) -> tuple[float, Basis, tuple[float, float] | None]:
    """Threshold, basis and interval of one hazard; `rate` is its share of the budget, an hour."""
    kept, expected = hazard.threshold, rate * hours
    counted = _lowest_quiet(tried.alerts[column], expected)
    if expected >= LEAST_COUNT:
        level, interval = counted, None
        basis: Basis = "counted"
    else:
        level, interval = _prolonged(tried.maxima[:, column], max(expected, FARTHEST))
        # Never below the counted level: the extrapolation must not overrule what the footage showed.
        level = max(level, counted)
        basis = "extrapolated"
        # Short footage is no reason to warn more readily than the shipped threshold does.
        if _probability(level) <= kept:
            return kept, "kept", interval
    threshold = _probability(level)
    if threshold >= HIGHEST:
        return HIGHEST, "out of reach", interval
    return max(round(threshold, 4), LOWEST), basis, interval


def _lowest_quiet(alerts: NDArray[np.int64], expected: float) -> float:
    """The lowest log-odds at and above which no threshold alerted more often than expected."""
    # The last loud one decides, not the first quiet one: alerts do not fall steadily with the threshold.
    loud = np.flatnonzero(alerts > expected)
    if not len(loud):
        return float(LOGITS[0])
    return float(LOGITS[loud[-1] + 1]) if loud[-1] + 1 < len(LOGITS) else math.inf


def _prolonged(maxima: NDArray[np.float64], expected: float) -> tuple[float, tuple[float, float] | None]:
    """Log-odds that `expected` blocks exceed, and the interval as probabilities."""
    blocks = len(maxima)
    if blocks < _BLOCKS or maxima.max() == LOGITS[0]:
        return float(LOGITS[0]), None
    chance = expected / blocks
    low, high = level_interval(maxima, chance)
    return fit_tail(maxima).level(chance), (_probability(low), _probability(high))


def _probability(level: float) -> float:
    # Bounded: an infinite level ("no threshold was quiet") must become 1 without an overflow.
    return 1 / (1 + math.exp(-min(level, 50.0)))
