"""From figures to a plan: which device for what, at which rate, with which settings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.tune.figures import Conditions, DescriberFigures, DetectorFigures
from daemon.tune.pairing import Pair, eligible
from daemon.tune.proposals import Message, PlannedSetting, planned_notes, planned_settings


@dataclass(frozen=True, slots=True)
class Plan:
    """The chosen models, the settings that follow, and notes for the user."""

    detector: DetectorFigures | None
    """None if no model computes right."""
    describer: DescriberFigures | None
    """None if template sentences describe."""
    settings: tuple[PlannedSetting, ...] = ()
    notes: tuple[Message, ...] = ()

    def value(self, key: str) -> str | int | float | None:
        """The planned value of a setting; None if the plan leaves it alone."""
        return next((one.value for one in self.settings if one.key == key), None)


def decide(
    detectors: Sequence[DetectorFigures], describers: Sequence[DescriberFigures], on: Conditions
) -> Plan:
    """Choose the best detector and describer.

    `detectors`: preferred models first; the order of one model's figures, and of `describers`, does not
    matter.
    """
    candidates = eligible(detectors)
    if not candidates:
        wrong = Message("no model computes right on this machine; `watchword check` says more")
        return Plan(None, None, notes=(wrong,))
    answering: list[DescriberFigures | None] = [one for one in describers if not one.refused]
    pairs = [Pair(one, other, on) for one in candidates for other in answering or [None]]
    best = min(pairs, key=lambda pair: pair.cost)
    return Plan(
        best.detector,
        None if best.is_late else best.describer,
        tuple(planned_settings(best, describers)),
        tuple(planned_notes(best)),
    )
