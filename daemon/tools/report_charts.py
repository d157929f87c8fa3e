"""Charts of an evaluation, from the same scores and events as its figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.report.charts import MAX_ROWS, Curve, Kind, Mark, Plot, TimelineRow, draw_plots, timeline_chart
from daemon.report.svg import Chart
from daemon.tools.evaluate import ReplayedClip
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.clip_counts import AlertTime, hazard_spans, is_judged, is_late, is_wrong, wait_for
from pipeline.evaluation.dataset import LabelledClip
from pipeline.evaluation.picture_scores import PictureScores
from pipeline.evaluation.ranking import precision_recall_curve, roc_curve
from pipeline.log_odds import logits

FEW = 16
"""Hazards of which each gets curves; of more, those with the most pictures."""
_SIDE = 340

Drawn = tuple[Chart, str]
"""A chart and its caption."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Shares at the thresholds in force."""

    false_alarms: float
    recall: float
    precision: float
    recall_interval: Sequence[float] | None = None
    false_alarm_interval: Sequence[float] | None = None


def picture_curves(report: Mapping[str, Any], scores: PictureScores) -> Iterable[Drawn]:
    """ROC and precision-recall curve of "any hazard", all thresholds moved together; the reliability."""
    dangers, safe = scores.any_excess()
    if len(dangers) and len(safe):
        everything = np.arange(len(scores.safe))
        point = _point(
            scores.any_recall_of_dangers(everything), len(dangers), scores.false_alarms(everything), len(safe)
        )
        point = replace(
            point,
            recall_interval=report["any_hazard"]["recall_ci"],
            false_alarm_interval=report["safe"]["false_alarm_rate_ci"],
        )
        yield from _any_hazard(dangers, safe, point)
    if bins := report["reliability"]["pooled"]:
        yield reliability_chart("reliability", {"": bins})


def _any_hazard(dangers: NDArray[Any], safe: NDArray[Any], point: OperatingPoint) -> Iterable[Drawn]:
    said = _said(point)
    yield (
        _square("roc", "Dangers found against false alarms", said, [_roc(dangers, safe, point)]),
        "ROC curve of any hazard: all thresholds moved together. Bars at the diamond: 95 % intervals.",
    )
    yield (
        _square(
            "precision-recall", "Precision against dangers found", said, [_precision(dangers, safe, point)]
        ),
        "Precision-recall curve of any hazard: of all pictures with an alarm, the share that shows a danger.",
    )


def hazard_curves(report: Mapping[str, Any], scores: PictureScores) -> Iterable[Drawn]:
    """Both curves of each hazard against the safe pictures, small."""
    names = sorted(report["hazards"], key=lambda name: -report["hazards"][name]["pictures"])[:FEW]
    for place, name in enumerate(sorted(names, key=list(report["hazards"]).index)):
        column = scores.names.index(name)
        shown, safe = scores.against_safe(column)
        if not len(shown) or not len(safe):
            continue
        rows = np.arange(len(scores.safe))
        false = scores.over[:, column][scores.safe & scores.known[:, column]]
        point = _point(scores.recall(column, rows), len(shown), float(false.mean()), len(safe))
        plots = [
            _roc(shown, safe, point, "found / false alarms"),
            _precision(shown, safe, point, "precision / found"),
        ]
        one = report["hazards"][name]
        title = (
            f"{name}: AUC {one['auc']:.3f}, average precision {one['average_precision']:.3f}, "
            f"{len(shown)} pictures"
        )
        chart = Chart(f"hazard{place}", title, _said(point), _SIDE, 175, partial(draw_plots, plots=plots))
        yield chart, title


def _point(
    recall: float | None, positives: int, false_alarms: float | None, negatives: int
) -> OperatingPoint:
    found, false = (recall or 0.0), (false_alarms or 0.0)
    alarms = found * positives + false * negatives
    # Without any alarm none is wrong.
    return OperatingPoint(false, found, found * positives / alarms if alarms else 1.0)


