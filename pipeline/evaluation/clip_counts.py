"""Counts of one labelled clip: waits, false and wrong alerts, scenes; from events and spans alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.evaluation.dataset import IGNORE, SAFE, SCENE, LabelledClip, Span

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
    """The reports over a clip, in stream seconds."""

    duration_s: float
    alerts: tuple[AlertTime, ...]
    clears: tuple[AlertTime, ...]
    scenes: tuple[float, ...]
    """The time of a reported scene change. Descriptions after a danger or on request are not included."""


@dataclass(frozen=True, slots=True)
class ClipCounts:
    """One clip's part of every figure."""

    waits: tuple[tuple[str, float | None], ...]
    """Each hazard span with the seconds from its start to its alert; None if none came."""
    safe_s: float
    false_alerts: int
    alerts: int
    """Alerts that can be judged: those in ignored seconds and for uncertain hazards are not counted."""
    wrong: tuple[str, ...]
    """Hazards that were alerted of without being labelled at that time."""
    wrong_in_danger: int
    """How many of these came while another hazard was labelled."""
    scenes: int
    found: int
    extra: int

    @property
    def waits_s(self) -> tuple[float | None, ...]:
        return tuple(wait for _, wait in self.waits)


def count(clip: LabelledClip, events: ClipEvents) -> ClipCounts:
    """Count hits, false and wrong alerts among the events of a clip."""
    cuts = sorted(span.start_s for span in clip.spans if span.label == SCENE)
    found, extra = match_scenes(cuts, events.scenes)
    judged = [alert for alert in events.alerts if is_judged(clip, alert)]
    wrong = [alert for alert in judged if is_wrong(clip, alert)]
    return ClipCounts(
        waits=tuple((span.label, wait_for(span, events)) for span in hazard_spans(clip)),
        safe_s=safe_seconds(clip, events.duration_s),
        false_alerts=sum(is_safe(clip, alert.time_s) for alert in events.alerts),
        alerts=len(judged),
        wrong=tuple(alert.hazard for alert in wrong),
        wrong_in_danger=sum(bool(clip.labels_at(alert.time_s) - {SAFE, SCENE}) for alert in wrong),
        scenes=len(cuts),
        found=found,
        extra=sum(IGNORE not in clip.labels_at(time) for time in extra),
    )


def is_judged(clip: LabelledClip, alert: AlertTime) -> bool:
    """False in ignored seconds, and while it is uncertain whether the hazard is visible."""
    return IGNORE not in clip.labels_at(alert.time_s) and alert.hazard not in clip.uncertain_at(alert.time_s)


def is_wrong(clip: LabelledClip, alert: AlertTime) -> bool:
    """True if an alert names a hazard that is not labelled at that time, though it can be judged."""
    return is_judged(clip, alert) and alert.hazard not in clip.labels_at(alert.time_s)


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
    """True if no alert came in time."""
    return wait_s is None or wait_s > IN_TIME_S + _ROUNDING_S


def _sounding(hazard: str, time_s: float, events: ClipEvents) -> bool:
    def last(reports: Iterable[AlertTime]) -> float:
        times = (one.time_s for one in reports if one.hazard == hazard and one.time_s <= time_s)
        return max(times, default=float("-inf"))

    # Sounding already: alerted and not cleared since.
    return last(events.alerts) > last(events.clears)


def is_safe(clip: LabelledClip, time_s: float) -> bool:
    """Labelled safe, and nothing else at the same time."""
    return clip.labels_at(time_s) == {SAFE}


def safe_seconds(clip: LabelledClip, duration_s: float) -> float:
    """Seconds labelled safe and nothing else, within the clip's duration."""
    edges = {0.0, duration_s, *(edge for span in clip.spans for edge in (span.start_s, span.end_s))}
    # Labels may reach beyond the end of the clip.
    inside = sorted(edge for edge in edges if 0 <= edge <= duration_s)
    pieces = pairwise(inside)
    # Labels only change at the edges, so the middle of a piece represents all of it.
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
            # The earliest one; the rest may still match a later cut.
            waiting.remove(hits[0])
    for position, time in enumerate(waiting):
        if position > 0 or time > SCENE_TOLERANCE_S:
            extra.append(time)
    return found, extra
