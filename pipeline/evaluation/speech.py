"""Figures of the speech over labelled clips: arithmetic over utterances and their times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.clip_counts import AlertTime, hazard_spans, is_wrong
from pipeline.evaluation.dataset import IGNORE, SAFE, SCENE, LabelledClip
from pipeline.sentence_hazards import adds_nothing, named_hazards

NAMED_IN_S = 1.5
"""A word for a hazard later than this after its start is late."""
JUST_S = 10.0
"""Seconds after a warning in which the same in a description adds nothing."""


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert. `again`: a reminder, or one that had not been heard."""

    id: str
    hazard: str
    time_s: float
    critical: bool
    again: bool


@dataclass(frozen=True, slots=True)
class SaidText:
    """Something that was heard; `hazard` is None if it is no warning."""

    time_s: float
    """Of its first word, after its earcon."""
    text: str
    hazard: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class HeardClip:
    """All that was heard of one clip, in stream seconds."""

    duration_s: float
    language: str
    alerts: tuple[RaisedAlert, ...]
    clears: tuple[AlertTime, ...]
    warnings: tuple[SaidText, ...]
    descriptions: tuple[SaidText, ...]
    sounds: tuple[tuple[float, float], ...]
    """Begin and end of each sound, apart from each other and in order."""


def speech_figures(heard: Sequence[tuple[LabelledClip, HeardClip]]) -> dict[str, Any]:
    """The figures over some clips, as they stand in `evaluate --json`. Shares are 0 to 1, None of nothing."""
    named = [one for clip, said in heard for one in _named_in_time(clip, said)]
    delays = [delay for _, said in heard for delay in _delays(said)]
    minutes = sum(said.duration_s for _, said in heard) / 60
    words = sum(len(one.text.split()) for _, said in heard for one in (*said.warnings, *said.descriptions))
    # Sound that lasts beyond the end of its clip counts up to the end, or a share could exceed 1.
    sound_s = sum(min(end, said.duration_s) - start for _, said in heard for start, end in _within(said))
    return {
        "hazards": len(named),
        "named_in_time": round(sum(named) / len(named), 4) if named else None,
        "alert_to_word_p50_s": _percentile(delays, 50),
        "alert_to_word_p95_s": _percentile(delays, 95),
        "words_per_minute": round(words / minutes, 2) if minutes else None,
        "sound_share": round(sound_s / (60 * minutes), 4) if minutes else None,
        "warnings": sum(len(said.warnings) for _, said in heard),
        "false_warnings": sum(_false_warnings(clip, said) for clip, said in heard),
        "expired_warnings": sum(_expired_warnings(said) for _, said in heard),
        "repeats": sum(_repeats(said) for _, said in heard),
        "descriptions": sum(len(said.descriptions) for _, said in heard),
        "descriptions_without_news": sum(_without_news(said) for _, said in heard),
        "false_descriptions": sum(_false_descriptions(clip, said) for clip, said in heard),
        "criticals_unsaid": sum(_criticals_unsaid(clip, said) for clip, said in heard),
    }


def _named_in_time(clip: LabelledClip, said: HeardClip) -> Iterable[bool]:
    """For each labelled hazard whether a word names it in time, or named it while its alert lasted."""
    for span in hazard_spans(clip):
        words = [one.time_s for one in said.warnings if one.hazard == span.label]
        words += [
            one.time_s for one in said.descriptions if named_hazards(one.text, said.language, [span.label])
        ]
        end_s = min(span.start_s + NAMED_IN_S, span.end_s)
        since_s = _last_clear(said, span.label, span.start_s)
        sounding = any(since_s < at_s < span.start_s for at_s in words)
        yield sounding or any(span.start_s <= at_s <= end_s for at_s in words)


def _last_clear(said: HeardClip, hazard: str, time_s: float) -> float:
    times = (one.time_s for one in said.clears if one.hazard == hazard and one.time_s <= time_s)
    return max(times, default=float("-inf"))


