"""One hazard's scores over the last minute, as the alert policy saw them, and why it raised no alert. Pure.

The recorded assessments go through an alert policy again, from the recorded state, so that an explanation
cannot differ from the decision.
"""

from __future__ import annotations

import json
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
    """One hazard, frame by frame; every array has shape (N,)."""

    hazard: HazardSpec
    watch: WatchSettings
    vote_s: float
    """Seconds over the threshold that an alert needs."""
    seqs: NDArray[np.int64]
    times_s: Values
    """Capture times."""
    probabilities: Values
    smoothed: Values
    voted_s: Values
    """Seconds of the vote's window up to each frame in which the hazard was over its threshold."""
    over: NDArray[np.bool_]
    confirmed: NDArray[np.bool_]
    """Frames in which an alert may be raised, apart from the cool-down and from rivals."""
    withheld_by: tuple[str | None, ...]
    """The clearer rival of each frame for which no alert was raised."""


def hazard_trace(recording: Recording, hazard: str) -> HazardTrace:
    """Run the recording through its alert policy. Raises CommandError (unknown) for an unknown hazard."""
    spec = recording.spec
    index = next((i for i, h in enumerate(spec.hazards) if h.name == hazard), None)
    if index is None:
        names = ", ".join(h.name for h in spec.hazards)
        raise CommandError(f"{hazard}: not watched for; it is one of {names}", "unknown")
    policy = spec.alert_policy()
    # From the recorded state: smoothing and votes of the first frames reach back before the recording.
    policy.restore(recording.state["alert_policy"])
    assessments = [e.input.assessment for e in recording.entries if isinstance(e.input, Assessed)]
    evidence = []
    for assessment in assessments:
        policy.step(assessment)
        # After the step, as the alert is decided in it.
        evidence.append(policy.evidence(hazard))
    return HazardTrace(
        hazard=spec.hazards[index],
        watch=spec.watch,
        vote_s=float(policy.needed_s[index]),
        seqs=np.array([a.seq for a in assessments], np.int64),
        times_s=np.array([a.captured_at_s for a in assessments], np.float64),
        probabilities=np.array([a.probabilities[index] for a in assessments], np.float64),
        smoothed=np.array([e.smoothed for e in evidence], np.float64),
        voted_s=np.array([e.voted_s for e in evidence], np.float64),
        over=np.array([e.over for e in evidence], np.bool_),
        confirmed=np.array([e.confirmed for e in evidence], np.bool_),
        withheld_by=tuple(e.withheld_by for e in evidence),
    )


def evidence_at(recording: Recording, hazard: str, seq: int | None) -> Fields | None:
    """The evidence for a hazard in a frame, as the journal keeps it; None if the frame is too old."""
    trace = hazard_trace(recording, hazard)
    (at,) = np.nonzero(trace.seqs == seq)
    # The black box holds the last minute only.
    if len(at) == 0:
        return None
    i = int(at[0])
    return {
        "probabilities": {hazard: round(float(trace.probabilities[i]), 4)},
        "smoothed": {hazard: round(float(trace.smoothed[i]), 4)},
        "voted_s": {hazard: round(float(trace.voted_s[i]), 4)},
        "thresholds": {hazard: round(trace.hazard.threshold, 4)},
        # The same keys as in the journal's rows, so that both are explained by the same sentences.
        "vote_s": trace.vote_s,
        "needed_s": {hazard: trace.vote_s},
        "vote_window_s": trace.watch.vote_window_s,
    }


def explain_silence(recording: Recording, hazard: str, words: ExplanationWords = ENGLISH) -> tuple[str, ...]:
    """Explain in sentences why a hazard raised no alert. Raises CommandError (unknown)."""
    trace = hazard_trace(recording, hazard)
    if len(trace.times_s) == 0:
        return (words.say("unseen"),)
    return tuple(_silence(trace, recording, words))


def _silence(trace: HazardTrace, recording: Recording, words: ExplanationWords) -> Iterator[str]:
    if trace.hazard.unrecognised:
        yield words.say("unrecognised", hazard=words.hazard(trace.hazard.name), name=trace.hazard.name)
    now = float(trace.times_s[-1])
    best = int(np.argmax(trace.smoothed))
    yield words.say(
        "reached",
        span=now - trace.times_s[0],
        hazard=words.hazard(trace.hazard.name),
        value=trace.smoothed[best],
        ago=now - trace.times_s[best],
        threshold=trace.hazard.threshold,
    )
    # A frame counts until the next one; how long the last one holds is not known yet.
    over_s = float(np.sum(np.diff(trace.times_s)[trace.over[:-1]])) if len(trace.times_s) > 1 else 0.0
    if not trace.over.any():
        yield words.say("never")
    elif not trace.confirmed.any():
        yield from _uncertain(trace, over_s, words)
    else:
        yield from _held_back(trace, recording, over_s, words)


def _uncertain(trace: HazardTrace, over_s: float, words: ExplanationWords) -> Iterator[str]:
    longest = float(trace.voted_s.max())
    yield words.say("singles", over=over_s)
    # Sums of frame intervals miss `vote_s` by rounding errors; the policy has the same tolerance.
    if longest < trace.vote_s - 1e-9:
        yield words.say("votes", window=trace.watch.vote_window_s, longest=longest, needed=trace.vote_s)
    else:
        yield words.say("smoothed")


def _held_back(
    trace: HazardTrace, recording: Recording, over_s: float, words: ExplanationWords
) -> Iterator[str]:
    """It was certain, and yet no new alert was raised: it is present already, or was spoken of just now."""
    # `argmax` of booleans is the index of the first True.
    first_s = float(trace.times_s[int(np.argmax(trace.confirmed))])
    name, watch = trace.hazard.name, recording.state["alert_policy"]
    yield words.say("enough", over=over_s)
    events = [json.loads(line) for line in recording.events]
    # The recorded state is older than the events: a `clear` since then has ended that alert.
    gone = any(e["kind"] == "clear" and e["hazard"] == name and e["t"] <= first_s for e in events)
    if (active := watch["active"].get(name)) is not None and not gone:
        yield words.say("lasts", alert=active["alert_id"], remind=trace.watch.remind_s)
    elif (spoken_s := _last_spoken_s(events, name, watch, first_s)) is not None:
        yield words.say("cooldown", ago=first_s - spoken_s, cooldown=trace.watch.cooldown_s)
    elif (rival := trace.withheld_by[int(np.argmax(trace.confirmed))]) is not None:
        yield words.say("withheld", rival=words.hazard(rival))
    else:
        yield words.say("changed")


def _last_spoken_s(events: Sequence[Fields], name: str, watch: Fields, before_s: float) -> float | None:
    """Stream time of a hazard's last announcement or refusal before `before_s`; None without one."""
    earlier = watch["spoken"].get(name)
    times = [float(earlier["at_s"])] if earlier else []
    alerts = {e["id"] for e in events if e["kind"] == "alert" and e["hazard"] == name}
    # The recorded state is older than these events.
    times += [e["t"] for e in events if e["kind"] in ("speak", "unspoken") and e["cause"] in alerts]
    return max((t for t in times if t <= before_s), default=None)


def alerts_of(recording: Recording, hazard: str) -> Sequence[str]:
    """Ids of a hazard's alerts in the recording, in order."""
    events = map(json.loads, recording.events)
    return [e["id"] for e in events if e["kind"] == "alert" and e["hazard"] == hazard]