def _said(point: OperatingPoint) -> str:
    return (
        f"At the thresholds in force {point.recall:.1%} are found at {point.false_alarms:.1%} false alarms; "
        f"{point.precision:.1%} of the alarms are right."
    )


def _roc(positives: NDArray[Any], negatives: NDArray[Any], point: OperatingPoint, title: str = "") -> Plot:
    """With a title it is a small plot, without room for a legend and the names of its axes."""
    line = Curve("roc-curve", "", *roc_curve(positives, negatives))
    mark = Mark(
        "roc-point",
        "thresholds in force",
        point.false_alarms,
        point.recall,
        point.false_alarm_interval,
        point.recall_interval,
        named=not title,
    )
    labels = ("", "") if title else ("share of safe pictures with an alarm", "share of dangers found")
    return Plot([line], [mark], *labels, title=title, diagonal=True)


def _precision(
    positives: NDArray[Any], negatives: NDArray[Any], point: OperatingPoint, title: str = ""
) -> Plot:
    """With a title it is a small plot, as in `_roc`."""
    line = Curve("precision-curve", "", *precision_recall_curve(positives, negatives), steps=True)
    mark = Mark("precision-point", "thresholds in force", point.recall, point.precision, named=not title)
    labels = ("", "") if title else ("share of dangers found", "share of alarms that are right")
    return Plot([line], [mark], *labels, title=title)


