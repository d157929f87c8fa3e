"""Estimates the direction of a hazard from its log-odds in parts of the picture. Pure and serialisable.

While a hazard is suspected, parts of each frame are scored too: all at once if the model's features keep
their place, otherwise one crop for each frame, in turn. A direction is given only if one part stands out.
Otherwise the hazard is announced without one, which is better than a wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from capture.settings import Facing
from pipeline.log_odds import bounded_logit
from pipeline.settings import WatchSettings
from pipeline.types import Direction, PartReading

FIXED: Mapping[Facing, Direction | None] = {
    "ahead": None,
    "left": Direction.LEFT,
    "right": Direction.RIGHT,
    "back": Direction.BEHIND,
}
"""The direction of everything that a camera facing there sees; None if the parts of the picture decide."""

TURN = (Direction.AHEAD, Direction.LEFT, Direction.RIGHT)
"""The parts, in the order in which crops are scored."""


@dataclass(slots=True)
class DirectionEvidence:
    """Readings of one suspected hazard: sum of log-odds and count, by direction."""

    since_s: float
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TURN, 0.0))
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TURN, 0))
    direction: str | None = None

    def add(self, part: Direction, probability: float) -> None:
        self.sums[part] += bounded_logit(probability)
        self.counts[part] += 1


class DirectionEstimator:
    """Collects the readings of the parts of the picture for each suspected hazard."""

    def __init__(
        self,
        settings: WatchSettings,
        thresholds: Mapping[str, float] | None = None,
        facing: Facing = "ahead",
    ) -> None:
        """`thresholds`: the probability from which each hazard counts as present, in a part too.

        `facing`: where the camera looks, as seen by the wearer.
        """
        self._settings = settings
        self._present = {name: bounded_logit(one) for name, one in (thresholds or {}).items()}
        self._fixed = FIXED[facing]
        self._sought: dict[str, DirectionEvidence] = {}
        self._turn = 0
        self._now = -math.inf

    def next_crop(self) -> Direction | None:
        """Return the part to crop and score next; None while no direction is sought."""
        if self._fixed is not None:
            return None
        return TURN[self._turn % len(TURN)] if any(map(self._open, self._sought.values())) else None

    def of(self, hazard: str) -> Direction | None:
        """Return the direction of a hazard; None if none was found."""
        if self._fixed is not None:
            return self._fixed
        sought = self._sought.get(hazard)
        return Direction(sought.direction) if sought and sought.direction else None

    def step(
        self, suspected: Sequence[str], readings: Sequence[PartReading], index: Mapping[str, int], now: float
    ) -> None:
        """Add the readings of a frame to the evidence of the suspected hazards; forget the others.

        `index`: the place of each hazard in the readings' probabilities. Those that are not finite are left
        out.
        """
        self._now = now
        # The others are forgotten: a hazard that returns may be elsewhere, so its search starts again.
        self._sought = {name: self._sought.get(name) or DirectionEvidence(now) for name in suspected}
        readings = [one for one in readings if np.isfinite(one.probabilities).all()]
        if not readings or self._fixed is not None:
            return
        # Only after a reading: otherwise this part would be left out.
        self._turn += 1
        for name, sought in self._sought.items():
            if self._open(sought):
                for one in readings:
                    sought.add(one.direction, float(one.probabilities[index[name]]))
                sought.direction = self._leading(sought, self._present.get(name, math.inf))

    def _open(self, sought: DirectionEvidence) -> bool:
        limit = self._settings.locate_s
        return limit > 0 and sought.direction is None and self._now - sought.since_s <= limit

    def _leading(self, sought: DirectionEvidence, present: float) -> str | None:
        """Return the part that leads the next one by `locate_margin`, once each has been read often enough.

        Return BOTH if each side shows the hazard by itself and leads the middle by that margin. `present`:
        log-odds from which a part shows the hazard.
        """
        # Every part needs enough readings: with few, one could lead by chance.
        if min(sought.counts.values()) < self._settings.locate_looks:
            return None
        mean = {part: sought.sums[part] / sought.counts[part] for part in TURN}
        weaker_side = min(mean[Direction.LEFT], mean[Direction.RIGHT])
        # Otherwise two vehicles, one on each side, would have no direction: neither side leads the other.
        if weaker_side >= max(present, mean[Direction.AHEAD] + self._settings.locate_margin):
            return Direction.BOTH
        (_, best), (second, _) = sorted(((value, part) for part, value in mean.items()), reverse=True)[:2]
        return best if mean[best] - second >= self._settings.locate_margin else None

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
