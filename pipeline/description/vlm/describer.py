"""A model in a child process as a `Describer`: prompts in, spoken sentences out, always by the deadline."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pipeline.description.answer.answer import Answer, Danger
from pipeline.description.answer.denial import denial_words
from pipeline.description.base import DescribeError, DescribeRequest
from pipeline.description.status import DescriberStatus, Phase
from pipeline.description.vlm.image import bounded
from pipeline.description.vlm.job import GenerationJob
from pipeline.description.vlm.messages import Inbox, JobCancelled, JobFailed, JobFinished, Message, TextPiece
from pipeline.description.vlm.prompts import LONGEST_QUESTION, Prompt, Prompts, main_first
from pipeline.description.vlm.worker_supervisor import WorkerSupervisor

log = logging.getLogger(__name__)

FAILURES_TO_TELL = 2
"""Answers in a row that must fail until the describer as a whole counts as failing."""


OnAnswer = Callable[[float | None, float], None]
"""Gets the seconds until the first sentence of an answer, or None if none came by its deadline; and the
seconds that the answer had until that deadline.
"""


class AnswerRejected(DescribeError):
    """The model answered, but with nothing that may be spoken."""


class LateAnswer(DescribeError):
    """The model had no sentence by the deadline."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How answers are generated."""

    max_tokens: int
    image_side: int
    temperature: float = 0.0
    top_p: float = 1.0


class VlmDescriber:
    """Implements `WatchedDescriber`. The child's life is in `worker_supervisor`."""

    def __init__(
        self,
        model: str,
        keeper: WorkerSupervisor,
        prompts: Prompts,
        language: str,
        style: GenerationOptions,
        clock: Callable[[], float] = time.monotonic,
        on_answer: OnAnswer | None = None,
    ) -> None:
        """`on_answer` gets nothing of answers that failed or were cancelled."""
        self.model = model
        self.calls = 0
        self._keeper = keeper
        self._prompts = prompts
        self._language = language
        self._style = style
        self._clock = clock
        self._on_answer = on_answer
        self._failures = 0
        self._why = ""
        self._thinks = False

    @property
    def keeper(self) -> WorkerSupervisor:
        return self._keeper

    @property
    def status(self) -> DescriberStatus:
        """Failed also if the child lives but one answer after the other fails, as with a server gone."""
        status = self._keeper.status
        if status.phase is Phase.READY and self._failures >= FAILURES_TO_TELL:
            return DescriberStatus(Phase.FAILED, self._why)
        return status

    def wait_ready(self, timeout_s: float) -> bool:
        return self._keeper.wait_ready(timeout_s)

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """Sentences as they are finished. Raises DescribeError by the request's deadline."""
        began_s = self._clock()
        until_s = began_s + request.deadline_s
        prompt = self._prompts.prompt(request)
        answer = Answer(
            prompt.purpose,
            fixed_part(self._prompts, request, prompt),
            self._language,
            self._danger(request),
            question=request.question,
            thinks=self._thinks,
        )
        job_id, inbox = self._keeper.submit(self._job(request, prompt))
        self.calls += 1
        try:
            timed = False
            for sentence in self._sentences(answer, inbox, until_s, request):
                if not timed:
                    timed = True
                    self._note_speed(self._clock() - began_s, request)
                yield sentence
            if not answer.empty:  # one that was cancelled tells nothing about the model
                self._failures = 0
        # The model works, it only said nothing fit to be spoken: no reason to report the describer as
        # failing.
        except AnswerRejected:
            self._failures = 0
            raise
        except DescribeError as error:
            if isinstance(error, LateAnswer):
                self._note_speed(None, request)
            self._failures, self._why = self._failures + 1, str(error)
            raise
        finally:
            # Also after a normal end, where it does nothing: the consumer may have closed this generator
            # early.
            self._keeper.cancel(job_id)
            # Learnt from one answer for all later ones: then nothing is spoken before the thought has ended.
            self._thinks = self._thinks or answer.unmarked_thought
            self._report(answer, request)

    def _note_speed(self, first_sentence_s: float | None, request: DescribeRequest) -> None:
        if self._on_answer is not None:
            self._on_answer(first_sentence_s, request.deadline_s)

    def cancel(self) -> None:
        self._keeper.cancel()

    def close(self) -> None:
        self._keeper.close()

    def _job(self, request: DescribeRequest, prompt: Prompt) -> GenerationJob:
        style = self._style
        return GenerationJob(
            # The supervisor numbers jobs when it accepts them.
            id=0,
            image=bounded(request.image, style.image_side),
            system=prompt.system,
            user=prompt.user,
            max_tokens=style.max_tokens,
            temperature=style.temperature,
            top_p=style.top_p,
            deadline_s=request.deadline_s,
        )

    def _danger(self, request: DescribeRequest) -> Danger | None:
        seen = main_first(request)
        if not seen:
            return None
        words = denial_words(seen[0].hazard, self._language)
        return replace(self._prompts.danger(seen[0].hazard), words=words)

    def _sentences(
        self, answer: Answer, inbox: Inbox, until_s: float, request: DescribeRequest
    ) -> Iterator[str]:
        while not answer.full:
            match self._receive(inbox, until_s):
                case TextPiece(text):
                    yield from answer.feed(text)
                case JobFinished() as ended:
                    yield from answer.finish(cut=ended.cut)
                    log.info("%s: %d tokens in %.2f s", request.id, ended.tokens, ended.took_s)
                    break
                case JobFailed(reason):
                    yield from answer.break_off()
                    raise DescribeError(reason)
                case JobCancelled():
                    return
                # Too late with nothing said is a failure; too late with something said is an answer cut
                # short.
                case None:
                    yield from answer.break_off()
                    if answer.empty:
                        raise LateAnswer(f"no answer within {request.deadline_s:g} s")
                    log.info("%s: the rest of the answer came too late", request.id)
                    return
        if answer.empty:
            raise AnswerRejected(f"the model gave nothing fit to be spoken ({_why(answer)})")

    def _receive(self, inbox: Inbox, until_s: float) -> Message | None:
        """None if time is up."""
        try:
            return inbox.get(timeout=max(until_s - self._clock(), 0.0))
        except queue.Empty:
            return None

    def _report(self, answer: Answer, request: DescribeRequest) -> None:
        if answer.denied:
            named = ", ".join(seen.hazard for seen in main_first(request))
            log.warning("%s: the model contradicts the detector (%s)", request.id, named)
        if answer.withheld:
            log.info("%s: withheld %s", request.id, _why(answer))


def fixed_part(prompts: Prompts, request: DescribeRequest, prompt: Prompt) -> str:
    """The prompt without hazards and question, which an answer may repeat; the rest must not be recited."""
    known = () if prompt.purpose == "danger" else request.known
    question = " ".join((request.question or "").split())[:LONGEST_QUESTION]
    user = prompt.user
    # The filled-in parts may be repeated: an answer that names the reported hazard is no recital.
    for filled in (prompts.seen(main_first(request), known), question):
        user = user.replace(filled, " ") if filled else user
    return f"{prompt.system} {user}"


def _why(answer: Answer) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(answer.withheld.items())) or "no words"