def reliability_chart(key: str, groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> Drawn:
    """How often a hazard was there, by the probability given; one line for each name."""
    lines = [
        Curve(
            f"reliability-line{place}",
            name,
            [one["mean_probability"] for one in bins],
            [one["share_shown"] for one in bins],
            dots=True,
            intervals=[one.get("share_shown_ci") for one in bins],
        )
        for place, (name, bins) in enumerate(groups.items())
    ]
    said = " ".join(
        f"{name} {one['mean_probability']:.2f} given, {one['share_shown']:.2f} shown.".strip()
        for name, bins in groups.items()
        for one in bins
    )
    labels = ("probability given", "share that shows the hazard")
    plot = Plot(lines, [], *labels, legend="upper left", diagonal=True)
    caption = (
        "Reliability over all hazards: on the dotted line a probability of 0.8 is right 8 times in 10. "
        "Bars: 95 % intervals, where known."
    )
    return _square(key, "Reliability of probabilities", said, [plot]), caption


def operating_chart(videos: Mapping[str, Any]) -> Iterable[Drawn]:
    """Recall against false alerts an hour, all thresholds moved together, and the thresholds in force."""
    curve = [
        one
        for one in videos.get("operating_curve", ())
        if one["in_time"] is not None and one["false_alerts_per_hour"] is not None
    ]
    if not curve:
        return
    points = [(one["false_alerts_per_hour"], one["in_time"]) for one in curve]
    shipped = next(one for one in curve if one["log_odds"] == 0)
    mark = Mark(
        "operating-point",
        "thresholds in force",
        shipped["false_alerts_per_hour"],
        shipped["in_time"],
        y_interval=videos["in_time_ci"],
    )
    ends = [(*points[place], f"{curve[place]['log_odds']:+g}") for place in (0, -1)]
    line = Curve("operating-line", "", [x for x, _ in points], [y for _, y in points], dots=True, notes=ends)
    # No clip had a false alert: the curve is a line on the axis, which must not be the edge of the plot.
    end = max(1.0, *(1.05 * x for x, _ in points))
    plot = Plot([line], [mark], "false alerts an hour", "share of hazards alerted of in 1 s", x_end=end)
    said = (
        f"With the thresholds in force {mark.y:.1%} of the hazards in time "
        f"at {mark.x:.1f} false alerts an hour."
    )
    yield (
        _square("operating", "Hazards in time against false alerts an hour", said, [plot], width=480),
        "Each dot is one shift of all thresholds, from the table below; the ends have their log-odds.",
    )


@dataclass(frozen=True, slots=True)
class ClipTimeline:
    """A clip's name, its alerts in words, and the drawing; None if it has no frame."""

    name: str
    summary: str
    chart: Chart | None


def clip_timeline(replayed: ReplayedClip, key: str) -> ClipTimeline:
    """The scores of the hazards that were labelled or alerted of, with thresholds, labels and alerts.

    If there are none: of the hazard that came closest to its threshold.
    """
    clip, events = replayed.judged.clip, replayed.events
    rows = _rows(replayed)
    summary = _summary(replayed, [row.name for row in rows])
    if not rows or not len(replayed.judged.series.times_s):
        return ClipTimeline(clip.path.name, summary, None)
    chart = timeline_chart(key, f"Scores over {clip.path.name}", summary, rows, max(events.duration_s, 0.1))
    return ClipTimeline(clip.path.name, summary, chart)


def _rows(replayed: ReplayedClip) -> list[TimelineRow]:
    clip, events, series = replayed.judged.clip, replayed.events, replayed.judged.series
    labelled = [span.label for span in hazard_spans(clip)]
    wanted = list(dict.fromkeys([*labelled, *(alert.hazard for alert in events.alerts)])) or _closest(
        replayed
    )
    columns = {one.name: column for column, one in enumerate(replayed.judged.hazards)}
    return [
        TimelineRow(
            name,
            series.times_s,
            np.asarray(series.probabilities[:, columns[name]], np.float64),
            [("threshold", replayed.judged.hazards[columns[name]].threshold)],
            [(span.start_s, span.end_s) for span in clip.spans if span.label == name],
            [(alert.time_s, kind(clip, alert)) for alert in events.alerts if alert.hazard == name],
        )
        for name in [name for name in wanted if name in columns][:MAX_ROWS]
    ]


def _closest(replayed: ReplayedClip) -> list[str]:
    """The hazard whose probability came closest to its threshold, in log-odds."""
    hazards, series = replayed.judged.hazards, replayed.judged.series
    if not hazards or series.probabilities.shape[1] != len(hazards):
        return []
    return [hazards[int(highest_excess(series, hazards).argmax())].name]


def highest_excess(series: ScoreSeries, hazards: Sequence[HazardThreshold]) -> NDArray[np.float64]:
    """Of each hazard the log-odds by which its highest probability is over its threshold, (H,)."""
    thresholds = np.array([one.threshold for one in hazards], np.float32)
    return logits(series.probabilities.max(0, initial=0.0)) - logits(thresholds)


def kind(clip: LabelledClip, alert: AlertTime) -> Kind:
    """Right, wrong, or open if it cannot be judged."""
    if not is_judged(clip, alert):
        return "open"
    return "wrong" if is_wrong(clip, alert) else "right"


def _summary(replayed: ReplayedClip, shown: Sequence[str]) -> str:
    """The labelled hazards with their waits, and the wrong alerts."""
    clip, events = replayed.judged.clip, replayed.events
    found = [
        f"{span.label} from {span.start_s:.1f} s {_waited(wait_for(span, events))}"
        for span in hazard_spans(clip)
    ]
    wrong = [f"{one.hazard} at {one.time_s:.1f} s" for one in events.alerts if is_wrong(clip, one)]
    said = "; ".join(found) or "No hazard labelled"
    if not found and not events.alerts and shown:
        said += f"; {shown[0]} came closest to its threshold"
    return f"{said}. Wrong alerts: {', '.join(wrong) or 'none'}."


def _waited(wait_s: float | None) -> str:
    if wait_s is None:
        return "never alerted"
    return f"alerted after {wait_s:.1f} s" + (" (late)" if is_late(wait_s) else "")


def _square(key: str, title: str, said: str, plots: Sequence[Plot], width: int = _SIDE) -> Chart:
    return Chart(key, title, said, width, 300, partial(draw_plots, plots=plots))
