"""Raises one alert for one thing: of two rival hazards, which are easily confused, only the clearer is
raised.

A train also looks like a vehicle, a lit stove like a fire. A hazard is withheld while a rival, whose alert is
active or may be raised, is clearer by a stated lead, in log-odds over the thresholds. The clearest hazard is
never withheld for one without an alert, so one of them is always announced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

HOLD = 0.5
"""Log-odds added to a rival whose alert is active, so that scores which cross do not raise a second alert."""

Flags = NDArray[np.bool_]
Excess = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """Rules of hazards besides their thresholds. A hazard that is not named has none."""

    yields_to: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By hazard: its rivals, each with the lead (0 or more) from which the hazard is withheld."""
    vote_factor: Mapping[str, float] = field(default_factory=dict)
    """By hazard: the factor on the seconds of votes that it needs."""


NO_RULES = AlertRules()


class Rivals:
    """The pairs of rivals among some hazards, as vectors of shape (P,)."""

    def __init__(self, names: Sequence[str], rules: AlertRules) -> None:
        """Raises ValueError for a negative lead."""
        column = {name: i for i, name in enumerate(names)}
        pairs = [
            (column[name], column[rival], lead)
            for name, leads in rules.yields_to.items()
            for rival, lead in leads.items()
            if name in column and rival in column
        ]
        if any(lead < 0 for _, _, lead in pairs):
            raise ValueError("a rival's lead must not be negative: no alert of the two would be raised")
        self._hazard = np.array([pair[0] for pair in pairs], np.intp)
        self._rival = np.array([pair[1] for pair in pairs], np.intp)
        self._lead = np.array([pair[2] for pair in pairs], np.float64)

    def withheld_by(self, excess: Excess, confirmed: Flags, active: Flags) -> dict[int, int]:
        """Return the hazards to withhold, each with its clearest rival, as columns.

        `excess` (H,): smoothed log-odds over the threshold. `confirmed`: its alert may be raised. `active`:
        its alert is active.
        """
        if not len(self._hazard) or not confirmed.any():
            return {}
        # An active alert has an advantage, so that two close rivals do not alternate.
        strength = excess + HOLD * active
        ahead = strength[self._rival] - excess[self._hazard] - self._lead
        # A tie goes to the first in the list. Otherwise each would withhold the other, or none would.
        tied = (ahead == 0) & (self._rival < self._hazard)
        beaten = confirmed[self._hazard] & (confirmed | active)[self._rival] & ((ahead > 0) | tied)
        found: dict[int, int] = {}
        # Python only over the beaten pairs, which are few; the comparison of all pairs is vectorised above.
        for pair in np.flatnonzero(beaten).tolist():
            hazard, rival = int(self._hazard[pair]), int(self._rival[pair])
            if hazard not in found or strength[rival] > strength[found[hazard]]:
                found[hazard] = rival
        return found
