"""The narrate thread: the wearer's views first, a guest's picture when there is nothing else to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from daemon.core.messages import Input
from daemon.core.view import no_encoder
from daemon.runtime.description_loop import DescriptionLoop, ExternalDescription
from pipeline.description.base import DescribeError, DescribeRequest
from pipeline.description.policy import AnswerFinished, SentenceReady
from pipeline.description.template import builtin_words
from pipeline.description.vlm.describer import GenerationOptions, VlmDescriber
from pipeline.description.vlm.job import ModelSpec
from pipeline.description.vlm.prompts import PURPOSES, Prompts
from pipeline.description.vlm.worker_supervisor import Limits, WorkerSupervisor
from pipeline.types import Trigger

PATIENCE_S = 10.0


def request(id: str) -> DescribeRequest:
    return DescribeRequest(
        id, np.zeros((2, 2, 3), np.uint8), Trigger.SCENE_CHANGE, "en", deadline_s=PATIENCE_S
    )


@dataclass
class Slow:
    """Answers once it is let; a cancellation ends what runs, and is lost on what has not begun."""

    model: str = "slow"
    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    answered: list[str] = field(default_factory=list)
    cancelled: int = 0
    failure: str = ""
    before: Callable[[], None] = lambda: None
    _running: bool = False
    _unwanted: bool = False

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        self.begun.set()
        self.before()
        self._running, self._unwanted = True, False
        assert self.go.wait(PATIENCE_S)
        self._running = False
        if self._unwanted:
            return
        self.answered.append(request.id)
        yield f"About {request.id}."
        if self.failure:
            raise DescribeError(self.failure)

    def cancel(self) -> None:
        self.cancelled += 1
        if self._running:
            self._unwanted = True
            self.go.set()

    def close(self) -> None: ...


class Scene:
    """A narrator with its thread, what it reported, and guests in threads of their own."""

    def __init__(self, describer: Slow) -> None:
        self.reported: list[Input] = []
        self.narrator = DescriptionLoop(describer, self._report, no_encoder, time.monotonic)
        self.told: list[ExternalDescription | None] = []
        self._guests: list[threading.Thread] = []

    def _report(self, event: Input, timing: Mapping[str, float]) -> None:
        self.reported.append(event)

    def guest(self, wait_s: float = PATIENCE_S) -> None:
        def visit() -> None:
            self.told.append(self.narrator.describe_external(request("guest"), wait_s))

        self._guests.append(threading.Thread(target=visit))
        self._guests[-1].start()

    def guests_leave(self) -> list[ExternalDescription | None]:
        for guest in self._guests:
            guest.join(PATIENCE_S)
            assert not guest.is_alive()
        return self.told


@contextmanager
def scene(describer: Slow) -> Iterator[Scene]:
    found = Scene(describer)
    thread = threading.Thread(target=found.narrator.run)
    thread.start()
    try:
        yield found
    finally:
        describer.go.set()
        found.narrator.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def until(true: Callable[[], object]) -> None:
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("waited in vain")


def test_a_guest_is_answered_and_the_wearer_hears_nothing_of_it() -> None:
    describer = Slow()
    describer.go.set()
    with scene(describer) as s:
        s.guest()
        told = s.guests_leave()
    assert told[0] is not None
    assert (told[0].text, told[0].model) == ("About guest.", "slow")
    assert s.reported == []


def test_the_wearers_view_takes_a_guests_place_at_once() -> None:
    describer = Slow()
    with scene(describer) as s:
        s.guest()
        assert describer.begun.wait(PATIENCE_S)
        until(lambda: describer._running)
        s.narrator.submit(request("s1"))
        until(lambda: AnswerFinished("s1") in s.reported)
        assert s.guests_leave() == [None]
    assert describer.answered == ["s1"]
    assert [e.text for e in s.reported if isinstance(e, SentenceReady)] == ["About s1."]


def test_a_cancellation_that_came_too_early_is_said_again() -> None:
    describer, go_on = Slow(), threading.Event()
    describer.before = lambda: assert_(go_on.wait(PATIENCE_S))
    with scene(describer) as s:
        s.guest()
        assert describer.begun.wait(PATIENCE_S)
        s.narrator.submit(request("s1"))
        until(lambda: describer.cancelled)
        describer.before = lambda: None
        go_on.set()
        until(lambda: AnswerFinished("s1") in s.reported)
        assert s.guests_leave() == [None]
    assert describer.answered == ["s1"]


def assert_(value: object) -> None:
    assert value


def test_a_guest_waits_for_the_wearers_view_and_then_has_a_turn() -> None:
    describer = Slow()
    with scene(describer) as s:
        s.narrator.submit(request("s1"))
        assert describer.begun.wait(PATIENCE_S)
        s.guest()
        until(lambda: s.narrator._external is not None)
        describer.go.set()
        told = s.guests_leave()
    assert told[0] is not None
    assert describer.answered == ["s1", "guest"]


def test_there_is_one_place_for_guests_and_none_after_the_end() -> None:
    describer = Slow()
    with scene(describer) as s:
        s.guest()
        assert describer.begun.wait(PATIENCE_S)
        assert s.narrator.describe_external(request("second"), PATIENCE_S) is None
        describer.go.set()
        assert s.guests_leave()[0] is not None
    assert s.narrator.describe_external(request("late"), PATIENCE_S) is None


def test_what_was_said_before_a_failure_counts() -> None:
    describer = Slow(failure="gone")
    describer.go.set()
    with scene(describer) as s:
        s.guest()
        told = s.guests_leave()
    assert told[0] is not None
    assert told[0].text == "About guest."


def test_a_guest_who_waits_in_vain_goes_away_and_is_not_described() -> None:
    describer = Slow()
    with scene(describer) as s:
        s.narrator.submit(request("s1"))
        assert describer.begun.wait(PATIENCE_S)
        assert s.narrator.describe_external(request("guest"), 0.01) is None
        describer.go.set()
        until(lambda: AnswerFinished("s1") in s.reported)
    assert describer.answered == ["s1"]


def test_beside_a_real_model_process_the_wearers_question_is_answered_and_the_guests_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "en").mkdir()
    for purpose in PURPOSES:
        (tmp_path / "en" / f"{purpose}.txt").write_text("Obey.\n---\n{question}")
    spec, limits = ModelSpec(backend="script", model="script", idle=False), Limits(400 * 2**20)
    keeper = WorkerSupervisor(spec, limits, module="tests.pipeline.description.vlm.worker_scripts")
    prompts = Prompts("en", builtin_words(), str(tmp_path))
    describer = VlmDescriber("script", keeper, prompts, "en", GenerationOptions(80, 64))
    reported: list[Input] = []
    narrator = DescriptionLoop(describer, lambda event, _: reported.append(event), no_encoder, time.monotonic)
    thread = threading.Thread(target=narrator.run)
    try:
        assert describer.wait_ready(60)
        thread.start()
        told = narrator.describe_external(
            replace(request("g1"), trigger=Trigger.REQUEST, question="say A dog. "), 20
        )
        assert told is not None
        assert (told.text, told.model) == ("A dog.", "script")
        asked = replace(request("g2"), trigger=Trigger.REQUEST, question="prefill 0.3")
        guest = threading.Thread(target=lambda: reported.append(narrator.describe_external(asked, 20)))  # type: ignore[arg-type]
        guest.start()
        until(lambda: describer.calls == 2)
        narrator.submit(replace(request("s1"), trigger=Trigger.REQUEST, question="say A street. "))
        until(lambda: AnswerFinished("s1") in reported)
        guest.join(PATIENCE_S)
        assert [event.text for event in reported if isinstance(event, SentenceReady)] == ["A street."]
        assert None in reported, "what the guest got"
    finally:
        narrator.close()
        thread.join(PATIENCE_S)
        describer.close()
