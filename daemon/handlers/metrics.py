"""The command `metrics`: counters and histograms since the start, for whoever draws curves of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from common.memory import resident_bytes
from daemon.core.core import Core
from daemon.core.health import OK
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.metrics import Histogram
from daemon.wiring import detector as app

STAGES: Mapping[str, str] = {
    "capture_wait_seconds": "wait",
    "encode_seconds": "assess",
    "decide_seconds": "decide",
    "frame_age_seconds": "frame_age",
    "synthesise_seconds": "synthesise",
    "first_sample_seconds": "frame_to_ear",
}
"""By the name under which a stage is told, the ledger's."""

WITHHELD = ("muted", "brevity", "untrue")
"""Counts of what the core kept back before it was an utterance."""


def metrics(
    live: app.LiveParts,
    clock: Callable[[], float],
    fps: Callable[[], float],
    feed_dropped: Callable[[], int],
    started_s: float,
) -> Callable[[object], Mapping[str, Any]]:
    """What answers it."""

    def answer(_: object) -> Mapping[str, Any]:
        now = clock()
        counts, components, muted = live.mind.read(lambda core: _known(core, now))
        return {
            "counters": counters(live, counts),
            "drops": drops(live, counts, feed_dropped()),
            "histograms": {name: _told(live.ledger.histogram(stage)) for name, stage in STAGES.items()},
            "alerts_by_hazard": live.ledger.counts("alerts"),
            "events_by_kind": live.ledger.counts("events"),
            "components": components,
            "gauges": {
                "fps": round(fps(), 2),
                "uptime_s": round(now - started_s, 1),
                "muted_s": round(muted[0], 1),
                "danger_muted_s": round(muted[1], 1),
                "rss_bytes": resident_bytes(os.getpid()),
                **_journal_gauges(live),
            },
        }

    return answer


def _known(core: Core, now: float) -> tuple[Mapping[str, int], Mapping[str, Any], tuple[float, float]]:
    components: dict[str, Any] = {
        str(component): {"ok": state.reason == OK, "reason": state.reason}
        for component, state in core.component_states.items()
    }
    return core.counts, components, core.muted(now)


def counters(live: app.LiveParts, counts: Mapping[str, int]) -> Mapping[str, int]:
    """What only ever grows. A call of the model is saved with each frame that it was not shown."""
    assessed, calls = live.watcher.assessed, live.describer.calls if live.describer else 0
    return {
        "frames_captured": live.reader.frames,
        "frames_assessed": assessed,
        "frames_skipped": live.slot.skipped,
        "alerts": counts.get("alerts", 0),
        "scenes": counts.get("scenes", 0),
        "descriptions_asked": counts.get("describe.asked", 0),
        "descriptions": live.ledger.counts("events").get("describe", 0),
        "vlm_calls": calls,
        "vlm_calls_saved": max(0, assessed - calls),
        "utterances_spoken": counts.get("spoken", 0),
        "false_alarms": counts.get("false_alarms", 0),
        **_sound(live.mouth),
    }


def _sound(mouth: app.Voice | Forwarder) -> Mapping[str, int]:
    if isinstance(mouth, Forwarder):
        return {}
    return {
        "synthesis_failures": mouth.speaker.failures,
        "loudspeaker_losses": mouth.player.losses,
        "underruns": mouth.player.underruns,
    }


def drops(live: app.LiveParts, counts: Mapping[str, int], feed_dropped: int) -> list[Mapping[str, Any]]:
    """Everything that was given up, by the place where it waited and the policy or reason there."""
    journal = live.clerk.status() if live.clerk else {"dropped": 0, "pictures_missed": 0}
    found = [
        ("frames", live.slot.policy.value, live.slot.skipped),
        ("frames", "not_finite", live.watcher.not_finite),
        ("events", "refuse_new", live.scribe.dropped),
        ("event_feed", "drop_oldest", feed_dropped),
        ("journal", "drop", journal["dropped"]),
        ("journal_pictures", "miss", journal["pictures_missed"]),
        *(("words", reason, counts.get(reason, 0)) for reason in WITHHELD),
        *_below("outbox", "dropped.", counts),
        *_below("descriptions", "describe.", counts),
    ]
    return [{"place": place, "policy": policy, "count": count} for place, policy, count in found]


def _below(place: str, prefix: str, counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [
        (place, name.removeprefix(prefix), count)
        for name, count in sorted(counts.items())
        if name.startswith(prefix) and name != "describe.asked"
    ]


def _journal_gauges(live: app.LiveParts) -> Mapping[str, int]:
    return {"journal_waiting": live.clerk.status()["waiting"]} if live.clerk else {}


def _told(histogram: Histogram) -> Mapping[str, Any]:
    return {
        "buckets": [list(bucket) for bucket in histogram.buckets],
        "sum": round(histogram.sum_s, 6),
        "count": histogram.count,
    }
