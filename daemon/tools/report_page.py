"""`evaluate --html`: figures, curves, timelines and the worst mistakes on one page that needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daemon.report.document import (
    charts,
    contents,
    curves_hint,
    document,
    figure,
    heading,
    scroll_start,
    table,
    text,
    timeline_key,
    wide_chart,
)
from daemon.tools.evaluate import EvaluationDetails
from daemon.tools.report_charts import clip_timeline, hazard_curves, operating_chart, picture_curves
from daemon.tools.report_headline import clip_headline, picture_headline
from daemon.tools.report_lines import few_sources
from daemon.tools.report_mistakes import gallery
from pipeline.evaluation.picture_scores import PictureScores

_SECTIONS = {
    "pictures": "Pictures",
    "hazards": "By hazard",
    "confusion": "Over threshold, by label",
    "clips": "Clips",
    "timelines": "Clip by clip",
    "misses": "Misses",
    "false-alarms": "False alarms",
}
_OF_PICTURES, _OF_CLIPS = ("pictures", "hazards", "confusion"), ("clips", "timelines")


def page(report: Mapping[str, Any], details: EvaluationDetails, manifest: str) -> str:
    """The whole page as HTML. Everything that comes from outside is escaped."""
    left_out = {*(() if "hazards" in report else _OF_PICTURES), *(() if "videos" in report else _OF_CLIPS)}
    parts = [
        f"<h1>Evaluation of {text(manifest)}</h1>",
        *_headlines(report),
        f'<p class="note">Model {text(report["model"])}. In brackets: 95 % intervals; unknown if a figure '
        "rests on a single source.</p>",
        *curves_hint(),
        contents({key: title for key, title in _SECTIONS.items() if key not in left_out}),
    ]
    if "hazards" in report:
        parts += _pictures(report, details.pictures)
    if "videos" in report:
        parts += _clips(report["videos"], details)
    parts += gallery("misses", "Misses", details.mistakes.misses)
    parts += gallery("false-alarms", "False alarms", details.mistakes.false_alarms)
    return document(manifest, parts)


def _headlines(report: Mapping[str, Any]) -> Iterable[str]:
    lines = [picture_headline(report)] if "hazards" in report else []
    lines += [clip_headline(report["videos"])] if "videos" in report else []
    for line in lines:
        yield f'<p class="lead">{text(line)}</p>'


def _pictures(report: Mapping[str, Any], scores: PictureScores | None) -> Iterable[str]:
    yield heading("pictures", "Pictures")
    if scores is not None:
        yield from charts(picture_curves(report, scores))
    yield from _summary(report)
    yield heading("hazards", "By hazard")
    if scores is not None:
        yield (
            "<p>Against the safe pictures. Left: share found, by the share of false alarms. Right: share of "
            "alarms that are right, by the share found.</p>"
        )
        yield from charts(hazard_curves(report, scores))
    yield from _hazards(report["hazards"])
    yield from _confusion(report["confusion"])


def _clips(videos: Mapping[str, Any], details: EvaluationDetails) -> Iterable[str]:
    yield heading("clips", "Clips")
    yield from charts(operating_chart(videos))
    yield from _videos(videos)
    yield heading("timelines", "Clip by clip")
    yield from _timelines(details)


def _timelines(details: EvaluationDetails) -> Iterable[str]:
    """Of each clip its alerts in words, and the scores of the hazards that were labelled or alerted of."""
    yield from timeline_key()
    for number, replayed in enumerate(details.clips):
        timeline = clip_timeline(replayed, f"clip{number}")
        yield f"<h3>{text(timeline.name)}</h3><p>{text(timeline.summary)}</p>"
        if timeline.chart is not None:
            yield from wide_chart(timeline.chart)


def _summary(report: Mapping[str, Any]) -> Iterable[str]:
    macro, safe = report["macro"], report["safe"]
    rows = [
        ("any hazard against safe: AUC", figure(report["any_hazard"], "auc")),
        (f"false alarms on {safe['pictures']} safe pictures", figure(safe, "false_alarm_rate")),
        ("dangers found at 5 % false alarms", figure(report["any_hazard"], "recall_at_5_percent")),
        ("mean recall of hazards at 5 % false alarms", figure(macro, "recall_at_5_percent")),
        *((f"mean over hazards: {title}", figure(macro, key)) for key, title in _MACRO.items()),
    ]
    yield table("Figures of pictures", None, [(text(name), figure) for name, figure in rows])


_MACRO = {
    "recall": "recall",
    "any_recall": "recall, any alarm counted",
    "precision": "precision",
    "auc": "AUC",
}
_HAZARD = ("auc", "average_precision", "recall", "precision")


def _hazards(hazards: Mapping[str, Any]) -> Iterable[str]:
    head = ("hazard", "pictures", "AUC", "average precision", "recall", "precision")
    rows = [
        (text(f"{name} {few_sources(one)}"), str(one["pictures"]), *(figure(one, key) for key in _HAZARD))
        for name, one in hazards.items()
    ]
    yield table("Figures by hazard", head, rows)


def _confusion(confusion: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    """Rows: labels of pictures; columns: hazards over their thresholds."""
    columns = sorted({name for counts in confusion.values() for name in counts})
    yield heading("confusion", "Over threshold, by label")
    yield "<p>A picture may be over several thresholds, or over none.</p>"
    heads = "".join(f'<th scope="col">{text(name)}</th>' for name in columns)
    yield scroll_start("Over threshold, by label")
    yield f'<table class="confusion"><thead><tr><td></td>{heads}</tr></thead><tbody>'
    for label, counts in confusion.items():
        cells = "".join(_cell(label, name, counts.get(name, 0)) for name in columns)
        yield f'<tr><th scope="row">{text(label)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _cell(label: str, name: str, count: int) -> str:
    # The diagonal is right; anything in the row of safe pictures is a false alarm.
    kind = ' class="right"' if label == name else ' class="wrong"' if label == "safe" else ""
    return f"<td{kind}>{count}</td>" if count else "<td></td>"


def _videos(videos: Mapping[str, Any]) -> Iterable[str]:
    in_time = videos["hazards"] - videos["late_or_missed"]
    rows = [
        ("hazards alerted within 1 s", f"{in_time} of {videos['hazards']}"),
        ("share of them", figure(videos, "in_time")),
        ("median time to alert in seconds", figure(videos, "median_time_to_alert_s")),
        ("safe footage", f"{videos['safe_hours'] * 60:.1f} minutes"),
        ("false alerts on it", str(videos["false_alerts_on_safe"])),
        ("false alerts an hour", figure(videos, "false_alerts_per_hour")),
        ("alerts that name what is not there", f"{videos['wrong_alerts']} of {videos['alerts']}"),
        ("share of them", figure(videos, "wrong_alert_share")),
        (
            "scene changes found",
            f"{videos['scenes_found']} of {videos['scenes']}, {videos['scenes_extra']} more",
        ),
    ]
    yield table("Figures of clips", None, [(text(name), value) for name, value in rows])
    if curve := videos.get("operating_curve"):
        yield "<h3>All thresholds moved together</h3>"
        yield table("All thresholds moved together", _CURVE, [_curve_point(one) for one in curve])


_CURVE = ("log-odds", "hazards within 1 s", "false alerts an hour", "wrong alerts")


def _curve_point(one: Mapping[str, Any]) -> Sequence[str]:
    in_time = one["hazards"] - one["late_or_missed"]
    return (
        f"{one['log_odds']:+.1f}",
        f"{in_time} of {one['hazards']}",
        figure(one, "false_alerts_per_hour"),
        f"{one['wrong_alerts']} of {one['alerts']}",
    )