def _delays(said: HeardClip) -> Iterable[float]:
    """Seconds from each new alert to the first word for it; one that was never said is none."""
    for alert in said.alerts:
        words = [one.time_s for one in said.warnings if one.cause == alert.id]
        if words and not alert.again:
            yield min(words) - alert.time_s


def _within(said: HeardClip) -> list[tuple[float, float]]:
    return [one for one in said.sounds if one[0] < said.duration_s]


def _false_warnings(clip: LabelledClip, said: HeardClip) -> int:
    return sum(is_wrong(clip, AlertTime(one.hazard or "", one.time_s)) for one in said.warnings)


def _expired_warnings(said: HeardClip) -> int:
    """Warnings whose hazard was over before their first word."""
    return sum(
        any(
            clear.hazard == one.hazard and clear.time_s < one.time_s
            for clear in said.clears
            if clear.time_s > _raised_at(said, one)
        )
        for one in said.warnings
    )


def _raised_at(said: HeardClip, text: SaidText) -> float:
    return next((alert.time_s for alert in said.alerts if alert.id == text.cause), text.time_s)


def _repeats(said: HeardClip) -> int:
    """Warnings of a hazard that was warned of before and had not ended since."""
    count, since = 0, dict[str, float]()
    for one in said.warnings:
        hazard = one.hazard or ""
        # No clear since the last warning: the hazard lasts, and this is its second warning.
        if hazard in since and _last_clear(said, hazard, one.time_s) <= since[hazard]:
            count += 1
        since[hazard] = one.time_s
    return count


def _without_news(said: HeardClip) -> int:
    """Descriptions that only repeat the warning before them."""
    return sum(
        adds_nothing(one.text, said.language, _just_warned(said, one.time_s), side_known=True)
        for one in said.descriptions
    )


def _just_warned(said: HeardClip, time_s: float) -> frozenset[str]:
    return frozenset(one.hazard or "" for one in said.warnings if 0 <= time_s - one.time_s <= JUST_S)


def _false_descriptions(clip: LabelledClip, said: HeardClip) -> int:
    """Descriptions that name a hazard which was warned of in the clip and is not labelled at that time."""
    warned = {one.hazard or "" for one in said.warnings}
    return sum(
        IGNORE not in clip.labels_at(one.time_s)
        and bool(
            named_hazards(one.text, said.language, warned)
            - clip.labels_at(one.time_s)
            - clip.uncertain_at(one.time_s)
        )
        for one in said.descriptions
    )


def _criticals_unsaid(clip: LabelledClip, said: HeardClip) -> int:
    """Critical alerts, labelled at that time, that were never said although the hazard lasted to be said."""
    return sum(
        alert.critical
        and not alert.again
        and alert.hazard in clip.labels_at(alert.time_s) - {SAFE, SCENE, IGNORE}
        and not any(
            one.hazard == alert.hazard and alert.time_s <= one.time_s <= _ends(said, alert)
            for one in said.warnings
        )
        for alert in said.alerts
    )


def _ends(said: HeardClip, alert: RaisedAlert) -> float:
    """The end of the alert, plus the seconds in which its words may still come."""
    ends = (one.time_s for one in said.clears if one.hazard == alert.hazard and one.time_s > alert.time_s)
    return min(ends, default=float("inf"))


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 3) if values else None


def rows(figures: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """A table: a line for each way of speaking."""
    heads = {
        "named_in_time": "named<1.5s",
        "alert_to_word_p50_s": "word p50",
        "alert_to_word_p95_s": "p95",
        "words_per_minute": "words/min",
        "sound_share": "sound",
        "warnings": "warnings",
        "false_warnings": "false",
        "expired_warnings": "expired",
        "repeats": "repeats",
        "descriptions": "descr.",
        "descriptions_without_news": "no news",
        "false_descriptions": "false",
        "criticals_unsaid": "unsaid critical",
    }
    yield f"{'speech':44} " + " ".join(f"{head:>9}" for head in heads.values())
    for name, one in figures.items():
        cells = ("-" if one[key] is None else f"{one[key]:g}" for key in heads)
        yield f"{name[:44]:44} " + " ".join(f"{cell:>9}" for cell in cells)
