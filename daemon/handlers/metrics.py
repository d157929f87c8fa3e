"""The command `metrics`: counters, drops, histograms and gauges since the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from common.memory import resident_bytes
from daemon.core.core import Core
from daemon.core.health import OK
from daemon.handlers.info import DaemonInfo
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.metrics import Histogram
from daemon.wiring.live import LiveParts
from daemon.wiring.voice import Voice

STAGES: Mapping[str, str] = {
    "capture_wait_seconds": "wait",
    "encode_seconds": "assess",
    "decide_seconds": "decide",
    "frame_age_seconds": "frame_age",
    "synthesise_seconds": "synthesise",
    "first_sample_seconds": "frame_to_ear",
}
"""The public name of each stage's histogram, and its name in `Metrics`."""

WITHHELD = ("muted", "brevity", "untrue")
"""Reasons for which the core withheld a text before it became an utterance."""


def metrics(live: LiveParts, info: DaemonInfo) -> Callable[[object], Mapping[str, Any]]:
    """Build the handler."""

    def answer(_: object) -> Mapping[str, Any]:
        now = info.clock()
        # One reading of the core: the three must belong to the same moment.
        counts, components, muted = live.runner.read(lambda core: _known(core, now))
        return {
            "counters": counters(live, counts),
            "drops": drops(live, counts, info.feed.dropped),
            "histograms": {name: _as_json(live.metrics.histogram(stage)) for name, stage in STAGES.items()},
            "alerts_by_hazard": live.metrics.counts("alerts"),
            "events_by_kind": live.metrics.counts("events"),
            "components": components,
            "gauges": {
                "fps": round(info.rate.per_second, 2),
                "uptime_s": round(now - info.started_s, 1),
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


def counters(live: LiveParts, counts: Mapping[str, int]) -> Mapping[str, int]:
    """Totals since the start. Each assessed frame that no model described counts as a saved call."""
    assessed, calls = live.detection_loop.assessed, live.describer.calls if live.describer else 0
    return {
        "frames_captured": live.reader.frames,
        "frames_assessed": assessed,
        "frames_skipped": live.slot.skipped,
        "frames_passed_over": live.reader.passed_over,
        "frames_left_out": live.detection_loop.left_out,
        "alerts": counts.get("alerts", 0),
        "scenes": counts.get("scenes", 0),
        "descriptions_asked": counts.get("describe.asked", 0),
        "descriptions": live.metrics.counts("events").get("describe", 0),
        "vlm_calls": calls,
        "vlm_calls_saved": max(0, assessed - calls),
        "utterances_spoken": counts.get("spoken", 0),
        "false_alarms": counts.get("false_alarms", 0),
        **_output_counters(live.output),
    }


def _output_counters(output: Voice | Forwarder) -> Mapping[str, int]:
    if isinstance(output, Forwarder):
        return {}
    return {
        "synthesis_failures": output.speaker.failures,
        "loudspeaker_losses": output.player.losses,
        "underruns": output.player.underruns,
    }


def drops(live: LiveParts, counts: Mapping[str, int], feed_dropped: int) -> list[Mapping[str, Any]]:
    """All dropped items, by the place where they waited and the policy or reason of the drop."""
    # Zeros and not missing entries: a monitor must be able to tell "none" from "not measured".
    journal = live.journal_writer.status() if live.journal_writer else {"dropped": 0, "pictures_missed": 0}
    found = [
        ("frames", live.slot.policy.value, live.slot.skipped),
        ("frames", "not_finite", live.detection_loop.not_finite),
        ("events", "refuse_new", live.event_writer.dropped),
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
        # `describe.asked` counts requests; every other name below `describe.` is a reason of a drop.
        if name.startswith(prefix) and name != "describe.asked"
    ]


def _journal_gauges(live: LiveParts) -> Mapping[str, int]:
    return {"journal_waiting": live.journal_writer.status()["waiting"]} if live.journal_writer else {}


def _as_json(histogram: Histogram) -> Mapping[str, Any]:
    return {
        "buckets": [list(bucket) for bucket in histogram.buckets],
        "sum": round(histogram.sum_s, 6),
        "count": histogram.count,
    }
