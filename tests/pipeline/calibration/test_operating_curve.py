"""Thresholds moved together trade recall against false alerts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.alerting.rivals import AlertRules
from pipeline.calibration.operating_curve import JudgedClip, operating_curve
from pipeline.calibration.sweep import ScoreSeries, replay_alerts, replay_shifted
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.settings import WatchSettings
from pipeline.types import Severity

shifts = st.lists(st.floats(-2, 2), min_size=1, max_size=4)
HAZARDS = [HazardThreshold("fire", Severity.CRITICAL, 0.5), HazardThreshold("dog", Severity.NOTICE, 0.2)]


def clip(level: float, label: str) -> JudgedClip:
    """Ten seconds that show a fire of so many log-odds from the first second on."""
    times = np.arange(0, 10, 0.2)
    rows = np.full((len(times), 2), 0.001, np.float32)
    rows[times >= 1, 0] = 1 / (1 + np.exp(-level))
    labelled = LabelledClip(Path("c.mp4"), (Span(label, 1, 10),), label)
    return JudgedClip(labelled, ScoreSeries(times, rows), HAZARDS)


def test_lower_thresholds_find_more_and_raise_more_false_alerts() -> None:
    clips = [clip(2.0, "fire"), clip(-0.7, "fire"), clip(0.7, "safe"), clip(-1.2, "safe")]
    curve = operating_curve(clips, WatchSettings(), shifts=(-1.5, -1.0, 0.0, 1.0, 3.0))
    assert [one["in_time"] for one in curve] == [1.0, 1.0, 0.5, 0.5, 0.0]
    assert [one["false_alerts_on_safe"] for one in curve] == [2, 1, 1, 0, 0]
    assert curve[2]["false_alerts_per_hour"] == pytest.approx(200)
    low, high = curve[3]["false_alerts_per_hour_ci"]
    assert (low, high) == (0.0, pytest.approx(2.9957 * 200, rel=1e-3))


@given(st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=1, max_size=30), shifts)
def test_one_pass_is_what_a_pass_for_each_shift_gives(rows: list[list[float]], moved: list[float]) -> None:
    hazards = [HazardThreshold(name, Severity.WARNING, 0.4) for name in ("vehicle", "train", "dog")]
    rules = AlertRules(yields_to={"vehicle": {"train": 0.5}}, vote_factor={"dog": 1.5})
    scores = (1 / (1 + np.exp(-np.array(rows)))).astype(np.float32)
    series = ScoreSeries(np.arange(len(rows)) / 5, scores)
    together = replay_shifted(series, hazards, WatchSettings(), moved, rules)
    for shift, events in zip(moved, together, strict=True):
        odds = np.log(0.4 / 0.6) + shift
        alone = [HazardThreshold(h.name, h.severity, float(1 / (1 + np.exp(-odds)))) for h in hazards]
        assert events == replay_alerts(series, alone, WatchSettings(), 0.0, rules)
