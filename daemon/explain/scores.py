"""Scores of one hazard over the last minute, and what the watch made of them, reckoned again. Pure.

The watch itself looks at every hazard at once and remembers only the present. Here its three rules
(smoothing, votes, cool-down) are followed over a recording for the one hazard somebody asks about.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.core.black_box import Recording
from daemon.core.messages import Assessed, HazardSpec
from daemon.errors import CommandError
from daemon.explain.words import ENGLISH, ExplanationWords
from pipeline.settings import WatchSettings

Fields = Mapping[str, Any]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HazardTrace:
    """One hazard, picture by picture; every array has shape (N,)."""

    hazard: HazardSpec
    watch: WatchSettings
    seqs: NDArray[np.int64]
    times_s: Values
    """When each picture was captured."""
    probabilities: Values
    smoothed: Values
    voted_s: Values
    """Seconds of the vote's window up to each picture that it was over its threshold."""

    @property
    def over(self) -> NDArray[np.bool_]:
        return self.probabilities >= self.hazard.threshold

    @property
    def vote_s(self) -> float:
        """Seconds that are needed."""
        return min(self.watch.vote_s, self.watch.vote_window_s)

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Where an alert may be raised, but for the cool-down."""
        voted = self.over & (self.voted_s >= self.vote_s - 1e-9)
        return np.asarray(voted & (self.smoothed >= self.hazard.threshold))


def hazard_trace(recording: Recording, hazard: str) -> HazardTrace:
    """Follow a hazard. Raises CommandError (unknown) where it is not watched for."""
    spec = recording.spec
    index = next((i for i, h in enumerate(spec.hazards) if h.name == hazard), None)
    if index is None:
        names = ", ".join(h.name for h in spec.hazards)
        raise CommandError(f"{hazard}: not watched for; it is one of {names}", "unknown")
    looks = [e.input.assessment for e in recording.entries if isinstance(e.input, Assessed)]
    times_s = np.array([a.captured_at_s for a in looks], np.float64)
    probabilities = np.array([a.probabilities[index] for a in looks], np.float64)
    began = recording.state["watch"]
    before = (began["last_s"], float(began["smoothed"][index]))
    return HazardTrace(
        spec.hazards[index],
        spec.watch,
        np.array([a.seq for a in looks], np.int64),
        times_s,
        probabilities,
        _smoothed(times_s, probabilities, spec.watch, before),
        _voted(times_s, probabilities >= spec.hazards[index].threshold, spec.watch),
    )


def _smoothed(
    times_s: Values, probabilities: Values, watch: WatchSettings, before: tuple[float | None, float]
) -> Values:
    """The low-pass filter of the watch, from its state at the beginning."""
    last_s, value = before
    found = []
    for now, p in zip(times_s.tolist(), probabilities.tolist(), strict=True):
        if last_s is None or now - last_s > watch.max_gap_s:
            value = p
        else:
            weight = (
                1.0 if watch.smoothing_s == 0 else -math.expm1(-max(now - last_s, 0.0) / watch.smoothing_s)
            )
            value += weight * (p - value)
        last_s = now
        found.append(value)
    return np.array(found, np.float64)


def _voted(times_s: Values, over: NDArray[np.bool_], watch: WatchSettings) -> Values:
    """An interval counts for the picture that opens it, unless it is a gap."""
    if len(times_s) == 0:
        return np.zeros(0)
    lengths = np.diff(times_s, prepend=times_s[0])
    counted = np.where(np.concatenate(([False], over[:-1])) & (lengths <= watch.max_gap_s), lengths, 0.0)
    until = np.cumsum(np.maximum(counted, 0.0))
    since = np.interp(times_s - watch.vote_window_s, times_s, until)
    return np.asarray(until - since, np.float64)


def evidence_at(recording: Recording, hazard: str, seq: int | None) -> Fields | None:
    """What was known of a hazard at a picture, in the form the journal keeps; None where it is too old."""
    found = hazard_trace(recording, hazard)
    (at,) = np.nonzero(found.seqs == seq)
    if len(at) == 0:
        return None
    i = int(at[0])
    return {
        "probabilities": {hazard: round(float(found.probabilities[i]), 4)},
        "smoothed": {hazard: round(float(found.smoothed[i]), 4)},
        "voted_s": {hazard: round(float(found.voted_s[i]), 4)},
        "thresholds": {hazard: round(found.hazard.threshold, 4)},
        "vote_s": found.vote_s,
        "vote_window_s": found.watch.vote_window_s,
    }


def explain_silence(recording: Recording, hazard: str, words: ExplanationWords = ENGLISH) -> tuple[str, ...]:
    """Why nothing is said of a hazard: sentences. Raises CommandError (unknown)."""
    found = hazard_trace(recording, hazard)
    if len(found.times_s) == 0:
        return (words.say("unseen"),)
    return tuple(_silence(found, recording, words))


def _silence(found: HazardTrace, recording: Recording, words: ExplanationWords) -> Iterator[str]:
    now = float(found.times_s[-1])
    best = int(np.argmax(found.smoothed))
    yield words.say(
        "reached",
        span=now - found.times_s[0],
        hazard=words.hazard(found.hazard.name),
        value=found.smoothed[best],
        ago=now - found.times_s[best],
        threshold=found.hazard.threshold,
    )
    over_s = float(np.sum(np.diff(found.times_s)[found.over[:-1]])) if len(found.times_s) > 1 else 0.0
    if not found.over.any():
        yield words.say("never")
    elif not found.certain.any():
        yield from _uncertain(found, over_s, words)
    else:
        yield from _held_back(found, recording, over_s, words)


def _uncertain(found: HazardTrace, over_s: float, words: ExplanationWords) -> Iterator[str]:
    longest = float(found.voted_s.max())
    yield words.say("singles", over=over_s)
    if longest < found.vote_s - 1e-9:
        yield words.say("votes", window=found.watch.vote_window_s, longest=longest, needed=found.vote_s)
    else:
        yield words.say("smoothed")


def _held_back(
    found: HazardTrace, recording: Recording, over_s: float, words: ExplanationWords
) -> Iterator[str]:
    """It was certain, and yet no new alert was raised: it is present already, or was spoken of just now."""
    first_s = float(found.times_s[int(np.argmax(found.certain))])
    name, watch = found.hazard.name, recording.state["watch"]
    yield words.say("enough", over=over_s)
    events = [json.loads(line) for line in recording.events]
    gone = any(e["kind"] == "clear" and e["hazard"] == name and e["t"] <= first_s for e in events)
    if (active := watch["active"].get(name)) is not None and not gone:
        yield words.say("lasts", alert=active["alert_id"], remind=found.watch.remind_s)
    elif (spoken_s := _last_spoken_s(events, name, watch, first_s)) is not None:
        yield words.say("cooldown", ago=first_s - spoken_s, cooldown=found.watch.cooldown_s)
    else:
        yield words.say("changed")


def _last_spoken_s(events: Sequence[Fields], name: str, watch: Fields, before_s: float) -> float | None:
    """When a hazard was last spoken of, or kept silent on purpose, before a time."""
    earlier = watch["spoken"].get(name)
    times = [float(earlier["at_s"])] if earlier else []
    alerts = {e["id"] for e in events if e["kind"] == "alert" and e["hazard"] == name}
    times += [e["t"] for e in events if e["kind"] in ("speak", "unspoken") and e["cause"] in alerts]
    return max((t for t in times if t <= before_s), default=None)


def alerts_of(recording: Recording, hazard: str) -> Sequence[str]:
    """Ids of a hazard's alerts in the recording, in order."""
    events = map(json.loads, recording.events)
    return [e["id"] for e in events if e["kind"] == "alert" and e["hazard"] == hazard]
