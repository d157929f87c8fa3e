"""Recall against false alerts: all thresholds moved together in log-odds, through the real alert policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.sweep import ScoreSeries, replay_alerts
from pipeline.evaluation.clips import count_clips
from pipeline.evaluation.dataset import LabelledClip
from pipeline.log_odds import logit
from pipeline.settings import WatchSettings

SHIFTS = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Log-odds added to every threshold; 0 is the thresholds in force."""


def operating_curve(
    clips: Sequence[tuple[LabelledClip, ScoreSeries]],
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    shifts: Sequence[float] = SHIFTS,
) -> list[dict[str, Any]]:
    """One point for each shift: hazards in time, false alerts an hour with their bounds, wrong alerts.

    The series hold what the policy was given, the camera's normal view taken off. Alerts are taken to be
    spoken at once, so the point at 0 may differ a little from a replay, in which speech takes its time.
    """
    return [_point(clips, hazards, settings, shift) for shift in shifts]


def shifted(hazards: Sequence[HazardThreshold], shift: float) -> list[HazardThreshold]:
    """The hazards with thresholds moved by so many log-odds."""
    return [replace(one, threshold=1 / (1 + math.exp(-(logit(one.threshold) + shift)))) for one in hazards]


def _point(
    clips: Sequence[tuple[LabelledClip, ScoreSeries]],
    hazards: Sequence[HazardThreshold],
    settings: WatchSettings,
    shift: float,
) -> dict[str, Any]:
    moved = shifted(hazards, shift)
    figures = count_clips([(clip, replay_alerts(series, moved, settings)) for clip, series in clips])
    in_time = figures["hazards"] - figures["late_or_missed"]
    return {
        "log_odds": shift,
        "in_time": round(in_time / figures["hazards"], 4) if figures["hazards"] else None,
        **figures,
    }
