"""What alerts and scene changes are worth on labelled clips: pure arithmetic over events and spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline.evaluation.dataset import IGNORE, SAFE, SCENE, LabelledClip, Span
from pipeline.evaluation.intervals import Rows, bootstrap_draws, interval, poisson_interval

IN_TIME_S = 1.0
"""An alert later than this after the start of its hazard is late."""
_ROUNDING_S = 1e-6
"""Times are sums and differences of floats: 15.6 - 14.6 is a little more than 1."""
SCENE_TOLERANCE_S = 2.0
"""A scene change reported within this after a cut has found it: the view must settle first."""


@dataclass(frozen=True, slots=True)
class AlertTime:
    """An alert of a clip, reminders and escalations included."""

    hazard: str
    time_s: float


@dataclass(frozen=True, slots=True)
class ClipEvents:
    """What was reported over a clip, in stream seconds."""

    duration_s: float
    alerts: tuple[AlertTime, ...]
    clears: tuple[AlertTime, ...]
    scenes: tuple[float, ...]
    """When a scene change was reported; those after a danger or on request are not meant."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """One clip's part of every figure."""

    waits_s: tuple[float | None, ...]
    """Seconds from the start of each hazard span to its alert; None where none came."""
    safe_s: float
    false_alerts: int
    scenes: int
    found: int
    extra: int


def evaluate_clips(clips: Sequence[tuple[LabelledClip, ClipEvents]]) -> dict[str, Any]:
    """The video part of `evaluate --json`.

    `time_to_alert_s` lists the hazards that were alerted of at all, 0 where one was sounding already. Beside
    each figure its 95 % interval: of false alerts an hour Garwood's exact Poisson bounds, else a bootstrap
    over the sources of the clips; None where it is not known.
    """
    counts = [_count(clip, events) for clip, events in clips]
    waits = [wait for count in counts for wait in count.waits_s]
    safe_hours = sum(count.safe_s for count in counts) / 3600
    false_alerts = sum(count.false_alerts for count in counts)
    return {
        "hazards": len(waits),
        "late_or_missed": sum(map(is_late, waits)),
        **_in_time(clips, counts),
        "spans": [
            {
                "clip": clip.path.name,
                "hazard": span.label,
                "start_s": span.start_s,
                "wait_s": None if wait is None else round(wait, 3),
            }
            for (clip, _), count in zip(clips, counts, strict=True)
            for span, wait in zip(hazard_spans(clip), count.waits_s, strict=True)
        ],
        "time_to_alert_s": [round(wait, 3) for wait in waits if wait is not None],
        "safe_hours": round(safe_hours, 5),
        "false_alerts_on_safe": false_alerts,
        "false_alerts_per_hour": round(false_alerts / safe_hours, 3) if safe_hours else None,
        "false_alerts_per_hour_ci": [round(bound / safe_hours, 3) for bound in poisson_interval(false_alerts)]
        if safe_hours
        else None,
        "scenes": sum(count.scenes for count in counts),
        "scenes_found": sum(count.found for count in counts),
        "scenes_extra": sum(count.extra for count in counts),
    }


def _in_time(clips: Sequence[tuple[LabelledClip, ClipEvents]], counts: Sequence[_Counts]) -> dict[str, Any]:
    """Share of the hazards that were alerted of in time, and the median wait of those alerted of at all."""
    shown = [(clip.source, wait) for (clip, _), n in zip(clips, counts, strict=True) for wait in n.waits_s]
    sources = [source for source, _ in shown]
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


def _count(clip: LabelledClip, events: ClipEvents) -> _Counts:
    cuts = sorted(span.start_s for span in clip.spans if span.label == SCENE)
    found, extra = match_scenes(cuts, events.scenes)
    return _Counts(
        waits_s=tuple(wait_for(span, events) for span in hazard_spans(clip)),
        safe_s=safe_seconds(clip, events.duration_s),
        false_alerts=sum(is_safe(clip, alert.time_s) for alert in events.alerts),
        scenes=len(cuts),
        found=found,
        extra=sum(IGNORE not in clip.labels_at(time) for time in extra),
    )


def hazard_spans(clip: LabelledClip) -> tuple[Span, ...]:
    """The spans of a clip in which something should be alerted of."""
    return tuple(span for span in clip.spans if span.label not in (SAFE, SCENE, IGNORE))


def wait_for(span: Span, events: ClipEvents) -> float | None:
    """Seconds from the start of a hazard to its alert: 0 if it was sounding already, None if none came."""
    if _sounding(span.label, span.start_s, events):
        return 0.0
    times = [
        alert.time_s for alert in events.alerts if alert.hazard == span.label and span.covers(alert.time_s)
    ]
    return min(times) - span.start_s if times else None


def is_late(wait_s: float | None) -> bool:
    """Whether no alert came in time."""
    return wait_s is None or wait_s > IN_TIME_S + _ROUNDING_S


def _sounding(hazard: str, time_s: float, events: ClipEvents) -> bool:
    def last(reports: Iterable[AlertTime]) -> float:
        times = (one.time_s for one in reports if one.hazard == hazard and one.time_s <= time_s)
        return max(times, default=float("-inf"))

    return last(events.alerts) > last(events.clears)


def is_safe(clip: LabelledClip, time_s: float) -> bool:
    """Labelled safe, and nothing else at the same time."""
    return clip.labels_at(time_s) == {SAFE}


def safe_seconds(clip: LabelledClip, duration_s: float) -> float:
    """Seconds labelled safe and nothing else, within the clip's duration."""
    edges = {0.0, duration_s, *(edge for span in clip.spans for edge in (span.start_s, span.end_s))}
    inside = sorted(edge for edge in edges if 0 <= edge <= duration_s)
    pieces = pairwise(inside)
    return sum(end - start for start, end in pieces if is_safe(clip, (start + end) / 2))


def match_scenes(cuts: Sequence[float], reported: Sequence[float]) -> tuple[int, list[float]]:
    """How many cuts were found, and the reports that found none; both in order of time.

    Each report finds one cut at most. The first view of a clip is new too: a report soon after the start is
    no extra one.
    """
    waiting, found, extra = sorted(reported), 0, []
    for cut in cuts:
        hits = [time for time in waiting if cut <= time <= cut + SCENE_TOLERANCE_S]
        if hits:
            found += 1
            waiting.remove(hits[0])
    for position, time in enumerate(waiting):
        if position > 0 or time > SCENE_TOLERANCE_S:
            extra.append(time)
    return found, extra
