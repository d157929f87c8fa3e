"""The command `status`: the state of every part of the running daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daemon.core.core import Core
from daemon.runtime.forwarder import Forwarder
from daemon.wiring import detector as app
from pipeline.description.status import WatchedDescriber


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


def sound_status(output: app.Voice | Forwarder) -> Mapping[str, Any]:
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
