"""Recall against false alerts: all thresholds moved together in log-odds, through the real alert policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.sweep import ScoreSeries, replay_shifted
from pipeline.evaluation.clip_counts import ClipEvents
from pipeline.evaluation.clips import count_clips
from pipeline.evaluation.dataset import LabelledClip
from pipeline.settings import WatchSettings

SHIFTS = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Log-odds added to every threshold; 0 is the thresholds in force."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedClip:
    """A clip with the scores and the thresholds that it is judged by."""

    clip: LabelledClip
    series: ScoreSeries
    hazards: Sequence[HazardThreshold]


def operating_curve(
    clips: Sequence[JudgedClip],
    settings: WatchSettings,
    shifts: Sequence[float] = SHIFTS,
) -> list[dict[str, Any]]:
    """One point for each shift: hazards in time, false alerts an hour with their bounds, wrong alerts.

    The series hold the policy's inputs, with the baseline subtracted. Alerts are taken to be spoken at once,
    so the point at 0 may differ a little from a replay, in which speech takes its time.
    """
    replayed = [(one.clip, replay_shifted(one.series, one.hazards, settings, shifts)) for one in clips]
    return [
        _point(shift, [(clip, events[level]) for clip, events in replayed])
        for level, shift in enumerate(shifts)
    ]


def _point(shift: float, clips: Sequence[tuple[LabelledClip, ClipEvents]]) -> dict[str, Any]:
    figures = count_clips(clips)
    in_time = figures["hazards"] - figures["late_or_missed"]
    share = round(in_time / figures["hazards"], 4) if figures["hazards"] else None
    return {"log_odds": shift, "in_time": share, **figures}
