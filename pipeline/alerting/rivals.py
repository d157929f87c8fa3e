"""One thing is one alert: hazards that a picture seldom shows at once are told apart by a margin.

A train also looks like a vehicle, a lit stove like a fire. A hazard is withheld while a rival that can be
alerted of too is the clearer one by a stated lead, in log-odds over the thresholds. The clearest of all is
never withheld for one that is not alerted of yet, so something is always said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

HOLD = 0.5
"""Log-odds by which a rival that is alerted of counts for more: scores that cross make no second alert."""

Flags = NDArray[np.bool_]
Excess = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """Rules of hazards besides their thresholds; hazards that are not named have none."""

    yields_to: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By hazard: its rivals, and the lead of each from which the hazard is withheld; never negative."""
    vote_factor: Mapping[str, float] = field(default_factory=dict)
    """By hazard: how many times the usual seconds of votes it needs."""


NO_RULES = AlertRules()


class Rivals:
    """The rivalries among some hazards, as vectors over their P pairs."""

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
            raise ValueError("a rival's lead must not be negative: neither of two would be alerted of")
        self._hazard = np.array([pair[0] for pair in pairs], np.intp)
        self._rival = np.array([pair[1] for pair in pairs], np.intp)
        self._lead = np.array([pair[2] for pair in pairs], np.float64)

    def withheld_by(self, excess: Excess, confirmed: Flags, active: Flags) -> dict[int, int]:
        """The hazards to be withheld, each with its clearest rival, as columns.

        `excess` (H,): smoothed log-odds over the threshold. `confirmed`: may be alerted of. `active`: was.
        """
        if not len(self._hazard) or not confirmed.any():
            return {}
        # A hazard that was alerted has an advantage, so that two close rivals do not alternate.
        strength = excess + HOLD * active
        ahead = strength[self._rival] - excess[self._hazard] - self._lead
        # A tie goes to the first in the list: without this rule both would withhold each other, or neither.
        tied = (ahead == 0) & (self._rival < self._hazard)
        beaten = confirmed[self._hazard] & (confirmed | active)[self._rival] & ((ahead > 0) | tied)
        found: dict[int, int] = {}
        # Python only over the beaten pairs, which are few; the comparison of all pairs is vectorised above.
        for pair in np.flatnonzero(beaten).tolist():
            hazard, rival = int(self._hazard[pair]), int(self._rival[pair])
            if hazard not in found or strength[rival] > strength[found[hazard]]:
                found[hazard] = rival
        return found
