"""Who answers the web interface's commands about what is seen, by the names of the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.handlers.metrics import metrics
from daemon.handlers.scores import scores
from daemon.handlers.snapshot import JpegCache, PictureAnswer
from daemon.wiring import detector as app

Handler = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DaemonInfo:
    """What the daemon's own loop knows."""

    clock: Callable[[], float]
    started_s: float
    fps: Callable[[], float]
    feed_dropped: Callable[[], int]


def handlers(live: app.LiveParts, facts: DaemonInfo) -> Mapping[str, Handler]:
    """By the name of the command; each raises CommandError."""
    return {
        "picture": PictureAnswer(live.outlook, JpegCache(live.outlook), facts.clock),
        "scores": scores(live.outlook, lambda: live.mind.read(lambda core: core.spec), facts.clock),
        "metrics": metrics(live, facts.clock, facts.fps, facts.feed_dropped, facts.started_s),
    }
