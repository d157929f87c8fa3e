"""The narrate thread: asks the describer about one view after the other and reports what it answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from capture.frame import Frame
from daemon.core_types import DescribeView, Input
from pipeline.describer import DescribeError, Describer, DescribeRequest
from pipeline.likeness import Meaning
from pipeline.narration import Answered, AnswerEnded
from pipeline.types import Assessment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """A frame and what was made of it, kept until its description is over."""

    frame: Frame
    assessment: Assessment


def request_of(wanted: DescribeView, view: View, language: str, deadline_s: float) -> DescribeRequest:
    """What a describer is asked about a view."""
    return DescribeRequest(
        id=wanted.scene.id,
        image=view.frame.image,
        trigger=wanted.scene.trigger,
        language=language,
        seen=wanted.seen,
        question=wanted.scene.question,
        embedding=view.assessment.embedding,
        hazard=wanted.scene.hazard,
        deadline_s=deadline_s,
    )


Report = Callable[[Input, Mapping[str, float]], None]
"""Takes what happened, and the times measured on the way to it."""

MeaningOf = Callable[[str], Meaning]
"""A sentence as a vector; empty where there is no encoder."""


def no_meaning(sentence: str) -> Meaning:
    """Where there is no sentence encoder, words are compared."""
    del sentence
    return ()


class Narrator:
    """One place for the next view; the narration never asks for a second while one is under way."""

    def __init__(
        self, describer: Describer, report: Report, meaning: MeaningOf, clock: Callable[[], float]
    ) -> None:
        self._describer = describer
        self._report = report
        self._meaning = meaning
        self._clock = clock
        self._next: DescribeRequest | None = None
        self._running: str | None = None
        self._changed = threading.Condition()
        self._closed = False

    def ask(self, request: DescribeRequest) -> None:
        """Describe this next; never waits. A view that still waited is given up."""
        with self._changed:
            overtaken, self._next = self._next, request
            self._changed.notify()
        if overtaken is not None:
            self._report(AnswerEnded(overtaken.id, "overtaken"), {})

    def cancel(self, scene_id: str) -> None:
        """The answer about this view is not wanted any more; never waits."""
        with self._changed:
            waiting = self._next is not None and self._next.id == scene_id
            if waiting:
                self._next = None
            running = self._running == scene_id
        if waiting:
            self._report(AnswerEnded(scene_id), {})
        if running:
            self._describer.cancel()

    def run(self) -> None:
        """Answer until `close`."""
        while (request := self._take()) is not None:
            timing: dict[str, float] = {}
            failure = self._answer(request, timing)
            self._report(AnswerEnded(request.id, failure), timing)

    def close(self) -> None:
        """Let `run` end; a running answer is cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._describer.cancel()

    def _take(self) -> DescribeRequest | None:
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._closed or self._next is not None)
            if self._closed:
                return None
            request, self._next = self._next, None
            self._running = request.id if request else None
            return request

    def _answer(self, request: DescribeRequest, timing: dict[str, float]) -> str | None:
        """Report sentence by sentence; returns why there is no answer, None where there is one."""
        began_s = self._clock()
        try:
            for sentence in self._describer.describe(request):
                timing.setdefault("first_sentence_s", self._clock() - began_s)
                self._report(self._answered(request, sentence), dict(timing))
        except DescribeError as error:
            log.warning("no description: %s", error)
            return str(error)
        finally:
            timing["describe_s"] = self._clock() - began_s
        return None

    def _answered(self, request: DescribeRequest, sentence: str) -> Answered:
        return Answered(request.id, sentence, self._describer.model, self._meaning(sentence))
