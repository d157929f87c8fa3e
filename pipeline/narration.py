"""Which view to describe next, what is stale, when to cancel, what repeats. A pure state machine.

One view is being described, at most one waits. Danger outranks a question, a question outranks a change
of scene. An answer about a view that has been overtaken is never said: a wrong picture of the present is
worse than silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.likeness import Meaning, alike
from pipeline.settings import DescribeSettings
from pipeline.types import Description, SceneEvent, Trigger

RANK = {Trigger.SCENE_CHANGE: 0, Trigger.REQUEST: 1, Trigger.DANGER: 2}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A view worth describing."""

    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class Answered:
    """A finished sentence about a view."""

    scene_id: str
    text: str
    model: str
    meaning: Meaning = ()
    """The sentence as a vector, where somebody computed it."""


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """The describer is done with a view; `failure` says why where it has no answer."""

    scene_id: str
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


NarrationInput = Wanted | Answered | AnswerEnded | Tick


@dataclass(frozen=True, slots=True)
class Describe:
    """Ask the describer about this view."""

    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class CancelDescription:
    """The running answer is not wanted any more."""

    scene_id: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this sentence."""

    description: Description
    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class Described:
    """A view has been described: all its sentences together, for the record."""

    description: Description
    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class Withheld:
    """A view will not be described, or a sentence not said."""

    scene_id: str
    reason: str
    """overtaken | stale | repeats | failed: ... | late"""
    text: str = ""
    """The sentence, where there was one."""
    model: str = ""
    """Who wrote it."""


NarrationEffect = Describe | CancelDescription | Tell | Described | Withheld


@dataclass(frozen=True, slots=True)
class Running:
    """The view that is being described."""

    scene: SceneEvent
    asked_at_s: float
    answer_id: str
    cancelled: bool = False
    told: tuple[str, ...] = ()
    model: str = ""


class Narration:
    """Serialisable by `state` and `restore`."""

    def __init__(self, settings: DescribeSettings, language: str) -> None:
        self._settings = settings
        self._language = language
        self._running: Running | None = None
        self._waiting: SceneEvent | None = None
        self._told: str = ""
        self._told_meaning: Meaning = ()
        self._issued = 0

    @property
    def busy(self) -> bool:
        """True while an answer is awaited."""
        return self._running is not None

    def step(self, event: NarrationInput, now: float) -> tuple[NarrationEffect, ...]:
        """One input in, what follows from it out."""
        match event:
            case Wanted(scene):
                return self._wanted(scene, now)
            case Answered():
                return self._answered(event, now)
            case AnswerEnded():
                return self._ended(event, now)
            case Tick():
                return self._tick(now)

    def _wanted(self, scene: SceneEvent, now: float) -> tuple[NarrationEffect, ...]:
        if self._running is None:
            return self._ask(scene, now)
        loser = self._queue(scene)
        withheld = (Withheld(loser.id, "overtaken"),) if loser else ()
        if loser is scene or RANK[scene.trigger] < RANK[self._running.scene.trigger]:
            return withheld
        return (*withheld, *self._cancel())

    def _queue(self, scene: SceneEvent) -> SceneEvent | None:
        """Put a view into the one waiting place; returns whichever loses it."""
        waiting = self._waiting
        if waiting is not None and RANK[waiting.trigger] > RANK[scene.trigger]:
            return scene
        self._waiting = scene
        return waiting

    def _cancel(self) -> tuple[NarrationEffect, ...]:
        running = self._running
        if running is None or running.cancelled:
            return ()
        self._running = replace(running, cancelled=True)
        return (CancelDescription(running.scene.id),)

    def _ask(self, scene: SceneEvent, now: float) -> tuple[NarrationEffect, ...]:
        self._issued += 1
        self._running = Running(scene, now, f"d{self._issued}")
        return (Describe(scene),)

    def _answered(self, event: Answered, now: float) -> tuple[NarrationEffect, ...]:
        running = self._running
        if running is None or running.scene.id != event.scene_id:
            return (Withheld(event.scene_id, "stale", event.text, event.model),)
        if reason := self._unfit(running, event, now):
            return (Withheld(event.scene_id, reason, event.text, event.model),)
        self._told, self._told_meaning = event.text, event.meaning
        self._running = replace(running, told=(*running.told, event.text), model=event.model)
        return (Tell(self._description(self._running, event.text), running.scene),)

    def _description(self, running: Running, text: str) -> Description:
        return Description(running.answer_id, running.scene.id, text, self._language, running.model)

    def _unfit(self, running: Running, answer: Answered, now: float) -> str | None:
        if running.cancelled:
            return "overtaken"
        if now - running.scene.captured_at_s > self._settings.stale_s:
            return "stale"
        repeats = alike(self._told, answer.text, self._told_meaning, answer.meaning)
        if repeats and running.scene.trigger is not Trigger.REQUEST:
            return "repeats"
        return None

    def _ended(self, event: AnswerEnded, now: float) -> tuple[NarrationEffect, ...]:
        running = self._running
        if running is None or running.scene.id != event.scene_id:
            return ()
        told = self._description(running, " ".join(running.told))
        described = (Described(told, running.scene),) if running.told else ()
        failed = () if event.failure is None else (Withheld(event.scene_id, f"failed: {event.failure}"),)
        return (*described, *failed, *self._next(now))

    def _next(self, now: float) -> tuple[NarrationEffect, ...]:
        self._running, waiting, self._waiting = None, self._waiting, None
        if waiting is None:
            return ()
        if now - waiting.captured_at_s > self._settings.stale_s:
            return (Withheld(waiting.id, "stale"),)
        return self._ask(waiting, now)

    def _tick(self, now: float) -> tuple[NarrationEffect, ...]:
        """A describer that says nothing within twice its deadline is given up: nothing waits for ever."""
        running = self._running
        if running is None or now - running.asked_at_s < 2 * self._settings.deadline_s:
            return ()
        return (Withheld(running.scene.id, "late"), CancelDescription(running.scene.id), *self._next(now))

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "running": None if self._running is None else asdict(self._running),
            "waiting": None if self._waiting is None else asdict(self._waiting),
            "told": self._told,
            "told_meaning": list(self._told_meaning),
            "issued": self._issued,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        running = state["running"]
        self._running = None if running is None else _running(running)
        self._waiting = None if state["waiting"] is None else _scene(state["waiting"])
        self._told = state["told"]
        self._told_meaning = tuple(state["told_meaning"])
        self._issued = state["issued"]


def _running(fields: Mapping[str, Any]) -> Running:
    return Running(**{**fields, "scene": _scene(fields["scene"]), "told": tuple(fields["told"])})


def _scene(fields: Mapping[str, Any]) -> SceneEvent:
    return SceneEvent(**{**fields, "trigger": Trigger(fields["trigger"])})
