"""The state of each organ, and which change is to be spoken. A pure state machine.

A change must last `settle_s` before it is told, an organ that flaps is told of once a `quiet_s`, and a
lasting failure is told again every `remind_s`, one that does not cost the warning RARELY as often. What
is FINAL is told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, Field

Organ = Literal["camera", "picture", "detector", "describer", "voice", "loudspeaker", "disk"]
OK = "ok"

VITAL: frozenset[Organ] = frozenset(["camera", "picture", "detector"])
"""Organs whose failure is spoken even when muted: without them there is no warning."""
FINAL: frozenset[tuple[Organ, str]] = frozenset(
    [("camera", "unusable"), ("camera", "stuck"), ("camera", "failed")]
)
"""Organs and reasons that never pass, and after which the process ends: told at once."""
RARELY = 10
"""Times the pause between two reminders of an organ that is not vital: nobody wants a disk every minute."""


class HealthSettings(BaseModel, frozen=True, extra="forbid"):
    """The `[health]` section: when a failing organ is told of."""

    settle_s: float = Field(1.0, ge=0, le=60, description="seconds a change must last before it is told")
    quiet_s: float = Field(10.0, ge=0, le=600, description="seconds between two words about the same organ")
    late_s: float = Field(0.7, gt=0, le=60, description="seconds from frame to assessment that count as late")
    remind_s: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="seconds until blindness is told again, other failures after ten times as many; 0 never",
    )


@dataclass(frozen=True, slots=True)
class Report:
    """An organ as it is now. `reason` is `ok` or a short code (lost, dark, covered, late, failed...)."""

    organ: Organ
    reason: str = OK
    detail: str = ""
    """For the log and the event, never spoken."""


@dataclass(frozen=True, slots=True)
class HealthTick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Change:
    """An organ failed, changed its failure, recovered, or (reminder) still fails."""

    organ: Organ
    reason: str
    detail: str
    reminder: bool = False


@dataclass(frozen=True, slots=True)
class ComponentState:
    """An organ as last reported and as last told."""

    reason: str = OK
    detail: str = ""
    since_s: float = 0.0
    told: str = OK
    told_at_s: float | None = None
    heard: str = OK
    """The reason that was last heard."""
    owed: bool = False
    """What was told last was never heard."""


class Health:
    """Serialisable by `state` and `restore`."""

    def __init__(self, settings: HealthSettings) -> None:
        self._settings = settings
        self._organs: dict[Organ, ComponentState] = {}

    @property
    def organs(self) -> Mapping[Organ, ComponentState]:
        """Every organ that has reported."""
        return dict(self._organs)

    def step(self, event: Report | HealthTick, now: float) -> tuple[Change, ...]:
        """One input in, the changes to be told out."""
        if isinstance(event, Report):
            self._note(event, now)
        return tuple(c for organ in tuple(self._organs) if (c := self._tell(organ, now)))

    def heard(self, organ: Organ, reason: str) -> None:
        """Word of this was heard."""
        if organ in self._organs:
            self._organs[organ] = replace(self._organs[organ], heard=reason, owed=False)

    def missed(self, organ: Organ, reason: str) -> None:
        """Word of this was never heard: where it still holds it is told again, after `quiet_s`."""
        state = self._organs.get(organ)
        if state is not None and state.told == reason:
            self._organs[organ] = replace(state, owed=True)

    def _note(self, report: Report, now: float) -> None:
        state = self._organs.get(report.organ, ComponentState(since_s=now))
        since = state.since_s if state.reason == report.reason else now
        self._organs[report.organ] = replace(state, reason=report.reason, detail=report.detail, since_s=since)

    def _tell(self, organ: Organ, now: float) -> Change | None:
        state = self._organs[organ]
        changed = state.reason != state.told
        if not changed and not self._remindable(organ, state, now) and not self._owed(state, now):
            return None
        recent = state.told_at_s is not None and now - state.told_at_s < self._settings.quiet_s
        early = recent or now - state.since_s < self._settings.settle_s
        if changed and early and (organ, state.reason) not in FINAL:
            return None
        self._organs[organ] = replace(state, told=state.reason, told_at_s=now, owed=False)
        return Change(organ, state.reason, state.detail, reminder=not changed)

    def _remindable(self, organ: Organ, state: ComponentState, now: float) -> bool:
        remind = self._settings.remind_s * (1 if organ in VITAL else RARELY)
        return (
            state.told != OK
            and remind > 0
            and state.told_at_s is not None
            and now - state.told_at_s >= remind
        )

    def _owed(self, state: ComponentState, now: float) -> bool:
        long_ago = state.told_at_s is None or now - state.told_at_s >= self._settings.quiet_s
        return state.owed and state.reason != state.heard and long_ago

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {organ: asdict(state) for organ, state in self._organs.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._organs = {organ: ComponentState(**fields) for organ, fields in state.items()}  # type: ignore[misc]
