"""The charts of a page show the same numbers as its figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from daemon.bench.figures_page import page as bench_page
from daemon.bench.harness import Figure, FrameTrace, at_least, at_most, unmeasured
from daemon.bench.lane_charts import bins
from daemon.cli.bench import report as bench_report
from daemon.config.settings import Settings, load
from daemon.report.charts import BINS, thin
from daemon.tools.calibrate import FootageCalibration
from daemon.tools.calibration_page import page as calibration_page
from daemon.tools.evaluate import EvaluationDetails, ReplayedClip, events_of
from daemon.tools.report_page import page
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.fit_thresholds import make_plan
from pipeline.calibration.operating_curve import JudgedClip, operating_curve
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.clip_counts import AlertTime, ClipEvents
from pipeline.evaluation.clips import evaluate_clips
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.evaluation.picture_scores import PictureScores
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.types import Severity
from tests.daemon.tools.svg_reading import charts_of, has, part, points, shares

NAMES, LABELS = ("fire", "dog"), ["fire", "fire", "fire", "dog", "safe", "safe", "safe", "safe"]
SCORES = np.array(
    [[0.9, 0.1], [0.6, 0.2], [0.2, 0.1], [0.1, 0.8], [0.7, 0.1], [0.4, 0.3], [0.1, 0.1], [0.05, 0.2]]
)
THRESHOLDS = np.array([0.5, 0.5])
HAZARDS = [HazardThreshold("fire", Severity.CRITICAL, 0.5), HazardThreshold("dog", Severity.WARNING, 0.5)]
ROUNDING = 0.004
"""Two decimals of a pixel, of an area of some 250."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = str(tmp_path_factory.mktemp("home"))
    return load(None, {"HOME": home}, {"paths.state": home}).settings


def series(fire: float = 0.9) -> ScoreSeries:
    """20 s at 5 frames a second; fire from 8 to 12 s."""
    times = np.arange(0, 20, 0.2)
    inside = (times >= 8) & (times < 12)
    rows = np.stack([np.where(inside, fire, 0.05), np.full(len(times), 0.1)], 1)
    return ScoreSeries(times, rows.astype(np.float32))


def replayed(name: str, *alerts: AlertTime, spans: tuple[Span, ...]) -> ReplayedClip:
    clip = LabelledClip(Path(name), spans, name)
    return ReplayedClip(JudgedClip(clip, series(), HAZARDS), ClipEvents(20.0, alerts, (), ()))


@dataclass(frozen=True)
class Evaluated:
    """Made-up media with their figures and the page."""

    report: Mapping[str, Any]
    details: EvaluationDetails
    text: str
    charts: Mapping[str, Element]


@pytest.fixture(scope="module")
def evaluated(settings: Settings) -> Evaluated:
    alerts = (AlertTime("fire", 8.4), AlertTime("dog", 3.0))
    clips = [
        replayed("a.mp4", *alerts, spans=(Span("safe", 0, 8), Span("fire", 8, 12), Span("safe", 12, 20))),
        replayed("b.mp4", spans=(Span("safe", 0, 20),)),
    ]
    report = {"model": "m", **evaluate_pictures(NAMES, SCORES, THRESHOLDS, LABELS, list("abcdefgh"))}
    curve = operating_curve([one.judged for one in clips], settings.watch)
    report["videos"] = {**evaluate_clips(events_of(clips)), "operating_curve": curve}
    details = EvaluationDetails(PictureScores(NAMES, SCORES, THRESHOLDS, LABELS), clips)
    text = page(report, details, "m.csv")
    return Evaluated(report, details, text, charts_of(text))


def test_the_same_figures_give_the_same_bytes(evaluated: Evaluated) -> None:
    assert page(evaluated.report, evaluated.details, "m.csv") == evaluated.text


