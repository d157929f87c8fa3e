"""The command `scores`: the probabilities of the last minutes, with the present thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from daemon.control.commands import ScoresCommand
from daemon.core.messages import CoreSpec
from daemon.runtime.latest_frame import LatestFrame
from pipeline.types import Severity


def scores(
    latest_frame: LatestFrame, spec: Callable[[], CoreSpec], clock: Callable[[], float]
) -> Callable[[ScoresCommand], Mapping[str, Any]]:
    """Build the handler."""

    def answer(wanted: ScoresCommand) -> Mapping[str, Any]:
        hazards = spec().hazards
        names = tuple(hazard.name for hazard in hazards)
        # Rows of other hazards, before a reload, have other columns.
        rows = [row for row in latest_frame.rows(wanted.since_s) if row.names == names]
        # Rounded in one call: element by element it would hold the GIL for too long.
        values = np.stack([row.probabilities for row in rows]).round(3).tolist() if rows else []
        return {
            "now": round(clock(), 3),
            "hazards": [hazard.name for hazard in hazards],
            "thresholds": {hazard.name: round(hazard.threshold, 4) for hazard in hazards},
            "severities": {hazard.name: Severity(hazard.severity).name.lower() for hazard in hazards},
            "rows": [[round(row.at_s, 3), value] for row, value in zip(rows, values, strict=True)],
        }

    return answer
