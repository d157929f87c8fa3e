"""A row of the journal: an event as it was published, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from common.redact import redact_values
from daemon.core.core import Core
from daemon.core.messages import CoreSpec
from daemon.journal.pictures import KeptPicture
from pipeline.types import Assessment

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Scores and smoothed scores of every hazard when an alert was raised."""

    spec: CoreSpec
    probabilities: NDArray[np.float32]
    """Of that picture, shape (H,)."""
    smoothed: NDArray[np.float64]
    voted_s: NDArray[np.float64]
    """Seconds of the vote's window each was over its threshold."""
    needed_s: NDArray[np.float64]
    """Seconds of it that each needed."""

    @classmethod
    def of(cls, core: Core, assessment: Assessment) -> Self:
        """Taken right after the step that raised the alert; costs a copy."""
        policy = core.alert_policy
        return cls(core.spec, assessment.probabilities, policy.smoothed, policy.voted_s, policy.needed_s)

    def as_fields(self) -> Fields:
        """Plain JSON types, by hazard."""
        hazards = self.spec.hazards
        watch = self.spec.watch
        return {
            "probabilities": _by_name(self, self.probabilities.tolist()),
            "smoothed": _by_name(self, self.smoothed.tolist()),
            "voted_s": _by_name(self, self.voted_s.tolist()),
            "thresholds": {h.name: round(h.threshold, 4) for h in hazards},
            "vote_s": min(watch.vote_s, watch.vote_window_s),
            "needed_s": _by_name(self, self.needed_s.tolist()),
            "vote_window_s": watch.vote_window_s,
        }


def _by_name(evidence: Evidence, values: list[float]) -> dict[str, float]:
    return {h.name: round(v, 4) for h, v in zip(evidence.spec.hazards, values, strict=True)}


@dataclass(frozen=True, slots=True)
class JournalRow:
    """An event ready to be written."""

    wall_s: float
    event: Fields
    """The event's line without its wall-clock time; addresses in it without credentials."""
    evidence: Fields | None = None
    picture: KeptPicture | None = None
    """Of the view it rests on; None takes that of its cause."""

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def cause(self) -> str | None:
        return self.event.get("cause")

    @property
    def kind(self) -> str:
        return str(self.event["kind"])

    @property
    def hazard(self) -> str | None:
        return self.event.get("hazard")

    @classmethod
    def of(cls, line: Fields, now_s: float, evidence: Evidence | None, picture: KeptPicture | None) -> Self:
        """Build a row from an event's fields. `now_s` (Unix seconds) is its time if it has none."""
        # Before anything is written: the journal never holds a password.
        event = redact_values(dict(line))
        timing = dict(event.get("timing", {}))
        # Taken out of the event, since it has a column of its own with an index.
        wall_s = float(timing.pop("wall_s", now_s))
        if timing:
            event["timing"] = timing
        else:
            event.pop("timing", None)
        return cls(wall_s, event, evidence.as_fields() if evidence else None, picture)