def test_the_area_below_a_drawn_curve_is_the_figure_beside_it(evaluated: Evaluated) -> None:
    for place, name in enumerate(NAMES):
        chart, figures = evaluated.charts[f"hazard{place}"], evaluated.report["hazards"][name]
        xs, ys = zip(*shares(chart, f"hazard{place}/roc-curve", "area0"), strict=True)
        assert np.trapezoid(ys, xs) == pytest.approx(figures["auc"], abs=2 * ROUNDING)
        xs, ys = zip(*shares(chart, f"hazard{place}/precision-curve", "area1"), strict=True)
        assert np.trapezoid(ys, xs) == pytest.approx(figures["average_precision"], abs=2 * ROUNDING)


def test_the_thresholds_in_force_are_marked_on_both_curves(evaluated: Evaluated) -> None:
    report, charts = evaluated.report, evaluated.charts
    false, recall = report["safe"]["false_alarm_rate"], report["any_hazard"]["recall"]
    assert (false, recall) == (0.25, 0.75)
    assert shares(charts["roc"], "roc/roc-point") == [pytest.approx((false, recall), abs=ROUNDING)]
    # Three right alarms and one false one.
    drawn = shares(charts["precision-recall"], "precision-recall/precision-point")
    assert drawn == [pytest.approx((recall, 0.75), abs=ROUNDING)]
    assert "Of 4 pictures with a danger, 3 raised an alarm (75\u00a0%" in evaluated.text
    assert "1 of 2 alerts named a hazard that was not there" in evaluated.text


def test_the_operating_curve_has_a_dot_for_each_shift(evaluated: Evaluated) -> None:
    chart, curve = evaluated.charts["operating"], evaluated.report["videos"]["operating_curve"]
    heights = [y for _, y in shares(chart, "operating/operating-line")]
    assert heights == pytest.approx([one["in_time"] for one in curve], abs=ROUNDING)
    assert shares(chart, "operating/operating-point")[0][1] == pytest.approx(1.0, abs=ROUNDING)


def test_every_clip_has_its_timeline(evaluated: Evaluated) -> None:
    clip, other = evaluated.charts["clip0"], evaluated.charts["clip1"]
    # Rows: fire, which was labelled, and dog, which was alerted of.
    assert has(clip, "clip0-label0")
    assert not has(clip, "clip0-label1")
    assert has(clip, "clip0-alert0-0-right")
    assert has(clip, "clip0-alert1-0-wrong")
    # The threshold's line goes from the first second to the last.
    (left, _), (right, _) = points(part(clip, "clip0-threshold00"))
    x, _ = points(part(clip, "clip0-alert0-0-right"))[0]
    assert (x - left) / (right - left) == pytest.approx(8.4 / 20, abs=ROUNDING)
    # Nothing was labelled or alerted of: the hazard that came closest is shown.
    assert has(other, "clip1-score0")
    assert not has(other, "clip1-score1")


