"""What an utterance rests on, and whether that is still so when it is about to be said. Part of the core.

A danger that has passed, a camera that has come back meanwhile, a view that has been overtaken: what
waited too long to be true is not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from daemon.core.health import OK, Component, ComponentState, Health
from pipeline.alerting.alert_policy import AlertPolicy


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for something to be worth saying; nothing at all by default."""

    hazard: str | None = None
    """This hazard is present."""
    component: Component | None = None
    reason: str = OK
    """The component is as this says."""
    reminder: bool = False
    """Worth saying although it was heard before."""
    view: str | None = None
    """Id of the scene that was described: no newer one has been seen since."""
    after: str | None = None
    """What was heard last belongs to this cause: words that mean nothing after others."""
    fresh_until_s: float | None = None
    """After this it is not taken up again where it was cut."""
    begun: bool = False
    """It was heard already, at least its beginning."""


ALWAYS = Condition()
"""Rests on nothing that may change."""


class Validity:
    """Knows what is so now, and takes note of what was heard of it. Serialisable by `state`, `restore`."""

    def __init__(self, watch: AlertPolicy, health: Health) -> None:
        self._watch = watch
        self._health = health
        self._view: str | None = None
        self._last_cause: str | None = None
        self._grounds: dict[str, Condition] = {}

    def saw(self, scene_id: str) -> None:
        """The view has changed; that one is the newest."""
        self._view = scene_id

    def rests(self, utterance_id: str, ground: Condition) -> None:
        """Remember what an utterance rests on."""
        self._grounds[utterance_id] = ground

    def ground(self, utterance_id: str) -> Condition:
        """What an utterance rests on."""
        return self._grounds.get(utterance_id, ALWAYS)

    def holds(self, ground: Condition, now: float) -> bool:
        """Whether it is still worth saying."""
        if ground.hazard is not None and ground.hazard not in self._watch.active:
            return False
        if ground.component is not None and not self._news(ground.component, ground):
            return False
        if ground.view is not None and ground.view != self._view:
            return False
        if ground.after is not None and ground.after != self._last_cause:
            return False
        return not ground.begun or ground.fresh_until_s is None or now <= ground.fresh_until_s

    def _news(self, component: Component, ground: Condition) -> bool:
        """True of the component, and not what was heard of it last: no return without a loss."""
        state = self._health.components.get(component, ComponentState())
        return state.reason == ground.reason and (ground.reminder or state.heard != ground.reason)

    def heard(self, utterance_id: str, cause: str | None) -> Condition:
        """Its first sample sounded. Returns what it rests on."""
        self._last_cause = cause
        ground = replace(self.ground(utterance_id), begun=True)
        if utterance_id in self._grounds:
            self._grounds[utterance_id] = ground
        if ground.component is not None:
            self._health.heard(ground.component, ground.reason)
        return ground

    def missed(self, utterance_id: str) -> None:
        """It was never heard and never will be; a failing component is then told of again."""
        ground = self._grounds.pop(utterance_id, ALWAYS)
        if ground.component is not None:
            self._health.missed(ground.component, ground.reason)

    def keep(self, utterance_ids: frozenset[str]) -> None:
        """Forget all others."""
        self._grounds = {id: ground for id, ground in self._grounds.items() if id in utterance_ids}

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "view": self._view,
            "last_cause": self._last_cause,
            "grounds": {id: asdict(g) for id, g in self._grounds.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._view = state["view"]
        self._last_cause = state.get("last_cause")
        self._grounds = {id: Condition(**fields) for id, fields in state["grounds"].items()}
