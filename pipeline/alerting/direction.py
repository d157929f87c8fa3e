"""Where is it? While a hazard is suspected one part of the picture is scored beside each frame, in turn.

Pure and serialisable. A direction is given only where one part stands out; else the hazard is spoken of
without one: no direction is better than a wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.log_odds import bounded_logit
from pipeline.settings import WatchSettings
from pipeline.types import CropReading, Direction

TURN = (Direction.AHEAD, Direction.LEFT, Direction.RIGHT)


@dataclass(slots=True)
class DirectionEvidence:
    """Readings of one suspected hazard: sum of log-odds and count, by direction."""

    since_s: float
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TURN, 0.0))
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TURN, 0))
    direction: str | None = None


class DirectionEstimator:
    """Which part to look at next, and what the parts have shown so far."""

    def __init__(self, settings: WatchSettings) -> None:
        self._settings = settings
        self._sought: dict[str, DirectionEvidence] = {}
        self._turn = 0
        self._now = -math.inf

    def next_crop(self) -> Direction | None:
        """The part to score beside the next frame; None while no direction is sought."""
        return TURN[self._turn % len(TURN)] if any(map(self._open, self._sought.values())) else None

    def of(self, hazard: str) -> Direction | None:
        """The direction of a hazard, where one has been found."""
        sought = self._sought.get(hazard)
        return Direction(sought.direction) if sought and sought.direction else None

    def step(
        self, suspected: Sequence[str], crop: CropReading | None, index: Mapping[str, int], now: float
    ) -> None:
        """Take note of a reading of the suspected hazards; forget the others."""
        self._now = now
        self._sought = {name: self._sought.get(name) or DirectionEvidence(now) for name in suspected}
        if crop is None:
            return
        self._turn += 1
        for name, sought in self._sought.items():
            if self._open(sought):
                self._read(sought, crop.direction, float(crop.probabilities[index[name]]))

    def _open(self, sought: DirectionEvidence) -> bool:
        limit = self._settings.locate_s
        return limit > 0 and sought.direction is None and self._now - sought.since_s <= limit

    def _read(self, sought: DirectionEvidence, direction: Direction, probability: float) -> None:
        sought.sums[direction] += bounded_logit(probability)
        sought.counts[direction] += 1
        if min(sought.counts.values()) >= self._settings.locate_looks:
            means = sorted((sought.sums[d] / sought.counts[d], d) for d in TURN)
            if means[-1][0] - means[-2][0] >= self._settings.locate_margin:
                sought.direction = Direction(means[-1][1])

    def state(self) -> dict[str, Any]:
        return {
            "turn": self._turn,
            "now": None if math.isinf(self._now) else self._now,
            "sought": {name: asdict(sought) for name, sought in self._sought.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._turn = state["turn"]
        self._now = -math.inf if state["now"] is None else state["now"]
        self._sought = {name: DirectionEvidence(**fields) for name, fields in state["sought"].items()}
