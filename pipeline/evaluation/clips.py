"""Figures of alerts and scene changes on labelled clips: pure arithmetic over events and spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.clip_counts import ClipCounts, ClipEvents, count, hazard_spans, is_late
from pipeline.evaluation.dataset import LabelledClip
from pipeline.evaluation.intervals import Rows, bootstrap_draws, interval, poisson_interval
from pipeline.evaluation.pictures import FEW_SOURCES

Clips = Sequence[tuple[LabelledClip, ClipEvents]]
Counted = Sequence[tuple[LabelledClip, ClipCounts]]


def evaluate_clips(clips: Clips) -> dict[str, Any]:
    """The video part of `evaluate --json`.

    `time_to_alert_s` lists the hazards that were alerted of at all, 0 if one was sounding already.
    `wrong_alerts` name a hazard that is not labelled at that time, inside the spans of other hazards too.
    Beside each figure its 95 % interval: of false alerts an hour Garwood's exact Poisson bounds, else a
    bootstrap over the sources of the clips; None if it is not known.
    """
    counted = [(clip, count(clip, events)) for clip, events in clips]
    return {
        **_counts(counted),
        **_in_time(counted),
        "spans": [
            {
                "clip": clip.path.name,
                "hazard": span.label,
                "start_s": span.start_s,
                "wait_s": None if wait is None else round(wait, 3),
            }
            for clip, n in counted
            for span, wait in zip(hazard_spans(clip), n.waits_s, strict=True)
        ],
        "time_to_alert_s": [round(wait, 3) for wait in _waits(counted) if wait is not None],
        "scenes": sum(n.scenes for _, n in counted),
        "scenes_found": sum(n.found for _, n in counted),
        "scenes_extra": sum(n.extra for _, n in counted),
        **_wrong(counted),
        "by_hazard": _by_hazard(counted),
        "sources": _grouped(counted, lambda clip: clip.source),
        "camera": _grouped(counted, lambda clip: clip.camera),
    }


def count_clips(clips: Clips) -> dict[str, Any]:
    """The counts alone, without bootstrap intervals: a curve asks for them many times."""
    return _counts([(clip, count(clip, events)) for clip, events in clips])


def _counts(counted: Counted) -> dict[str, Any]:
    """The figures that can be counted over any choice of clips."""
    waits = _waits(counted)
    safe_hours = sum(n.safe_s for _, n in counted) / 3600
    false_alerts = sum(n.false_alerts for _, n in counted)
    bounds = (
        [round(bound / safe_hours, 3) for bound in poisson_interval(false_alerts)] if safe_hours else None
    )
    return {
        "hazards": len(waits),
        "late_or_missed": sum(map(is_late, waits)),
        "safe_hours": round(safe_hours, 5),
        "false_alerts_on_safe": false_alerts,
        "false_alerts_per_hour": round(false_alerts / safe_hours, 3) if safe_hours else None,
        "false_alerts_per_hour_ci": bounds or None,
        "alerts": sum(n.alerts for _, n in counted),
        "wrong_alerts": sum(len(n.wrong) for _, n in counted),
    }


def _waits(counted: Counted) -> list[float | None]:
    return [wait for _, n in counted for wait in n.waits_s]


def _in_time(counted: Counted) -> dict[str, Any]:
    """Share of the hazards that were alerted of in time, and the median wait of those alerted of at all."""
    shown = [(clip.source, wait) for clip, n in counted for wait in n.waits_s]
    sources = [source for source, _ in shown]
    # The median wait rests only on the sources in which a hazard was alerted of.
    alerted = {source for source, wait in shown if wait is not None}

    def share(rows: Rows) -> float | None:
        return float(np.mean([not is_late(shown[i][1]) for i in rows])) if len(rows) else None

    def median(rows: Rows) -> float | None:
        waits = [wait for i in rows if (wait := shown[i][1]) is not None]
        return float(np.median(waits)) if waits else None

    everything, *drawn = bootstrap_draws(sources)
    in_time, wait_s = share(everything), median(everything)
    return {
        "in_time": None if in_time is None else round(in_time, 4),
        "in_time_ci": interval(in_time, map(share, drawn), len(set(sources)), counts=True),
        "median_time_to_alert_s": None if wait_s is None else round(wait_s, 3),
        "median_time_to_alert_s_ci": interval(wait_s, map(median, drawn), len(alerted), counts=False),
    }


def _wrong(counted: Counted) -> dict[str, Any]:
    """Wrong alerts as a share of all that can be judged, with an interval over sources of clips."""
    alerts = np.array([n.alerts for _, n in counted], np.int64)
    wrong = np.array([len(n.wrong) for _, n in counted], np.int64)

    def share(rows: Rows) -> float | None:
        total = int(alerts[rows].sum())
        return float(wrong[rows].sum() / total) if total else None

    everything, *drawn = bootstrap_draws([clip.source for clip, _ in counted])
    value = share(everything)
    alerted = {clip.source for clip, n in counted if n.alerts}
    return {
        "wrong_alerts_in_danger": sum(n.wrong_in_danger for _, n in counted),
        "wrong_alert_share": None if value is None else round(value, 4),
        "wrong_alert_share_ci": interval(value, map(share, drawn), len(alerted), counts=True),
        "wrong_alerts_by_hazard": dict(Counter(name for _, n in counted for name in n.wrong).most_common()),
    }


def _by_hazard(counted: Counted) -> dict[str, dict[str, Any]]:
    """Spans of each hazard, how many were alerted of in time, and from how many sources they come."""
    waits: dict[str, list[float | None]] = {}
    sources: dict[str, set[str]] = {}
    for clip, n in counted:
        for name, wait in n.waits:
            waits.setdefault(name, []).append(wait)
            sources.setdefault(name, set()).add(clip.source)
    return {
        name: {
            "spans": len(own),
            "in_time": sum(not is_late(wait) for wait in own),
            "sources": len(sources[name]),
            "few_sources": len(sources[name]) < FEW_SOURCES,
        }
        for name, own in sorted(waits.items())
    }


def _grouped(counted: Counted, key: Callable[[LabelledClip], str | None]) -> dict[str, dict[str, Any]]:
    """The counts of the clips with each value of the key; without those that have none."""
    groups: dict[str, list[tuple[LabelledClip, ClipCounts]]] = {}
    for clip, n in counted:
        if (group := key(clip)) is not None:
            groups.setdefault(group, []).append((clip, n))
    return {group: _counts(members) for group, members in sorted(groups.items())}
