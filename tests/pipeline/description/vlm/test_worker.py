"""A model in a child process that hangs, dies, grows or babbles: answers end in time, it comes back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from common.backoff import Backoff
from pipeline.description.base import DescribeError, DescribeRequest, DetectedHazard
from pipeline.description.fallback import FallbackDescriber, StaticDescriber
from pipeline.description.status import Phase
from pipeline.description.template import TemplateDescriber, builtin_words
from pipeline.description.vlm.describer import GenerationOptions, OnAnswer, VlmDescriber
from pipeline.description.vlm.job import GenerationJob, ModelSpec
from pipeline.description.vlm.messages import JobFinished, TextPiece
from pipeline.description.vlm.prompts import Prompts
from pipeline.description.vlm.worker_supervisor import Limits, WorkerSupervisor
from pipeline.types import Trigger

PATIENCE_S = 60.0
"""Longest wait of a test for something that must come."""
MEMORY = 400 * 2**20
NOTHING = "I recognise nothing. That does not mean the way is free."
"""What `tags` says last where it sees nothing."""

Start = Callable[..., VlmDescriber]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Prompts that hand the question on as it is."""
    (tmp_path / "en").mkdir()
    for purpose in ("danger", "safe", "question"):
        (tmp_path / "en" / f"{purpose}.txt").write_text("Obey.\n---\n{question}", encoding="utf-8")
    return str(tmp_path)


@pytest.fixture
def start(folder: str) -> Iterator[Start]:
    started: list[VlmDescriber] = []

    def make(
        model: str = "script",
        memory: int = MEMORY,
        grace_s: float = 0.3,
        on_answer: OnAnswer | None = None,
    ) -> VlmDescriber:
        spec = ModelSpec(backend="script", model=model, idle=False)
        keeper = WorkerSupervisor(
            spec,
            Limits(memory, load_s=PATIENCE_S, grace_s=grace_s),
            module="tests.pipeline.description.vlm.worker_scripts",
            backoff=Backoff(0.05, 0.2),
        )
        prompts, options = Prompts("en", builtin_words(), folder), GenerationOptions(80, 64)
        describer = VlmDescriber(model, keeper, prompts, "en", options, on_answer=on_answer)
        started.append(describer)
        return describer

    yield make
    for describer in started:
        describer.close()


def ask(text: str, deadline_s: float = 20.0) -> DescribeRequest:
    picture = np.zeros((48, 64, 3), np.uint8)
    return DescribeRequest("r1", picture, Trigger.REQUEST, "en", question=text, deadline_s=deadline_s)


def until(true: Callable[[], bool]) -> None:
    """Waits for something without an event of its own; fails loudly."""
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s, "it never came"
        time.sleep(0.01)


def back_again(describer: VlmDescriber, old_pid: int) -> None:
    until(lambda: describer.keeper.pid not in (None, old_pid))
    until(lambda: describer.keeper.status.phase is Phase.READY)
    assert list(describer.describe(ask("say I am back."))) == ["I am back."]


