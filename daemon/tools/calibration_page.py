"""`calibrate --html`: thresholds before and now, alerts an hour, and a timeline of the footage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from common.redact import redact
from daemon.config.settings import Settings
from daemon.report.charts import MAX_ROWS, Bar, Kind, TimelineRow, draw_bars, timeline_chart
from daemon.report.document import (
    charts,
    curves_hint,
    document,
    heading,
    table,
    text,
    timeline_key,
    wide_chart,
)
from daemon.report.svg import Chart
from daemon.tools.calibrate import FootageCalibration
from daemon.tools.calibrate_labelled import LabelledScores
from daemon.tools.report_charts import highest_excess, reliability_chart
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.fit_thresholds import ThresholdChoice, ThresholdPlan
from pipeline.calibration.sweep import replay_alerts
from pipeline.evaluation.picture_scores import PictureScores
from pipeline.evaluation.reliability import reliability

NEAR = 2.0
"""Log-odds below its threshold within which a hazard that never alerted is worth a look."""
_BAR = 28


def page(settings: Settings, made: FootageCalibration, source: str) -> str:
    """The whole page as HTML. Everything that comes from outside is escaped."""
    plan, source = made.plan, redact(source)
    parts = [
        f"<h1>Calibration on {text(source)}</h1>",
        f'<p class="lead">{text(_headline(plan))}</p>',
        f'<p class="note">Model {text(made.model)}. {text(_kept(made))}</p>',
        *curves_hint(),
        heading("thresholds", "Thresholds"),
        *wide_chart(*_threshold_chart(plan)),
        _threshold_table(plan),
        *_reliability(made),
        heading("timeline", "The footage"),
        "<p>Probabilities before the normal view is taken off. Nothing in the footage is dangerous, so "
        "every alert is a false one.</p>",
        *timeline_key(before=True),
        *wide_chart(_timeline(settings, made)),
    ]
    return document(f"calibration on {source}", parts)


def _headline(plan: ThresholdPlan) -> str:
    before, now = (_rate(plan, count) for count in (plan.alerts_before, plan.alerts))
    return (
        f"{plan.hours * 60:.1f} minutes of harmless footage had {before} with the thresholds before "
        f"and {now} with those chosen now. The budget is {plan.budget_per_hour:g} an hour."
    )


def _rate(plan: ThresholdPlan, count: int) -> str:
    rate, low, high = plan.rate(count)
    return f"{count} alerts ({rate:.1f} an hour, 95\u00a0% interval {low:.1f} to {high:.1f})"


def _kept(made: FootageCalibration) -> str:
    return "Dry run: nothing was changed." if made.place is None else f"Written to {made.place}."


def _threshold_table(plan: ThresholdPlan) -> str:
    rows = [
        (
            text(one.hazard),
            f"{one.before:.3f}",
            f"{one.threshold:.3f}{_interval(one)}",
            *(f"{count} ({count / plan.hours:.1f})" for count in (one.alerts_before, one.alerts)),
            text(one.basis),
        )
        for one in plan.choices
    ]
    head = ("hazard", "before", "now", "alerts before (an hour)", "alerts now (an hour)", "from")
    return table("Thresholds", head, rows)


def _interval(one: ThresholdChoice) -> str:
    return f" <small>[{one.interval[0]:.3f}, {one.interval[1]:.3f}]</small>" if one.interval else ""


def _threshold_chart(plan: ThresholdPlan) -> tuple[Chart, str]:
    bars = [
        Bar(one.hazard, one.threshold, *(one.interval or (one.threshold, one.threshold)), before=one.before)
        for one in plan.choices
    ]
    said = " ".join(f"{one.hazard} {one.before:.3f} before, {one.threshold:.3f} now." for one in plan.choices)
    chart = Chart(
        "thresholds-chart",
        "Thresholds before and now",
        said,
        360,
        60 + _BAR * len(bars),
        partial(draw_bars, bars=bars, unit="probability", x_limits=(0.0, 1.0)),
    )
    return chart, "Triangle: threshold before. Dot: threshold now, with its 95 % interval if extrapolated."


def _timeline(settings: Settings, made: FootageCalibration) -> Chart:
    now = [
        replace(one, threshold=choice.threshold)
        for one, choice in zip(made.hazards, made.plan.choices, strict=True)
    ]
    alerts = {name: list[tuple[float, Kind]]() for name in (one.name for one in now)}
    usual_s = settings.pipeline.usual_s
    kinds: Sequence[tuple[Kind, Sequence[HazardThreshold]]] = (("before", made.hazards), ("wrong", now))
    for kind, hazards in kinds:
        for one in replay_alerts(made.footage, hazards, settings.watch, usual_s).alerts:
            alerts[one.hazard].append((one.time_s, kind))
    columns = _loudest(made, now, alerts)
    start_s = float(made.footage.times_s[0])
    rows = [
        TimelineRow(
            now[column].name,
            made.footage.times_s - start_s,
            np.asarray(made.footage.probabilities[:, column], np.float64),
            [("before", made.hazards[column].threshold), ("now", now[column].threshold)],
            (),
            [(time_s - start_s, kind) for time_s, kind in alerts[now[column].name]],
        )
        for column in columns
    ]
    said = " ".join(
        f"{row.name}: {_count(row, 'before')} alerts before, {_count(row, 'wrong')} now." for row in rows
    )
    return timeline_chart("footage", "Scores over the footage", said, rows, made.footage.seconds)


def _count(row: TimelineRow, kind: Kind) -> int:
    return sum(one == kind for _, one in row.alerts)


def _loudest(
    made: FootageCalibration, now: Sequence[HazardThreshold], alerts: Mapping[str, Sequence[object]]
) -> list[int]:
    """Columns of the hazards with the most alerts, then of those closest to their thresholds."""
    excess = highest_excess(made.footage, now)
    order = sorted(range(len(now)), key=lambda place: (-len(alerts[now[place].name]), -float(excess[place])))
    worth = [place for place in order if alerts[now[place].name] or excess[place] >= -NEAR]
    # The closest one in any case: a page without a line would tell nothing.
    return (worth or order[:1])[:MAX_ROWS]


def _reliability(made: FootageCalibration) -> Iterable[str]:
    """Only if pictures with labels were given."""
    groups = {
        word: reliability(_scores(made, labelled), np.array([one.source for one in labelled.pictures]))[
            "pooled"
        ]
        for word, labelled in (("before", made.labelled_before), ("now", made.labelled_now))
        if labelled is not None and labelled.pictures
    }
    if not groups:
        return
    yield heading("reliability-head", "Reliability on the labelled pictures")
    chart, caption = reliability_chart("reliability", groups)
    yield from charts([(chart, f"{caption} The lines now were fitted to these very pictures.")])


def _scores(made: FootageCalibration, labelled: LabelledScores) -> PictureScores:
    return PictureScores(
        [one.name for one in made.hazards],
        labelled.rows,
        np.array([one.threshold for one in made.hazards]),
        [picture.labels for picture in labelled.pictures],
        [picture.uncertain for picture in labelled.pictures],
    )
