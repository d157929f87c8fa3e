"""Thresholds moved together trade recall against false alerts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.operating_curve import operating_curve, shifted
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.settings import WatchSettings
from pipeline.types import Severity

HAZARDS = [HazardThreshold("fire", Severity.CRITICAL, 0.5), HazardThreshold("dog", Severity.NOTICE, 0.2)]


def clip(level: float, label: str) -> tuple[LabelledClip, ScoreSeries]:
    """Ten seconds that show a fire of so many log-odds from the first second on."""
    times = np.arange(0, 10, 0.2)
    rows = np.full((len(times), 2), 0.001, np.float32)
    rows[times >= 1, 0] = 1 / (1 + np.exp(-level))
    return LabelledClip(Path("c.mp4"), (Span(label, 1, 10),), label), ScoreSeries(times, rows)


def test_lower_thresholds_find_more_and_raise_more_false_alerts() -> None:
    clips = [clip(2.0, "fire"), clip(-0.7, "fire"), clip(0.7, "safe"), clip(-1.2, "safe")]
    curve = operating_curve(clips, HAZARDS, WatchSettings(), shifts=(-1.5, -1.0, 0.0, 1.0, 3.0))
    assert [one["in_time"] for one in curve] == [1.0, 1.0, 0.5, 0.5, 0.0]
    assert [one["false_alerts_on_safe"] for one in curve] == [2, 1, 1, 0, 0]
    assert curve[2]["false_alerts_per_hour"] == pytest.approx(200)
    low, high = curve[3]["false_alerts_per_hour_ci"]
    assert (low, high) == (0.0, pytest.approx(2.9957 * 200, rel=1e-3))


def test_thresholds_move_in_log_odds() -> None:
    fire, dog = shifted(HAZARDS, 1.0)
    assert fire.threshold == pytest.approx(0.7311, abs=1e-4)
    assert np.log(dog.threshold / (1 - dog.threshold)) == pytest.approx(np.log(0.25) + 1)
    assert shifted(HAZARDS, 0.0)[1].threshold == pytest.approx(0.2)
