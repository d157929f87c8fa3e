"""Decides which view is described next, and which answers are stale, cancelled or repetitions. A pure state
machine.

One view is being described, at most one waits. A question outranks a danger, which was announced by its
alert already; a danger outranks a change of scene. So dangers that follow each other cannot cancel the answer
to a question again and again. An answer about a view that has been overtaken is never said: a wrong picture
of the present is worse than silence. A question that got no answer is asked again about the present view, and
answered from the detector's report alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.description.similarity import SentenceVector, is_repetition
from pipeline.settings import DescribeSettings
from pipeline.types import Description, SceneEvent, Trigger

REMEMBERED_S = 60.0
"""Seconds for which a sentence that was heard is not said again, unless the wearer asks."""
READ_S = 45.0
"""Seconds that reading may take, and for which its words are of the view, as writing stays where it is. The
first reading loads a model at the lowest priority.
"""
JUST_S = 10.0
"""The same after an alert, which is news by itself."""
REMEMBERED = 16
"""Sentences that are remembered at most."""

DETECTOR_ALONE = "tags"
"""Name of the describer that only knows what the detector reports. Unasked, it would repeat the warnings."""

RANK = {Trigger.SCENE_CHANGE: 0, Trigger.DANGER: 1, Trigger.REQUEST: 2, Trigger.READ: 2}


@dataclass(frozen=True, slots=True)
class Requested:
    """A view worth describing."""

    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A finished sentence about a view."""

    scene_id: str
    text: str
    model: str
    meaning: SentenceVector = ()
    """The sentence as a vector; None if it was not computed."""
    language: str = ""
    """Of the sentence; empty for the wearer's own."""
    contradicted: bool = False
    """It denies a danger that was announced after its picture was taken."""


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    """The describer is done with a view; `failure` says why if it has no answer."""

    scene_id: str
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class StopDescribing:
    """Stop the present description and drop the waiting one."""


@dataclass(frozen=True, slots=True)
class DescriptionTick:
    """Time has passed."""


NarrationInput = Requested | SentenceReady | AnswerFinished | StopDescribing | DescriptionTick


@dataclass(frozen=True, slots=True)
class StartDescription:
    """Ask the describer about this view."""

    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class CancelDescription:
    """The running answer is not wanted any more."""

    scene_id: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this sentence."""

    description: Description
    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class Described:
    """A view has been described: all its sentences together, for the record."""

    description: Description
    scene: SceneEvent


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A view will not be described, or a sentence not said."""

    scene_id: str
    reason: str
    """overtaken | hushed | stale | contradicted | unasked | repeats | failed: ... | late"""
    text: str = ""
    """The sentence, if there was one."""
    model: str = ""
    """The model that wrote it."""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Request an answer to the same question about the present view, at once. A waiting view waits for it."""

    scene: SceneEvent
    detector_only: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question will get no answer."""

    scene: SceneEvent


NarrationEffect = (
    StartDescription | CancelDescription | Speak | Described | Suppressed | AskAgain | Unanswered
)


