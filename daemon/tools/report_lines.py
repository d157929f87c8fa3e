"""The figures of `watchword evaluate` as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_HAZARD = {
    "auc": "AUC",
    "average_precision": "average precision",
    "recall": "recall",
    "precision": "precision",
    "recall_at_5_percent": "recall at 5 %",
}
_WAYS = {"calibration": "lines", "heads": "heads"}
_HEADLINES = (
    ("any_hazard", "AUC", "auc"),
    ("safe", "false alarms", "false_alarm_rate"),
    ("macro", "mean recall", "recall"),
    ("any_hazard", "dangers found at 5 % false alarms", "recall_at_5_percent"),
)
SOURCES_SHOWN = 12
"""Sources that are printed, those with the most mistakes first; all are in the JSON."""


def readable(report: Mapping[str, Any]) -> Iterable[str]:
    """The figures as lines; in brackets the 95 % interval, "unknown" if it rests on a single source."""
    if "cross_validation" in report:
        yield from _cross_validation_lines(report)
    if "hazards" in report:
        yield from _picture_lines(report)
    if "videos" in report:
        yield from _clip_lines(report["videos"])


def _cross_validation_lines(report: Mapping[str, Any]) -> Iterable[str]:
    """Lines about the folds, the hazards that were not fitted, and the same media without any fit."""
    made = report["cross_validation"]
    yield (
        f"each source judged by {_WAYS[made['fitted']]} fitted to the others: "
        f"{made['sources']} sources in {made['folds']} folds"
    )
    if not made["sources_stated"]:
        yield "no file states its source, so each counts as one: pictures taken together flatter the figures"
    if count := made["left_out_clips"]:
        yield f"{count} clips made of others are left out"
    for name, one in made["hazards"].items():
        if one["fitted_in"] < made["folds"]:
            fitted_in = f"fitted in {one['fitted_in']} of {made['folds']} folds"
            yield f"{name:20} {fitted_in}, else as shipped: {one['reason']}"
    before = made["as_shipped"]
    for key, title, figure in _HEADLINES:
        if key in before:
            yield f"{title}: as shipped {_figure(before[key], figure)}, fitted {_figure(report[key], figure)}"
    if "videos" in before:
        for word, one in (("as shipped", before["videos"]), ("fitted", report["videos"])):
            yield f"clips, {word}: {_counts(one)}"


def _picture_lines(report: Mapping[str, Any]) -> Iterable[str]:
    any_hazard, macro, safe = report["any_hazard"], report["macro"], report["safe"]
    yield f"any hazard against safe: AUC {_figure(any_hazard, 'auc')}"
    yield f"false alarms on {safe['pictures']} safe pictures: {_figure(safe, 'false_alarm_rate')}"
    yield f"mean over hazards: recall {_figure(macro, 'recall')}, precision {_figure(macro, 'precision')}"
    yield (
        f"at 5 % false alarms: dangers found {_figure(any_hazard, 'recall_at_5_percent')}, "
        f"mean recall of hazards {_figure(macro, 'recall_at_5_percent')}"
    )
    heads = "".join(f"{head:22}" for head in _HAZARD.values())
    yield f"{'hazard':20} {'pictures':>8}  {heads}".rstrip()
    for name, one in report["hazards"].items():
        figures = "".join(f"{_figure(one, key):22}" for key in _HAZARD)
        yield f"{name:20} {one['pictures']:>8}  {figures}{few_sources(one)}".rstrip()
    yield "over threshold, by label:"
    for label, counts in report["confusion"].items():
        yield f"{label:20} " + ", ".join(f"{name} {n}" for name, n in counts.items())
    yield from _reliability_lines(report["reliability"])
    yield from _picture_sources(report["sources"])


def few_sources(one: Mapping[str, Any]) -> str:
    """A note on a hazard whose pictures or clips come from too few sources."""
    return f"few sources ({one['sources']})" if one["few_sources"] else ""


def _reliability_lines(reliability: Mapping[str, Any]) -> Iterable[str]:
    error = reliability["expected_calibration_error"]
    if error is None:
        return
    yield f"reliability over all hazards (expected calibration error {error:.3f}):"
    yield f"{'probability':12} {'pairs':>8} {'mean':>7}  shown"
    for one in reliability["pooled"]:
        mean, shown = one["mean_probability"], _figure(one, "share_shown")
        yield f"{_bounds(one):12} {one['pairs']:>8} {mean:>7.3f}  {shown}"
    for name, bins in reliability["hazards"].items():
        cells = (f"{_bounds(b)} {b['mean_probability']:.2f} -> {b['share_shown']:.2f}" for b in bins)
        yield f"{name:20} " + ", ".join(cells)


def _bounds(one: Mapping[str, Any]) -> str:
    return f"{one['from']:.1f} to {one['to']:.1f}"


def _picture_sources(sources: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    """Nothing if every picture is a source of its own: the manifest then states none."""
    if len(sources) >= sum(one["safe"] + one["dangers"] for one in sources.values()):
        return
    mistakes = {name: one["false_alarms"] + one["dangers"] - one["named"] for name, one in sources.items()}
    shown = sorted(sources, key=lambda name: -mistakes[name])[:SOURCES_SHOWN]
    yield f"by source ({len(shown)} of {len(sources)}, most mistakes first):"
    for name in shown:
        one = sources[name]
        yield (
            f"{name:48} false alarms {one['false_alarms']} of {one['safe']}; "
            f"dangers named {one['named']}, alarmed {one['alarmed']} of {one['dangers']}"
        )


def _clip_lines(videos: Mapping[str, Any]) -> Iterable[str]:
    yield f"clips: {_in_time(videos)} hazards alerted within 1 s: {_figure(videos, 'in_time')}"
    yield f"median time to alert in seconds: {_figure(videos, 'median_time_to_alert_s')}"
    yield (
        f"false alerts: {videos['false_alerts_on_safe']} in {videos['safe_hours'] * 60:.1f} safe minutes; "
        f"an hour: {_figure(videos, 'false_alerts_per_hour')}"
    )
    yield (
        f"wrong alerts: {videos['wrong_alerts']} of {videos['alerts']} name what is not there, "
        f"{videos['wrong_alerts_in_danger']} of them beside another hazard; "
        f"share: {_figure(videos, 'wrong_alert_share')}"
    )
    if named := videos["wrong_alerts_by_hazard"]:
        yield "wrongly named: " + ", ".join(f"{name} {count}" for name, count in named.items())
    found, scenes = videos["scenes_found"], videos["scenes"]
    yield f"scene changes: {found} of {scenes} found, {videos['scenes_extra']} more"
    for motion, one in videos["camera"].items():
        yield f"{motion} camera: {_counts(one)}"
    if videos["by_hazard"]:
        yield "hazards in time:"
    for name, one in videos["by_hazard"].items():
        yield f"{name:20} {one['in_time']} of {one['spans']}  {few_sources(one)}".rstrip()
    yield from _clip_sources(videos["sources"])
    yield from _curve_lines(videos.get("operating_curve", ()))


def _clip_sources(sources: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    if len(sources) < 2:
        return
    shown = sorted(sources, key=lambda name: -sources[name]["wrong_alerts"] - sources[name]["late_or_missed"])
    yield f"by source ({min(SOURCES_SHOWN, len(shown))} of {len(shown)}, most mistakes first):"
    for name in shown[:SOURCES_SHOWN]:
        yield f"{name:48} {_counts(sources[name])}"


def _curve_lines(curve: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for position, one in enumerate(curve):
        if position == 0:
            yield "all thresholds moved by so many log-odds:"
        yield f"{one['log_odds']:+5.1f}  {_counts(one)}"


def _counts(one: Mapping[str, Any]) -> str:
    rate = _figure(one, "false_alerts_per_hour")
    return (
        f"{_in_time(one)} hazards in time; {one['false_alerts_on_safe']} false alerts in "
        f"{one['safe_hours'] * 60:.1f} safe minutes, an hour {rate}; "
        f"{one['wrong_alerts']} of {one['alerts']} alerts wrong"
    )


def _in_time(one: Mapping[str, Any]) -> str:
    return f"{one['hazards'] - one['late_or_missed']} of {one['hazards']}"


def _figure(part: Mapping[str, Any], key: str) -> str:
    value, interval = part[key], part[f"{key}_ci"]
    if value is None:
        return "-"
    return f"{value:.3f} " + (f"[{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "[unknown]")
