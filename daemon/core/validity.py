"""Checks the condition of an utterance again just before it is spoken. Part of the core.

An utterance is dropped if its danger has passed, its component has recovered or its view is no longer the
newest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from daemon.core.health import OK, Component, ComponentState, Health
from pipeline.alerting.alert_policy import AlertPolicy


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition under which an utterance may be spoken. Every field that is set must hold."""

    hazard: str | None = None
    """This hazard is present."""
    named: tuple[str, ...] = ()
    """These hazards, which it names, are present."""
    component: Component | None = None
    reason: str = OK
    """The component is in this state."""
    reminder: bool = False
    """To be spoken although the same state was heard before."""
    works: Component | None = None
    """No condition: hearing it tells that this component works."""
    view: str | None = None
    """Id of the scene that was described: no newer one has been seen since."""
    after: str | None = None
    """The last utterance heard has this cause: for words that make no sense after others, as a side alone."""
    fresh_until_s: float | None = None
    """Time, on the clock of the events, after which it is not resumed if it was cut off."""
    begun: bool = False
    """At least its beginning was heard already."""


ALWAYS = Condition()
"""The condition that always holds."""


class Validity:
    """Checks conditions against the present state, and records heard alerts and views. Serialisable by
    `state`.
    """

    def __init__(self, watch: AlertPolicy, health: Health) -> None:
        self._policy = watch
        self._health = health
        self._current_view: str | None = None
        self._last_cause: str | None = None
        self._conditions: dict[str, Condition] = {}

    def set_view(self, scene_id: str) -> None:
        """Set the newest view."""
        self._current_view = scene_id

    def require(self, utterance_id: str, condition: Condition) -> None:
        """Set the condition of an utterance."""
        self._conditions[utterance_id] = condition

    def condition(self, utterance_id: str) -> Condition:
        """Return the condition of an utterance."""
        return self._conditions.get(utterance_id, ALWAYS)

    def is_present(self, hazard: str) -> bool:
        """True while the alert of a hazard lasts."""
        return hazard in self._policy.active

    def is_valid(self, condition: Condition, now: float) -> bool:
        """True if the condition holds now."""
        if condition.hazard is not None and condition.hazard not in self._policy.active:
            return False
        # A sentence may name several hazards: it is wrong as soon as one of them has ended.
        if not self._policy.active.keys() >= set(condition.named):
            return False
        if condition.component is not None and not self._is_news(condition.component, condition):
            return False
        if condition.view is not None and condition.view != self._current_view:
            return False
        if condition.after is not None and condition.after != self._last_cause:
            return False
        # Applies only to an answer that was cut off: one that has not begun expires in the outbox.
        return not condition.begun or condition.fresh_until_s is None or now <= condition.fresh_until_s

    def _is_news(self, component: Component, condition: Condition) -> bool:
        """True if the component is in that state and this was not heard yet.

        So a recovery is announced only if the failure was heard.
        """
        state = self._health.components.get(component, ComponentState())
        return state.reason == condition.reason and (condition.reminder or state.heard != condition.reason)

    def on_heard(self, utterance_id: str, cause: str | None) -> Condition:
        """Record that its first sample sounded. Returns its condition."""
        self._last_cause = cause
        # Kept although it was heard: if a danger cuts it off, it is checked again before it is resumed.
        condition = replace(self.condition(utterance_id), begun=True)
        if utterance_id in self._conditions:
            self._conditions[utterance_id] = condition
        if condition.component is not None:
            self._health.on_heard(condition.component, condition.reason)
        if condition.works is not None:
            self._health.on_working(condition.works)
        return condition

    def on_missed(self, utterance_id: str) -> None:
        """Record that it will never be heard; a failing component is then announced again."""
        condition = self._conditions.pop(utterance_id, ALWAYS)
        if condition.component is not None:
            self._health.on_missed(condition.component, condition.reason)

    def retain(self, utterance_ids: frozenset[str]) -> None:
        """Keep the conditions of these utterances only."""
        self._conditions = {
            id: condition for id, condition in self._conditions.items() if id in utterance_ids
        }

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "view": self._current_view,
            "last_cause": self._last_cause,
            "conditions": {id: asdict(c) for id, c in self._conditions.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._current_view = state["view"]
        self._last_cause = state.get("last_cause")
        self._conditions = {
            id: Condition(**{**fields, "named": tuple(fields.get("named", ()))})
            for id, fields in state["conditions"].items()
        }