def test_a_page_has_each_identifier_once_and_no_colour_of_its_own(evaluated: Evaluated) -> None:
    ids = [one.get("id") for chart in evaluated.charts.values() for one in chart.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    drawn = "".join(re.findall(r"<svg.*?</svg>", evaluated.text, re.DOTALL))
    assert not re.search(r"(fill|stroke): #", drawn)
    assert "prefers-color-scheme: dark" in evaluated.text


def test_a_long_recording_keeps_its_peaks() -> None:
    times, values = np.arange(100_000, dtype=np.float64), np.zeros(100_000)
    values[70_001] = 1.0
    kept_times, kept = thin(times, values)
    assert len(kept) <= 2 * BINS
    assert kept_times[kept.argmax()] == 70_001


def test_a_calibration_shows_thresholds_and_alerts_before_and_now(settings: Settings) -> None:
    plan = make_plan(series(0.7), HAZARDS, settings.watch, 1.0)
    assert plan.alerts_before > plan.alerts == 0
    made = FootageCalibration(None, "m", plan, series(0.7), tuple(HAZARDS))
    text = calibration_page(settings, made, "rtsp://user:secret@camera/1")
    charts = charts_of(text)
    assert set(charts) == {"thresholds-chart", "footage"}
    bars = charts["thresholds-chart"]
    before, now = (points(part(bars, f"thresholds-chart-{key}0"))[0][0] for key in ("before", "value"))
    assert before < now
    kept = [points(part(bars, f"thresholds-chart-{key}1"))[0][0] for key in ("before", "value")]
    assert kept[0] == kept[1]
    assert has(charts["footage"], "footage-alert0-0-before")
    assert "secret" not in text
    assert "nothing was changed" in text


def test_a_bench_shows_quartiles_beside_targets() -> None:
    figures = [
        Figure.median("a.fast_ms", [1.0, 2.0, 3.0], "ms", at_most(4)),
        Figure.median("a.slow_ms", [5.0, 6.0, 7.0], "ms", at_most(4)),
        Figure("a.rate", 2.0, "1/s", at_least(1)),
        unmeasured("b.absent", "ratio", at_least(1), "needs torch"),
    ]
    text = bench_page(figures, bench_report(figures, 0.0))
    charts = charts_of(text)
    assert set(charts) == {"bench0-0", "bench0-1"}
    chart = charts["bench0-0"]
    low, high = (x for x, _ in points(part(chart, "bench0-0-spread0")))
    value = points(part(chart, "bench0-0-value0"))[0][0]
    target = points(part(chart, "bench0-0-target0"))[0][0]
    # Quartiles 1.5 and 2.5 about the median 2; the target is 4.
    assert (value - low) / (high - low) == pytest.approx(0.5, abs=0.01)
    assert (target - value) / (high - low) == pytest.approx(2.0, abs=0.01)
    assert "2 of 4 targets are met; short: a.slow_ms (6 ms, &lt;= 4), b.absent (not measured" in text


def test_a_bench_draws_the_frames_behind_a_figure() -> None:
    took = (0.010,) * 90 + (0.020,) * 9 + (0.080,)
    ended = tuple(float(end) for end in np.cumsum(took))
    trace = FrameTrace(ended, took, ((1.0, 61.0),))
    figure = Figure("pipeline.frame_ms_p99", 20.0, "ms", note="starter", trace=trace)
    text = bench_page([figure], bench_report([figure], 0.0))
    charts = charts_of(text)
    assert {"trace0-0-times", "trace0-0-rate"} <= set(charts)
    assert "Histogram of 100 frames: median 10.0 ms" in text
    assert "slowest 80.0 ms" in text
    assert "processor 61 to 61 degrees Celsius" in text
    times = charts["trace0-0-times"]
    median, slow = (points(part(times, f"trace0-0-times-{q}"))[0][0] for q in ("p50", "p99"))
    assert median < slow
    assert has(charts["trace0-0-rate"], "trace0-0-rate-heat")
    assert "trace" not in figure.as_json()


def test_every_frame_stands_in_the_histogram() -> None:
    counts, edges = bins(np.array([1.0, 2.0, 3.0] * 100 + [500.0]))
    assert counts.sum() == 301
    # One frame of 500 ms must not squeeze the others into the first bar.
    assert edges[-1] < 10


WITHOUT = """
import json, sys
sys.modules["matplotlib"] = None
from daemon.bench.figures_page import page
from daemon.bench.harness import Figure
from daemon.cli.bench import report
figures = [Figure("a.rate", 2.0, "1/s")]
print(json.dumps(page(figures, report(figures, 0.0))))
"""


def test_without_matplotlib_the_page_says_what_brings_the_curves() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    text = json.loads(done.stdout)
    assert "<svg" not in text
    assert "a.rate" in text
    assert "[report]" in text


def test_no_report_is_imported_before_it_is_asked_for() -> None:
    """Matplotlib takes half a second: only a page with charts may load it."""
    code = "import sys, daemon.cli.evaluate, daemon.cli.calibrate; sys.exit('matplotlib' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60, check=False).returncode == 0
