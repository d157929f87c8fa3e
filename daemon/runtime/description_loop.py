"""The description thread: asks the describer about one view after the other and reports its answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from capture.frame import Image
from daemon.core.messages import Input
from daemon.core.view import SentenceEncoder
from pipeline.description.base import DescribeError, Describer, DescribeRequest
from pipeline.description.policy import AnswerFinished, SentenceReady
from pipeline.reading.passages import Passage, ReadingError
from pipeline.types import Trigger

log = logging.getLogger(__name__)

RECANCEL_S = 0.05
"""Seconds between two attempts to cancel the description of an external image."""


Report = Callable[[Input, Mapping[str, float]], None]
"""Receives an input of the core and the times measured on the way to it."""


class PassageReader(Protocol):
    """Reads the words in a picture."""

    @property
    def model(self) -> str: ...

    def read(self, image: Image, language: str, timeout_s: float) -> Sequence[Passage]:
        """What is said of it. Raises ReadingError after `timeout_s`, and the time to load, at the latest."""
        ...


@dataclass(frozen=True, slots=True)
class ExternalDescription:
    """The description of an image that is not the wearer's view."""

    text: str
    model: str
    waited_s: float
    took_s: float


class _ExternalRequest:
    """The request for an external image, and its answer."""

    def __init__(self, request: DescribeRequest) -> None:
        self.request = request
        self.started_at_s: float | None = None
        self.answer: tuple[str, str, float] | None = None
        """Text, model, and the time of completion."""
        self.over = False


class DescriptionLoop:
    """Holds one view to describe next; the policy never asks for a second while one is being described.

    A second place holds an external image, which is described only while no view waits.
    """

    def __init__(
        self,
        describer: Describer | None,
        report: Report,
        encode_sentence: SentenceEncoder,
        clock: Callable[[], float],
        text_reader: PassageReader | None = None,
    ) -> None:
        """Without a describer only words are read; without a reader none are."""
        self._describer = describer
        self._report = report
        self._encode_sentence = encode_sentence
        self._clock = clock
        self._text_reader = text_reader
        self._next: DescribeRequest | None = None
        self._running: str | None = None
        self._external: _ExternalRequest | None = None
        self._changed = threading.Condition()
        self._closed = False

    def submit(self, request: DescribeRequest) -> None:
        """Describe this view next; never waits. A view that was still waiting is dropped and reported."""
        with self._changed:
            # Only the newest view is worth describing; the one it replaces is reported below, outside the
            # lock.
            replaced, self._next = self._next, request
            self._changed.notify_all()
            self._cancel_external()
        # Without the lock: `submit` is called within a step, so the core's lock always comes first.
        if replaced is not None:
            self._report(AnswerFinished(replaced.id, "overtaken"), {})

    def cancel(self, scene_id: str) -> None:
        """Cancel the description of this view; never waits."""
        with self._changed:
            waiting = self._next is not None and self._next.id == scene_id
            if waiting:
                self._next = None
            running = self._running == scene_id
        if waiting:
            self._report(AnswerFinished(scene_id), {})
        if running:
            self._cancel_answer()

    def describe_external(self, request: DescribeRequest, wait_s: float) -> ExternalDescription | None:
        """Describe an external image while the wearer's views leave time for it; blocks up to `wait_s`.

        None if there was no time for it: a view of the wearer's came first, or took its place.
        """
        began_s, external = self._clock(), _ExternalRequest(request)
        until_s = began_s + wait_s
        with self._changed:
            # One at a time: a second client gets the answer "busy" instead of being queued.
            if self._describer is None or self._external is not None or self._closed:
                return None
            self._external = external
            self._changed.notify_all()
            while not external.over and not self._closed and (left_s := until_s - self._clock()) > 0:
                # A cancellation may come before there is anything to cancel: it is said again.
                self._changed.wait(min(left_s, RECANCEL_S) if self._next else left_s)
                self._cancel_external()
            if self._external is external and external.started_at_s is None:
                self._external = None
            elif not external.over:
                self._cancel_answer()
            if external.answer is None or external.started_at_s is None:
                return None
            text, model, done_s = external.answer
            return ExternalDescription(
                text, model, external.started_at_s - began_s, done_s - external.started_at_s
            )

    def _cancel_external(self) -> None:
        """Cancel the external image if a view waits. Called with the lock held; never waits."""
        external = self._external
        if self._next is not None and external is not None and external.started_at_s is not None:
            self._cancel_answer()

    def _cancel_answer(self) -> None:
        # A reading is not cancelled: it takes less than a second, and its answer is dropped by the policy.
        if self._describer is not None:
            self._describer.cancel()

    def run(self) -> None:
        """Describe views until `close`."""
        while (request := self._next_request()) is not None:
            if isinstance(request, _ExternalRequest):
                self._answer_external(request)
                continue
            timing: dict[str, float] = {}
            failure = self._answer(request, timing)
            self._report(AnswerFinished(request.id, failure), timing)

    def close(self) -> None:
        """Let `run` end; a running answer is cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._cancel_answer()

    def _next_request(self) -> DescribeRequest | _ExternalRequest | None:
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._closed or self._next or self._waiting_external())
            if self._closed:
                return None
            if self._next is None and (external := self._waiting_external()):
                external.started_at_s = self._clock()
                return external
            request, self._next = self._next, None
            self._running = request.id if request else None
            return request

    def _waiting_external(self) -> _ExternalRequest | None:
        return self._external if self._external is not None and self._external.started_at_s is None else None

    def _answer_external(self, external: _ExternalRequest) -> None:
        """Describe an external image. Nothing is reported to the core: the wearer does not hear it."""
        sentences: list[str] = []
        assert self._describer is not None  # without one, no external image is accepted
        try:
            for sentence in self._describer.describe(external.request):
                sentences.append(sentence)
                if self._next is not None:
                    break
        except DescribeError as error:
            log.info("an external image is not described: %s", error)
        with self._changed:
            if sentences and self._next is None:
                external.answer = (" ".join(sentences), self._describer.model, self._clock())
            external.over = True
            self._external = None
            self._changed.notify_all()

    def _answer(self, request: DescribeRequest, timing: dict[str, float]) -> str | None:
        """Report each sentence as it comes. Returns the reason of a failure, None after success."""
        began_s = self._clock()
        try:
            for sentence in self._sentences(request):
                # `setdefault`: only the first sentence of an answer sets it.
                timing.setdefault("first_sentence_s", self._clock() - began_s)
                self._report(sentence, dict(timing))
        except (DescribeError, ReadingError) as error:
            log.warning("no description: %s", error)
            return str(error)
        finally:
            timing["describe_s"] = self._clock() - began_s
        return None

    def _sentences(self, request: DescribeRequest) -> Iterator[SentenceReady]:
        """The answer to a request, sentence by sentence. Raises DescribeError, ReadingError."""
        if request.trigger is Trigger.READ:
            yield from self._passages(request)
        elif self._describer is not None:
            for sentence in self._describer.describe(request):
                vector = self._encode_sentence(sentence)
                yield SentenceReady(request.id, sentence, self._describer.model, vector)

    def _passages(self, request: DescribeRequest) -> Iterator[SentenceReady]:
        if self._text_reader is None:
            raise ReadingError("there is nothing here that reads")
        for passage in self._text_reader.read(request.image, request.language, request.deadline_s):
            model, language = self._text_reader.model, passage.language
            yield SentenceReady(request.id, passage.text, model, language=language)
