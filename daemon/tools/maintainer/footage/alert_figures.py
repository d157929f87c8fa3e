"""Figures of alert settings on scored clips: tallies by fold, hazard and shift of the thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.footage.score_series import LabelledSeries
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.alerting.rivals import AlertRules
from pipeline.calibration.fit_thresholds import SHARES
from pipeline.calibration.sweep import replay_alerts, replay_shifted
from pipeline.evaluation.clip_counts import ClipCounts, ClipEvents, count, is_late, is_safe, is_wrong
from pipeline.evaluation.intervals import poisson_interval
from pipeline.settings import WatchSettings

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over clips."""

    spans: int = 0
    in_time: int = 0
    alerts: int = 0
    wrong: int = 0
    false_alerts: int = 0
    safe_s: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.spans + other.spans,
            self.in_time + other.in_time,
            self.alerts + other.alerts,
            self.wrong + other.wrong,
            self.false_alerts + other.false_alerts,
            self.safe_s + other.safe_s,
        )

    def __str__(self) -> str:
        hours = self.safe_s / 3600
        low, high = poisson_interval(self.false_alerts)
        rate = f"{self.false_alerts / hours:.1f} [{low / hours:.1f}, {high / hours:.1f}]" if hours else "-"
        return (
            f"in time {self.in_time}/{self.spans} = {self.in_time / max(self.spans, 1):.3f}; "
            f"wrong {self.wrong}/{self.alerts} = {self.wrong / max(self.alerts, 1):.3f}; "
            f"false an hour {rate} in {hours:.2f} h"
        )


@dataclass(frozen=True, slots=True, eq=False)
class LevelCounts:
    """Tallies of each hazard at each shift of its threshold; H hazards, L shifts."""

    in_time: Counts
    """(H, L): spans of the hazard alerted of in time."""
    wrong: Counts
    """(H, L): wrong alerts that name it, false ones included."""
    false_alerts: Counts
    """(H, L): alerts that name it in harmless seconds."""
    safe_s: float

    def __add__(self, other: LevelCounts) -> LevelCounts:
        return LevelCounts(
            self.in_time + other.in_time,
            self.wrong + other.wrong,
            self.false_alerts + other.false_alerts,
            self.safe_s + other.safe_s,
        )


def level_counts(
    one: LabelledSeries,
    hazards: Sequence[HazardThreshold],
    shifts: Sequence[float],
    settings: WatchSettings,
    rules: AlertRules,
) -> LevelCounts:
    """One pass over a clip with every threshold at every shift."""
    index = {hazard.name: i for i, hazard in enumerate(hazards)}
    in_time, wrong, false = (np.zeros((len(hazards), len(shifts)), np.int64) for _ in range(3))
    safe_s = 0.0
    for level, events in enumerate(replay_shifted(one.series, hazards, settings, shifts, rules)):
        counted = count(one.clip, events)
        safe_s = counted.safe_s
        for name, wait in counted.waits:
            in_time[index[name], level] += not is_late(wait)
        for alert in events.alerts:
            wrong[index[alert.hazard], level] += is_wrong(one.clip, alert)
            false[index[alert.hazard], level] += is_safe(one.clip, alert.time_s)
    return LevelCounts(in_time, wrong, false, safe_s)


def tally(clips: Iterable[tuple[LabelledSeries, ClipEvents]]) -> Tally:
    """The sums of clips with the alerts in each."""
    return sum((_tally(count(one.clip, events)) for one, events in clips), Tally())


def _tally(counted: ClipCounts) -> Tally:
    return Tally(
        spans=len(counted.waits),
        in_time=sum(not is_late(wait) for wait in counted.waits_s),
        alerts=counted.alerts,
        wrong=len(counted.wrong),
        false_alerts=counted.false_alerts,
        safe_s=counted.safe_s,
    )


def judged(
    series: Sequence[LabelledSeries],
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    rules: AlertRules,
) -> Tally:
    """The real policy at the given thresholds."""
    return tally((one, replay_alerts(one.series, hazards, settings, 0.0, rules)) for one in series)


def common_shift(counts: LevelCounts, budget_per_hour: float) -> int:
    """The lowest shift, as a position, at and above which the budget holds; the highest if none does."""
    allowed = budget_per_hour * counts.safe_s / 3600
    # Above the last shift that breaks the budget, not at the first that keeps it: counts need not fall
    # steadily.
    loud = np.flatnonzero(counts.false_alerts.sum(0) > allowed)
    return int(min(loud[-1] + 1 if len(loud) else 0, counts.false_alerts.shape[1] - 1))


def own_shifts(
    counts: LevelCounts, hazards: Sequence[HazardThreshold], budget_per_hour: float, price: float
) -> list[int]:
    """For each hazard the shift, as a position, that finds most for its share of the budget.

    A wrong alert weighs `price` spans. Shares go by severity, as `watchword calibrate` divides them. Of
    equally good shifts the one nearest to their middle is taken: an edge of the plateau is chance.
    """
    whole = sum(SHARES[hazard.severity] for hazard in hazards)
    chosen = []
    for row, hazard in enumerate(hazards):
        allowed = budget_per_hour * counts.safe_s / 3600 * SHARES[hazard.severity] / whole
        loud = np.flatnonzero(counts.false_alerts[row] > allowed)
        first = int(min(loud[-1] + 1 if len(loud) else 0, counts.false_alerts.shape[1] - 1))
        gain = counts.in_time[row, first:] - price * counts.wrong[row, first:]
        best = np.flatnonzero(gain >= gain.max() - 1e-9)
        chosen.append(first + int(best[len(best) // 2]))
    return chosen


def summed(counts: Mapping[str, LevelCounts], without: str | None = None) -> LevelCounts:
    """Over all folds but one. Raises ValueError if none is left."""
    left = [one for part, one in counts.items() if part != without]
    if not left:
        raise ValueError("a single fold cannot be judged by the others")
    whole = left[0]
    for one in left[1:]:
        whole = whole + one
    return whole
