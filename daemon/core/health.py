"""Keeps the state of each component, and decides which change is announced. A pure state machine.

A change must last `settle_s` before it is announced. A flapping component is announced at most once per
`quiet_s`. A lasting failure is repeated every `remind_s`, or every `RARELY * remind_s` if alerts still work.
FINAL failures are announced at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, Field

from common.live_settings import Live

Component = Literal[
    "camera", "picture", "detector", "describer", "voice", "loudspeaker", "disk", "configuration", "program"
]
OK = "ok"

VITAL: frozenset[Component] = frozenset(["camera", "picture", "detector"])
"""Components whose failure is spoken even when muted: without them there is no warning."""
FINAL: frozenset[tuple[Component, str]] = frozenset(
    [("camera", "unusable"), ("camera", "stuck"), ("camera", "failed")]
)
"""Failures that never recover and end the process."""
AT_ONCE: frozenset[tuple[Component, str]] = FINAL | {("disk", "lost"), ("disk", "set_aside")}
"""Failures announced without waiting for `settle_s`: they do not pass by themselves."""
REMINDED: frozenset[Component] = VITAL | {"configuration"}
"""Components whose lasting failure is repeated every `remind_s`: the wearer cannot see a log, and without
these there are no warnings, or not those that the settings were meant to give.
"""
RARELY = 10
"""Multiple of `remind_s` between two reminders of other components. Warnings still work then, and a reminder
of a full disk every minute would delay them.
"""


class HealthSettings(BaseModel, frozen=True, extra="forbid"):
    """The `[health]` section: when a failing component is announced."""

    settle_s: Live[float] = Field(
        1.0, ge=0, le=60, description="seconds a change must last before it is announced"
    )
    quiet_s: Live[float] = Field(
        10.0, ge=0, le=600, description="seconds between two announcements about the same component"
    )
    late_s: Live[float] = Field(
        1.0, gt=0, le=60, description="age of a picture at its assessment, in seconds, that counts as late"
    )
    remind_s: Live[float] = Field(
        60.0,
        ge=0,
        le=3600,
        description="seconds until blindness, or a mistake in the settings, is announced again; ten times as "
        "many for other failures; 0 never",
    )


@dataclass(frozen=True, slots=True)
class Report:
    """A component as it is now. `reason` is `ok` or a short code (lost, dark, covered, late, failed...)."""

    component: Component
    reason: str = OK
    detail: str = ""
    """For the log and the event, never spoken."""


@dataclass(frozen=True, slots=True)
class HealthTick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A component failed, changed its failure, recovered, or (reminder) still fails."""

    component: Component
    reason: str
    detail: str
    reminder: bool = False


@dataclass(frozen=True, slots=True)
class ComponentState:
    """A component as last reported by its part, and as last announced."""

    reason: str = OK
    detail: str = ""
    since_s: float = 0.0
    announced: str = OK
    announced_at_s: float | None = None
    heard: str = OK
    """The reason that was last heard."""
    unheard: bool = False
    """The last announcement was never heard."""


class Health:
    """The state machine of all components. Serialisable by `state` and `restore`."""

    def __init__(self, settings: HealthSettings) -> None:
        self._settings = settings
        self._components: dict[Component, ComponentState] = {}

    @property
    def components(self) -> Mapping[Component, ComponentState]:
        """Every component that has reported."""
        return dict(self._components)

    def step(self, event: Report | HealthTick, now: float) -> tuple[Change, ...]:
        """Process one input and return the changes to announce."""
        if isinstance(event, Report):
            self._record(event, now)
        return tuple(c for component in tuple(self._components) if (c := self._change(component, now)))

    def on_heard(self, component: Component, reason: str) -> None:
        """Record that the announcement of this reason was heard."""
        if component in self._components:
            self._components[component] = replace(self._components[component], heard=reason, unheard=False)

    def on_working(self, component: Component) -> None:
        """Record that a text was heard which implies that the component works.

        A failure that lasts, or comes again, is announced anew.
        """
        if component in self._components:
            self._components[component] = replace(
                self._components[component], announced=OK, heard=OK, unheard=False
            )

    def on_missed(self, component: Component, reason: str) -> None:
        """Record that the announcement was never heard: if it still holds, it is repeated after `quiet_s`."""
        state = self._components.get(component)
        if state is not None and state.announced == reason:
            self._components[component] = replace(state, unheard=True)

    def _record(self, report: Report, now: float) -> None:
        state = self._components.get(report.component, ComponentState(since_s=now))
        # The same reason again is not a new failure: its start stays, its detail may change.
        since = state.since_s if state.reason == report.reason else now
        self._components[report.component] = replace(
            state, reason=report.reason, detail=report.detail, since_s=since
        )

    def _change(self, component: Component, now: float) -> Change | None:
        state = self._components[component]
        changed = state.reason != state.announced
        if not changed and not self._remindable(component, state, now) and not self._is_unheard(state, now):
            return None
        # `quiet_s` limits a flapping component, `settle_s` a short interruption.
        recent = state.announced_at_s is not None and now - state.announced_at_s < self._settings.quiet_s
        early = recent or now - state.since_s < self._settings.settle_s
        if changed and early and (component, state.reason) not in AT_ONCE:
            return None
        # Announced to the caller; `on_heard` or `on_missed` says later whether it was heard.
        self._components[component] = replace(
            state, announced=state.reason, announced_at_s=now, unheard=False
        )
        return Change(component, state.reason, state.detail, reminder=not changed)

    def _remindable(self, component: Component, state: ComponentState, now: float) -> bool:
        remind = self._settings.remind_s * (1 if component in REMINDED else RARELY)
        return (
            state.announced != OK
            and remind > 0
            and state.announced_at_s is not None
            and now - state.announced_at_s >= remind
        )

    def _is_unheard(self, state: ComponentState, now: float) -> bool:
        long_ago = state.announced_at_s is None or now - state.announced_at_s >= self._settings.quiet_s
        # If a failure came and went unheard, the last thing that the wearer heard is true again.
        return state.unheard and state.reason != state.heard and long_ago

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {component: asdict(state) for component, state in self._components.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._components = {component: ComponentState(**fields) for component, fields in state.items()}  # type: ignore[misc]