@dataclass(frozen=True, slots=True)
class RunningAnswer:
    """The view that is being described."""

    scene: SceneEvent
    asked_at_s: float
    answer_id: str
    cancelled: str = ""
    """Why nothing more of it is to be said; empty while it is."""
    told: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something that was to be said."""

    text: str
    meaning: SentenceVector
    heard_at_s: float | None = None


class DescriptionPolicy:
    """Serialisable by `state` and `restore`."""

    def __init__(self, settings: DescribeSettings, language: str) -> None:
        self._settings = settings
        self._language = language
        self._running: RunningAnswer | None = None
        self._waiting: SceneEvent | None = None
        self._said: tuple[Sentence, ...] = ()
        self._issued = 0

    @property
    def busy(self) -> bool:
        """True while an answer is awaited."""
        return self._running is not None

    def view_of(self, scene_id: str) -> SceneEvent | None:
        """The view of a running answer; None if no answer about that view is running."""
        running = self._running
        return running.scene if running and running.scene.id == scene_id else None

    def step(self, event: NarrationInput, now: float) -> tuple[NarrationEffect, ...]:
        """Take one input; return its effects."""
        match event:
            case Requested(scene):
                return self._wanted(scene, now)
            case SentenceReady():
                return self._answered(event, now)
            case AnswerFinished():
                return self._ended(event, now)
            case StopDescribing():
                return self._stop()
            case DescriptionTick():
                return self._tick(now)

    def mark_heard(self, text: str, now: float) -> None:
        """The first sample of this text sounded."""
        self._said = tuple(replace(s, heard_at_s=now) if s.text == text else s for s in self._said)

    def _wanted(self, scene: SceneEvent, now: float) -> tuple[NarrationEffect, ...]:
        if self._running is None:
            return self._ask(scene, now)
        loser = self._queue(scene)
        withheld = (Suppressed(loser.id, "overtaken"),) if loser else ()
        if loser is scene or RANK[scene.trigger] < RANK[self._running.scene.trigger]:
            return withheld
        return (*withheld, *self._cancel("overtaken"))

    def _stop(self) -> tuple[NarrationEffect, ...]:
        waiting, self._waiting = self._waiting, None
        withheld = () if waiting is None else (Suppressed(waiting.id, "hushed"),)
        return (*withheld, *self._cancel("hushed"))

    def _queue(self, scene: SceneEvent) -> SceneEvent | None:
        """Put a view into the one waiting place; returns whichever loses it."""
        waiting = self._waiting
        if waiting is not None and RANK[waiting.trigger] > RANK[scene.trigger]:
            return scene
        self._waiting = scene
        return waiting

    def _cancel(self, reason: str) -> tuple[NarrationEffect, ...]:
        running = self._running
        if running is None or running.cancelled:
            return ()
        self._running = replace(running, cancelled=reason)
        return (CancelDescription(running.scene.id),)

    def _ask(self, scene: SceneEvent, now: float) -> tuple[NarrationEffect, ...]:
        self._issued += 1
        self._running = RunningAnswer(scene, now, f"d{self._issued}")
        return (StartDescription(scene),)

    def _answered(self, event: SentenceReady, now: float) -> tuple[NarrationEffect, ...]:
        running = self._running
        if running is None or running.scene.id != event.scene_id:
            return (Suppressed(event.scene_id, "stale", event.text, event.model),)
        if reason := self._unfit(running, event, now):
            return (Suppressed(event.scene_id, reason, event.text, event.model),)
        # Moved to the end, so that a sentence that keeps coming back is not forgotten first.
        earlier = tuple(s for s in self._said if s.text != event.text)
        self._said = (*earlier, Sentence(event.text, event.meaning))[-REMEMBERED:]
        self._running = replace(running, told=(*running.told, event.text), model=event.model)
        description = self._description(self._running, event.text, event.language)
        return (Speak(description, running.scene),)

    def _description(self, running: RunningAnswer, text: str, language: str = "") -> Description:
        spoken = language or self._language
        return Description(running.answer_id, running.scene.id, text, spoken, running.model)

    def _unfit(self, running: RunningAnswer, answer: SentenceReady, now: float) -> str | None:
        if running.cancelled:
            return running.cancelled
        if now - running.scene.captured_at_s > self._stale_s(running.scene):
            return "stale"
        if answer.contradicted:
            return "contradicted"
        if answer.model == DETECTOR_ALONE and not running.scene.trigger.asked:
            return "unasked"
        return "repeats" if self._repeats(running, answer, now) else None

    def _repeats(self, running: RunningAnswer, answer: SentenceReady, now: float) -> bool:
        """True if it was heard recently, or is in the same answer already."""
        if running.scene.trigger.asked:
            return answer.text in running.told
        within_s = JUST_S if running.scene.trigger is Trigger.DANGER else REMEMBERED_S
        return any(
            is_repetition(said.text, answer.text, said.meaning, answer.meaning)
            for said in self._said
            if said.text in running.told
            or (said.heard_at_s is not None and now - said.heard_at_s <= within_s)
        )

    def _ended(self, event: AnswerFinished, now: float) -> tuple[NarrationEffect, ...]:
        running = self._running
        if running is None or running.scene.id != event.scene_id:
            return ()
        told = self._description(running, " ".join(running.told))
        described = (Described(told, running.scene),) if running.told else ()
        failed = () if event.failure is None else (Suppressed(event.scene_id, f"failed: {event.failure}"),)
        return (*described, *failed, *self._after(running, now))

    def _after(self, ended: RunningAnswer, now: float) -> tuple[NarrationEffect, ...]:
        """End an answer: the next view follows, or the same question again if it got no answer."""
        self._running = None
        # A cancelled answer was hushed by the wearer, or replaced by a newer question.
        if ended.told or ended.cancelled or not ended.scene.trigger.asked:
            return self._next(now)
        # At most once: the model had its time, and the detector's report needs no time.
        if ended.scene.trigger is Trigger.REQUEST and not ended.scene.detector_only:
            return (AskAgain(ended.scene, detector_only=True),)
        return (Unanswered(ended.scene), *self._next(now))

    def _next(self, now: float) -> tuple[NarrationEffect, ...]:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return ()
        # It has waited for another description to end: by now it may show the past.
        if now - waiting.captured_at_s <= self._stale_s(waiting):
            return self._ask(waiting, now)
        if waiting.trigger is Trigger.REQUEST:
            return (AskAgain(waiting, waiting.detector_only),)
        unanswered = (Unanswered(waiting),) if waiting.trigger.asked else ()
        return (Suppressed(waiting.id, "stale"), *unanswered)

    def _tick(self, now: float) -> tuple[NarrationEffect, ...]:
        """An answer that does not come within twice its deadline is cancelled: nothing waits for ever."""
        running = self._running
        if running is None:
            # A view may wait if the question before it could not be asked again.
            return self._next(now)
        if now - running.asked_at_s < self._patience_s(running.scene):
            return ()
        id = running.scene.id
        return (Suppressed(id, "late"), CancelDescription(id), *self._after(running, now))

    def _stale_s(self, scene: SceneEvent) -> float:
        return READ_S if scene.trigger is Trigger.READ else self._settings.stale_s

    def _patience_s(self, scene: SceneEvent) -> float:
        return READ_S if scene.trigger is Trigger.READ else 2 * self._settings.deadline_s

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "running": None if self._running is None else asdict(self._running),
            "waiting": None if self._waiting is None else asdict(self._waiting),
            "said": [asdict(sentence) for sentence in self._said],
            "issued": self._issued,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        running = state["running"]
        self._running = None if running is None else _running(running)
        self._waiting = None if state["waiting"] is None else _scene(state["waiting"])
        self._said = tuple(
            Sentence(**{**fields, "meaning": tuple(fields["meaning"])}) for fields in state.get("said", ())
        )
        self._issued = state["issued"]


def _running(fields: Mapping[str, Any]) -> RunningAnswer:
    return RunningAnswer(**{**fields, "scene": _scene(fields["scene"]), "told": tuple(fields["told"])})


def _scene(fields: Mapping[str, Any]) -> SceneEvent:
    return SceneEvent(**{**fields, "trigger": Trigger(fields["trigger"])})
