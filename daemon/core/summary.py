"""The last event of a run or a replay."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.core.events import Event


def summary(
    now: float,
    *,
    frames: int,
    skipped: int,
    vlm_calls: int,
    counts: Mapping[str, int],
    left_out: int | None = None,
    last_frame_s: float | None = None,
) -> Event:
    """`counts`: the core's. `last_frame_s`: stream seconds of the last frame, where there is an end.

    `left_out`: frames not assessed because of the budget; None without one.
    """
    return Event(
        "summary",
        "summary",
        now,
        fields={
            "frames": frames,
            "assessed": counts.get("assessed", 0),
            "skipped": skipped,
            **({} if left_out is None else {"left_out": left_out}),
            "alerts": counts.get("alerts", 0),
            "scenes": counts.get("scenes", 0),
            "vlm_calls": vlm_calls,
            **({} if last_frame_s is None else {"last_frame_s": round(last_frame_s, 6)}),
            "spoken": counts.get("spoken", 0),
            "dropped": {
                name.removeprefix("dropped."): number
                for name, number in sorted(counts.items())
                if name.startswith("dropped.")
            },
        },
    )
