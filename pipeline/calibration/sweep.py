"""Runs recorded probabilities through the real `AlertPolicy` at many thresholds.

A recording holds scores without the baseline subtracted (`pipeline.alerting.baseline`): the amount depends on
the thresholds, so it is subtracted anew for every threshold that is tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold, WatchEvent
from pipeline.alerting.baseline import BaselineFilter
from pipeline.alerting.rivals import NO_RULES, AlertRules
from pipeline.alerting.rules import builtin_rules
from pipeline.evaluation.clip_counts import AlertTime, ClipEvents
from pipeline.log_odds import logit
from pipeline.settings import WatchSettings
from pipeline.types import Alert, Assessment, Clear, Encoding, Probabilities, Severity

_NO_ENCODING = Encoding(np.zeros(1, np.float32))
LOGITS = np.round(np.arange(-4.0, 7.01, 0.2), 3)
"""Log-odds of the thresholds that are tried: probabilities 0.018 to 0.999."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreSeries:
    """Calibrated probabilities of every frame of a recording, nothing taken off."""

    times_s: NDArray[np.float64]
    """(T,), rising."""
    probabilities: NDArray[np.float32]
    """(T, H)."""

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last, which lasts as long as the one before it."""
        if len(self.times_s) < 2:
            return 0.0
        return float(2 * self.times_s[-1] - self.times_s[-2] - self.times_s[0])

    def during(self, spans: Sequence[tuple[float, float]]) -> ScoreSeries:
        """Only the frames within some seconds, put end to end: the pauses between do not count as footage."""
        inside = np.zeros(len(self.times_s), np.bool_)
        for start_s, end_s in spans:
            inside |= (self.times_s >= start_s) & (self.times_s < end_s)
        steps = np.diff(self.times_s, prepend=self.times_s[:1])
        usual_s = float(np.median(steps[1:])) if len(steps) > 1 else 0.0
        before = np.concatenate([[False], inside[:-1]])
        own = np.where(before, steps, usual_s)[inside]
        return ScoreSeries(np.cumsum(own) - own[:1].sum(), self.probabilities[inside])


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdSweep:
    """The alerts of each hazard alone at each threshold of LOGITS."""

    alerts: NDArray[np.int64]
    """(H, L): alerts in the whole recording, reminders included."""
    maxima: NDArray[np.float64]
    """(B, H): per block of time, the highest log-odds at which it alerted; else the lowest of LOGITS."""


def sweep(
    footage: ScoreSeries, severities: Sequence[int], settings: WatchSettings, usual_s: float = 0.0
) -> ThresholdSweep:
    """One pass with every hazard at every threshold at once. Blocks last as long as a cool-down.

    The baseline is subtracted as the daemon does at that very threshold (`usual_s` is the time constant; 0
    takes nothing off). Each hazard stands alone: rivals and additional votes would only make it quieter.
    Thresholds above all that was seen never alert and are left out.
    """
    count, levels = len(severities), len(LOGITS)
    thresholds = 1 / (1 + np.exp(-LOGITS))
    # Thresholds above the highest score can never alert; leaving them out saves most of the work.
    seen = footage.probabilities.max(0, initial=0.0)
    pairs = [(h, j) for h in range(count) for j in range(levels) if thresholds[j] <= seen[h]]
    hazards = [HazardThreshold(f"{h}/{j}", Severity(severities[h]), float(thresholds[j])) for h, j in pairs]
    # At least a second: a cool-down of 0 would make infinitely many blocks.
    block_s = max(settings.cooldown_s, 1.0)
    blocks = max(1, int(footage.seconds // block_s))
    alerts = np.zeros((count, levels), np.int64)
    maxima = np.full((blocks, count), LOGITS[0])
    for event in _events(footage, hazards, settings, usual_s, [h for h, _ in pairs], NO_RULES):
        if isinstance(event, Alert):
            hazard, level = map(int, event.hazard.split("/"))
            alerts[hazard, level] += 1
            # The rest after the last whole block counts as part of it.
            block = min(int((event.captured_at_s - footage.times_s[0]) // block_s), blocks - 1)
            maxima[block, hazard] = max(maxima[block, hazard], LOGITS[level])
    return ThresholdSweep(alerts, maxima)


def replay_alerts(
    footage: ScoreSeries,
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    usual_s: float = 0.0,
    rules: AlertRules | None = None,
) -> ClipEvents:
    """Alerts and clears over a recording, as a listener would have had them; `usual_s` as for `sweep`.

    `rules` are those of the built-in hazards by default.
    """
    alerts, clears = [], []
    rules = builtin_rules() if rules is None else rules
    for event in _events(footage, hazards, settings, usual_s, range(len(hazards)), rules):
        if isinstance(event, Alert):
            alerts.append(AlertTime(event.hazard, event.captured_at_s))
        elif isinstance(event, Clear):
            clears.append(AlertTime(event.hazard, event.captured_at_s))
    return ClipEvents(footage.seconds, tuple(alerts), tuple(clears), ())


def replay_shifted(
    footage: ScoreSeries,
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    shifts: Sequence[float],
    rules: AlertRules | None = None,
) -> list[ClipEvents]:
    """The results of `replay_alerts` with all thresholds moved by each shift in log-odds, in one pass.

    Nothing is taken off for a normal view. Each shift is a world of its own: rivals meet within it only.
    """
    rules, levels = builtin_rules() if rules is None else rules, range(len(shifts))
    copies = [
        replace(one, name=f"{one.name}/{level}", threshold=_moved(one.threshold, shifts[level]))
        for level in levels
        for one in hazards
    ]
    columns = [column for _ in levels for column in range(len(hazards))]
    alerts: list[list[AlertTime]] = [[] for _ in levels]
    clears: list[list[AlertTime]] = [[] for _ in levels]
    for event in _events(footage, copies, settings, 0.0, columns, _for_levels(rules, levels)):
        if isinstance(event, Alert | Clear):
            name, level = event.hazard.rsplit("/", 1)
            kept = alerts if isinstance(event, Alert) else clears
            kept[int(level)].append(AlertTime(name, event.captured_at_s))
    return [ClipEvents(footage.seconds, tuple(alerts[i]), tuple(clears[i]), ()) for i in levels]


def _moved(threshold: float, shift: float) -> float:
    return 1 / (1 + math.exp(-(logit(threshold) + shift)))


def _for_levels(rules: AlertRules, levels: Iterable[int]) -> AlertRules:
    """The rules for copies of the hazards that are named NAME/LEVEL."""
    levels = tuple(levels)
    return AlertRules(
        yields_to={
            f"{name}/{level}": {f"{rival}/{level}": lead for rival, lead in leads.items()}
            for name, leads in rules.yields_to.items()
            for level in levels
        },
        vote_factor={
            f"{name}/{level}": factor for name, factor in rules.vote_factor.items() for level in levels
        },
    )


def _events(
    footage: ScoreSeries,
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    usual_s: float,
    columns: Sequence[int],
    rules: AlertRules,
) -> Iterable[WatchEvent]:
    """Every alert is taken to be spoken at once, so that cool-downs run; directions are not looked for.

    `columns`: which probability each hazard goes by.
    """
    if not hazards:
        return
    # 0 switches directions off: a recording has no scores of the parts.
    watch = AlertPolicy(settings.model_copy(update={"locate_s": 0.0}), hazards, rules)
    rows = _relative(footage, [hazard.threshold for hazard in hazards], usual_s, columns)
    for seq, (time_s, row) in enumerate(rows):
        for event in watch.step(Assessment(seq, time_s, _NO_ENCODING, row)):
            if isinstance(event, Alert):
                # Without it every alert would be retried as unheard, and counted again.
                watch.mark_spoken(event.id, time_s)
            yield event


def _relative(
    footage: ScoreSeries, thresholds: Sequence[float], usual_s: float, columns: Sequence[int]
) -> Iterator[tuple[float, Probabilities]]:
    """Row by row, the normal view taken off; an hour at every threshold at once would not fit into memory."""
    usual, of = BaselineFilter(usual_s, thresholds), np.array(columns, np.intp)
    for time_s, row in zip(footage.times_s.tolist(), footage.probabilities, strict=True):
        yield time_s, usual.subtract(row[of], time_s)