def test_it_answers_in_sentences(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    assert list(describer.describe(ask("say A street. A red car. "))) == ["A street.", "A red car."]
    assert describer.calls == 1


@pytest.mark.parametrize(
    ("model", "reason"),
    [("script", "script on script"), ("doubtful", "doubtful on script (not used: GPU: no words in '!!!!')")],
)
def test_its_status_tells_the_device_and_why_another_is_not_used(
    start: Start, model: str, reason: str
) -> None:
    describer = start(model)
    assert describer.wait_ready(PATIENCE_S)
    assert describer.status.reason == reason


@pytest.mark.parametrize("verb", ["hang", "die", "eat"])
def test_a_child_that_goes_wrong_is_replaced(start: Start, verb: str) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    pid = describer.keeper.pid
    assert pid is not None
    began_s = time.monotonic()
    with pytest.raises(DescribeError) as failure:
        list(describer.describe(ask(verb, deadline_s=1.0 if verb == "hang" else 20.0)))
    assert time.monotonic() - began_s < 20
    words = {"hang": "no answer within 1 s", "die": "process ended", "eat": "of memory, more than"}
    assert words[verb] in str(failure.value)
    back_again(describer, pid)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_answers_are_timed_unless_they_fail_or_are_cancelled(start: Start) -> None:
    times: list[tuple[float | None, float]] = []
    describer = start(grace_s=30.0, on_answer=lambda *answer: times.append(answer))
    assert describer.wait_ready(PATIENCE_S)
    assert list(describer.describe(ask("say One street. Two cars. "))) == ["One street.", "Two cars."]
    with pytest.raises(DescribeError, match="scripted"):
        list(describer.describe(ask("fail")))
    with pytest.raises(DescribeError, match="no answer within"):
        list(describer.describe(ask("prefill 1", deadline_s=0.2)))
    (first, within_s), late = times
    assert first is not None
    assert 0 < first < PATIENCE_S
    assert within_s == 20.0
    assert late == (None, 0.2)


def test_a_stopped_child_is_killed_though_nobody_asks_again(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    pid = describer.keeper.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(DescribeError, match="no answer within"):
        list(describer.describe(ask("say Hello.", deadline_s=0.5)))
    until(lambda: describer.status.phase is Phase.FAILED)
    assert "hung" in describer.status.reason
    back_again(describer, pid)


def test_a_stopped_child_that_takes_no_more_of_a_large_picture_is_killed_by_the_deadline(
    start: Start,
) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    pid = describer.keeper.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    describer.keeper.submit(
        GenerationJob(0, np.zeros((1080, 1920, 3), np.uint8), "", "say ok", 100, deadline_s=0.5)
    )
    until(lambda: describer.keeper.status.phase is Phase.FAILED)
    assert time.monotonic() - began_s < 10
    assert "hung" in describer.keeper.status.reason
    back_again(describer, pid)


def test_a_slow_model_that_notices_its_deadline_lives_on(start: Start) -> None:
    describer = start(grace_s=30.0)
    assert describer.wait_ready(PATIENCE_S)
    pid = describer.keeper.pid
    with pytest.raises(DescribeError, match="no answer within"):
        list(describer.describe(ask("prefill 1", deadline_s=0.2)))
    assert list(describer.describe(ask("say Still here."))) == ["Still here."]
    assert describer.keeper.pid == pid


def test_cancel_ends_an_answer_within_two_tokens_and_keeps_the_child(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    keeper = describer.keeper
    job_id, inbox = keeper.submit(GenerationJob(0, np.zeros((8, 8, 3), np.uint8), "", "endless", 100))
    pieces = [inbox.get(timeout=PATIENCE_S) for _ in range(5)]
    assert all(isinstance(piece, TextPiece) for piece in pieces)
    keeper.cancel(job_id)
    next_id, second = keeper.submit(GenerationJob(0, np.zeros((8, 8, 3), np.uint8), "", "say ok", 100))
    assert next_id != job_id
    assert second.get(timeout=PATIENCE_S) == TextPiece("ok ")
    assert isinstance(second.get(timeout=PATIENCE_S), JobFinished)


def test_cancel_from_another_thread_ends_describe_at_once(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    pid, first = describer.keeper.pid, threading.Event()
    told: list[str] = []

    def listen() -> None:
        for sentence in describer.describe(ask("endless", deadline_s=PATIENCE_S)):
            told.append(sentence)
            first.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert first.wait(PATIENCE_S)
    describer.cancel()
    listener.join(PATIENCE_S)
    assert not listener.is_alive()
    assert describer.keeper.pid == pid
    assert describer.status.phase is Phase.READY


def test_an_endless_answer_is_ended_by_its_length(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    assert len(list(describer.describe(ask("endless", deadline_s=PATIENCE_S)))) == 3
    assert list(describer.describe(ask("say Next."))) == ["Next."]


def test_failing_answers_count_as_a_failing_describer_until_one_succeeds(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    for _ in range(2):
        with pytest.raises(DescribeError, match="scripted"):
            list(describer.describe(ask("fail")))
    failing = describer.status
    assert (failing.phase, "scripted" in failing.reason) == (Phase.FAILED, True)
    list(describer.describe(ask("say Fine.")))
    assert describer.status.phase is Phase.READY


def test_whatever_a_backend_raises_costs_that_answer_and_not_the_process(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    pid = describer.keeper.pid
    with pytest.raises(DescribeError, match="ZeroDivisionError: a processor's own mistake"):
        list(describer.describe(ask("raise")))
    assert list(describer.describe(ask("say Fine."))) == ["Fine."]
    assert describer.keeper.pid == pid


def test_nothing_fit_to_be_spoken_is_an_error_not_a_description(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    with pytest.raises(DescribeError, match="all-clear 1"):
        list(describer.describe(replace(ask("say It is safe to cross."), trigger=Trigger.SCENE_CHANGE)))
    assert describer.status.phase is Phase.READY


def test_who_asks_for_leave_hears_no_yes(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    asked = ask("say It is safe to cross. A red car waits.")
    assert list(describer.describe(asked)) == ["I cannot say whether it is safe.", "A red car waits."]
    tags = TemplateDescriber(builtin_words())
    assert list(StaticDescriber(tags).describe(ask("Can I cross?"))) == ["I cannot say whether it is safe."]
    assert list(StaticDescriber(tags).describe(ask("What is there?")))[-1] == NOTHING


def test_an_answer_may_repeat_the_question(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    words = "say The door on the left side of the hallway is open. "
    assert list(describer.describe(ask(words))) == ["The door on the left side of the hallway is open."]


def hear(describer: FallbackDescriber, request: DescribeRequest) -> tuple[str, str]:
    """The last sentence, and then the failure that is told."""
    said = ""
    try:
        for sentence in describer.describe(request):
            said = sentence
    except DescribeError as error:
        return said, str(error)
    return said, ""


def test_a_late_model_is_replaced_by_what_the_detector_reports_and_that_is_said(start: Start) -> None:
    child = start(grace_s=PATIENCE_S)
    describer = FallbackDescriber(child, TemplateDescriber(builtin_words()))
    assert describer.wait_ready(PATIENCE_S)
    car = (DetectedHazard("vehicle", 0.9),)
    late = replace(ask("prefill 1", deadline_s=0.2), seen=car)
    assert hear(describer, late) == ("I see vehicles.", "no answer within 0.2 s")
    said = list(describer.describe(replace(late, detector_only=True)))
    assert said == ["A full answer was not possible.", "I see vehicles."]
    assert (describer.model, child.calls) == ("tags", 1), "the model is not asked again"


def test_while_answers_fail_nobody_waits_and_the_model_is_tried_apart(start: Start) -> None:
    child, now_s = start(grace_s=PATIENCE_S), [0.0]
    describer = FallbackDescriber(
        child, TemplateDescriber(builtin_words()), backoff=Backoff(5.0, 60.0), clock=lambda: now_s[0]
    )
    assert describer.wait_ready(PATIENCE_S)
    for _ in range(2):
        assert hear(describer, ask("fail")) == (NOTHING, "the model failed: scripted")
    assert describer.status.phase is Phase.FAILED
    began_s = time.monotonic()
    assert hear(describer, ask("prefill 9", deadline_s=2))[0] == NOTHING
    assert time.monotonic() - began_s < 1.5  # a whole deadline if it were waited for
    until(lambda: child.status.reason == "no answer within 2 s")
    assert child.calls == 3
    until(lambda: describer.probing is False)
    assert hear(describer, ask("say Fine."))[0] == NOTHING
    assert (describer.probing, child.calls) == (False, 3)  # too early to try again
    now_s[0] = 5.0
    assert hear(describer, ask("say Fine."))[0] == NOTHING  # its late answer is dropped
    until(lambda: describer.status.phase is Phase.READY)
    assert hear(describer, ask("say Fine.")) == ("Fine.", "")
    assert describer.model == "script"


def test_a_cancelled_answer_does_not_count_as_a_good_one(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    with pytest.raises(DescribeError, match="scripted"):
        list(describer.describe(ask("fail")))
    hurry = threading.Timer(0.2, describer.cancel)
    hurry.start()
    assert list(describer.describe(ask("prefill 1"))) == []
    hurry.join(PATIENCE_S)
    with pytest.raises(DescribeError, match="scripted"):
        list(describer.describe(ask("fail")))
    assert describer.status.phase is Phase.FAILED


def test_while_loading_and_after_failing_the_fallback_answers(start: Start) -> None:
    slow, broken = start(model="slow"), start(model="broken")
    tags = TemplateDescriber(builtin_words())
    loading, failed = FallbackDescriber(slow, tags), FallbackDescriber(broken, tags)
    assert hear(loading, ask("say x")) == (NOTHING, "")
    assert loading.model == "tags"
    assert not failed.wait_ready(PATIENCE_S)
    assert "does not load" in failed.status.reason
    told, why = hear(failed, ask("say x"))
    assert told == NOTHING
    assert "does not load" in why


def test_close_ends_the_child(start: Start) -> None:
    describer = start()
    assert describer.wait_ready(PATIENCE_S)
    pid = describer.keeper.pid
    assert pid is not None
    describer.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_child_yields_to_everybody() -> None:
    spec = ModelSpec(backend="script", model="script")
    keeper = WorkerSupervisor(spec, Limits(MEMORY), module="tests.pipeline.description.vlm.worker_scripts")
    try:
        assert keeper.wait_ready(PATIENCE_S)
        pid = keeper.pid
        assert pid is not None
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        assert os.getsid(pid) == pid
        assert Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii").strip() == "1000"
    finally:
        keeper.close()
