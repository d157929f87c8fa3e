"""The command `status`: the state of every part of the running daemon."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from daemon.control.commands import StatusCommand
from daemon.core.core import Core
from daemon.core.messages import TellStatus
from daemon.handlers.info import DaemonInfo
from daemon.runtime.forwarder import Forwarder
from daemon.wiring.live import LiveParts, unrecognised
from daemon.wiring.voice import Voice
from pipeline.description.status import WatchedDescriber


class StatusHandler:
    """Answers `status`."""

    def __init__(self, live: LiveParts, info: DaemonInfo) -> None:
        self._live = live
        self._info = info

    def __call__(self, command: StatusCommand) -> Mapping[str, Any]:
        """The state of every part; with `aloud` it is also spoken."""
        status = self._status()
        if command.aloud:
            # The frame rate is measured here; the core, which is pure, knows everything else it says.
            self._live.runner.step(TellStatus(float(status["fps"])))
        return status

    def _status(self) -> Mapping[str, Any]:
        live, info, now = self._live, self._info, self._info.clock()
        settings, detection = info.loaded.settings, live.detection_loop
        return {
            "version": version("watchword"),
            "pid": os.getpid(),
            "instance": settings.control.instance,
            "uptime_s": round(now - info.started_s, 1),
            "source": info.source,
            "model": live.bundle.model.name,
            "model_note": live.bundle.note,
            "models_turned_down": {**live.bundle.turned_down, **live.slow_describers},
            "device": live.bundle.model.device,
            "device_wanted": settings.pipeline.device,
            "describer": describer_status(live.describer),
            "camera": live.reader.event.state.value,
            "fps": round(info.rate.per_second, 2),
            "frames": live.reader.frames,
            "assessed": detection.assessed,
            "first_assessed_at_s": detection.first_assessed_at_s,
            "skipped": live.slot.skipped,
            "passed_over": live.reader.passed_over,
            "left_out": detection.left_out,
            **output_status(live.output),
            **live.runner.read(lambda core: core_status(core, now)),
            "latency": live.metrics.percentiles(),
            "heartbeats": {name: round(age, 2) for name, age in info.heartbeats.ages(now).items()},
            "lost": list(info.supervisor.failed_parts),
            "unrecognised": list(live.runner.read(unrecognised)),
            "keys": info.keys.state if settings.keys.device else None,
            "dropped_events": live.event_writer.dropped + info.feed.dropped,
            "journal": live.journal_writer.status() if live.journal_writer else None,
        }


def core_status(core: Core, now: float) -> Mapping[str, Any]:
    """Components, active hazards, mutes and counts of the core at time `now` (monotonic seconds)."""
    muted_s, danger_muted_s = core.muted(now)
    components = {
        component: {"reason": s.reason, "since_s": round(now - s.since_s, 1), "detail": s.detail}
        for component, s in core.component_states.items()
    }
    return {
        "components": components,
        "active": sorted(core.alert_policy.active),
        "dangers": [
            {
                "hazard": name,
                "severity": a.severity.name.lower(),
                "direction": a.direction,
                "alert": a.alert_id,
            }
            for name, a in sorted(core.alert_policy.active.items())
        ],
        "muted_s": round(muted_s, 1),
        "danger_muted_s": round(danger_muted_s, 1),
        "counts": dict(sorted(core.counts.items())),
    }


def output_status(output: Voice | Forwarder) -> Mapping[str, Any]:
    if isinstance(output, Forwarder):
        return {"outlet": "another instance"}
    player = output.player
    return {
        "outlet": player.output.value,
        "underruns": player.underruns,
        "loudspeaker_losses": player.losses,
        "output_latency_ms": round(player.latency_s * 1000, 1),
    }


def describer_status(describer: WatchedDescriber | None) -> str | None:
    """The model that answered last, its state and the reason, if any; None without a describer."""
    if describer is None:
        return None
    status = describer.status
    why = f" ({status.reason})" if status.reason else ""
    return f"{describer.model}: {status.phase}{why}"
