"""One session, one deadline, and a process that ends when idle; the child is a fake that may misbehave."""

from __future__ import annotations

import logging
import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.child_process import ChildError, Message
from common.own_process import WAITED_NICE
from daemon.config.sections import WorkerSettings
from daemon.errors import CommandError
from daemon.worker.client import WorkerClient
from pipeline.alerting.alert_policy import AlertPolicy
from pipeline.settings import WatchSettings

PLENTY = 2**40


class Helper:
    """Answers what it is asked by `act`; notes what happened to it."""

    def __init__(self, act: Callable[[dict[str, Any]], dict[str, Any]] = lambda asked: {}) -> None:
        self.act = act
        self.pid: int | None = None
        self.asked: list[dict[str, Any]] = []
        self.stopped = threading.Event()

    def greeting(self) -> dict[str, Any]:
        self.pid = self.pid or 4711
        return {}

    def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message:
        self.asked.append({**header, "timeout_s": timeout_s})
        return self.act(header), payload

    def stop(self) -> None:
        self.pid = None
        self.stopped.set()

    def close(self) -> None:
        self.stop()


def client(helper: Helper, available: int = PLENTY, **settings: Any) -> WorkerClient:
    return WorkerClient(WorkerSettings(**settings), helper, lambda: available)


def test_a_second_session_is_refused_at_once_and_the_next_is_served() -> None:
    worker = client(Helper(lambda asked: {"fine": True}))
    with worker.open_session() as first:
        with pytest.raises(CommandError) as caught:
            worker.open_session()
        assert caught.value.code == "busy"
        assert "another request" in str(caught.value)
        assert first.request("look")[0] == {"fine": True}
    with worker.open_session() as third:
        assert third.request("look", b"picture")[1] == b"picture"
    worker.close()


def test_one_request_may_wait_for_its_turn_which_is_part_of_its_time() -> None:
    worker = client(Helper(), deadline_s=20)
    waits = threading.Event()
    spent_s: list[float] = []

    def wait() -> None:
        waits.set()
        with worker.open_session(10) as late:
            spent_s.append(late.spent_s)
            late.request("look")

    waiting = threading.Thread(target=wait)
    with worker.open_session():
        waiting.start()
        assert waits.wait(10)
        # Until it waits, this one may take its place.
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s and not refused(worker, wait_s=0.02):
            pass
        assert refused(worker, wait_s=10), "one request waits already"
    waiting.join(10)
    assert spent_s and 0 < spent_s[0] < 10
    assert not refused(worker)
    worker.close()


def test_a_turn_that_does_not_come_is_refused_in_time_and_waits_no_longer_than_the_deadline() -> None:
    worker = client(Helper(), deadline_s=0.05)
    with worker.open_session():
        began_s = time.monotonic()
        assert refused(worker, wait_s=60)
        assert time.monotonic() - began_s < 30
    worker.close()


def test_a_request_that_waits_at_the_stop_is_let_go() -> None:
    worker = client(Helper())
    found: list[bool] = []
    waiting = threading.Thread(target=lambda: found.append(refused(worker, wait_s=10)))
    with worker.open_session():
        waiting.start()
        worker.close()
    waiting.join(10)
    assert found == [True]


def refused(worker: WorkerClient, wait_s: float = 0.0) -> bool:
    try:
        worker.open_session(wait_s).__exit__()
    except CommandError as error:
        assert error.code == "busy"
        return True
    return False


def test_memory_is_bounded_by_what_is_free_before_anything_else() -> None:
    helper = Helper()
    worker = client(helper, available=2**30, memory_mb=4096)
    with worker.open_session() as visit:
        visit.request("look")
        visit.request("look")
    assert [asked["do"] for asked in helper.asked] == ["limit", "look", "look"]
    assert helper.asked[0]["memory_bytes"] == 2**29
    helper.pid = 4712  # it died and another came
    with worker.open_session() as visit:
        visit.request("look")
    assert [asked["do"] for asked in helper.asked[3:]] == ["limit", "look"]
    worker.close()


def test_the_model_is_loaded_ahead_and_kept_while_memory_is_plenty() -> None:
    helper, free = Helper(), PLENTY
    worker = WorkerClient(WorkerSettings(idle_s=1), helper, lambda: free)
    assert worker.load_ahead(settings={})
    assert [asked["do"] for asked in helper.asked] == ["limit", "ready"]
    assert not helper.stopped.wait(1.5)
    free = 2**30
    assert helper.stopped.wait(10), "memory is short, so the idle process ends"
    assert not worker.load_ahead(settings={})
    worker.close()
    assert not client(Helper(), keep_loaded=False).load_ahead(settings={})


def test_what_cannot_be_loaded_ahead_is_told_to_the_first_request() -> None:
    worker = client(Helper(lambda asked: {"error": "no such model", "code": "unavailable"}))
    assert not worker.load_ahead(settings={})
    with worker.open_session() as visit, pytest.raises(CommandError, match="no such model"):
        visit.request("ready")
    worker.close()


def test_too_little_memory_refuses_a_session() -> None:
    worker = client(Helper(), available=2**29 + 2**20)
    with worker.open_session() as visit, pytest.raises(CommandError, match="too little memory") as caught:
        visit.request("look")
    assert caught.value.code == "unavailable"
    worker.close()


def test_loading_goes_on_after_its_session_and_refuses_others_until_it_is_done() -> None:
    go = threading.Event()

    def load(asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["do"] == "limit" or go.wait(10)
        return {}

    helper = Helper(load)
    worker = client(helper, deadline_s=0.01)
    with worker.open_session() as visit, pytest.raises(CommandError, match="being loaded") as caught:
        visit.request("ready")
    assert caught.value.code == "busy"
    with pytest.raises(CommandError, match="being loaded"):
        worker.open_session()
    go.set()
    assert _free(worker)
    assert not helper.stopped.is_set()
    worker.close()


def _free(worker: WorkerClient) -> bool:
    for _ in range(1000):
        try:
            with worker.open_session():
                return True
        except CommandError:
            threading.Event().wait(0.005)
    return False


def test_what_the_child_refuses_keeps_its_code_and_a_dead_one_is_told() -> None:
    helper = Helper(lambda asked: {"error": "no picture", "code": "invalid"} if asked["do"] == "look" else {})
    worker = client(helper)
    with worker.open_session() as visit, pytest.raises(CommandError, match="no picture") as caught:
        visit.request("look")
    assert caught.value.code == "invalid"

    def die(asked: dict[str, Any]) -> dict[str, Any]:
        raise ChildError("its process ended")

    helper.act = die
    with worker.open_session() as visit, pytest.raises(CommandError, match="its process ended") as caught:
        visit.request("look")
    assert caught.value.code == "unavailable"
    with worker.open_session():
        pass
    worker.close()


def test_a_worker_that_is_ended_at_the_stop_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """What it was asked fails then, and that is no news."""

    class Ended(Helper):
        def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message:
            assert self.stopped.wait(10)
            raise ChildError("its process ended")

    worker = client(Ended())
    with worker.open_session() as visit:
        threading.Timer(0.05, worker.close).start()
        with pytest.raises(CommandError, match="its process ended"):
            visit.request("look")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_it_is_let_go_when_nobody_comes() -> None:
    helper = Helper()
    worker = WorkerClient(
        WorkerSettings.model_construct(
            enabled=True, deadline_s=5.0, memory_mb=512, idle_s=0.01, keep_loaded=False
        ),
        helper,
    )
    with worker.open_session():
        pass
    assert helper.stopped.wait(5)
    worker.close()


def test_external_requests_can_be_disabled() -> None:
    with pytest.raises(CommandError) as caught:
        client(Helper(), enabled=False).open_session()
    assert caught.value.code == "unavailable"


def test_after_the_end_nobody_is_let_in() -> None:
    worker = client(Helper())
    worker.close()
    with pytest.raises(CommandError):
        worker.open_session()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_real_child_yields_to_everybody_is_bounded_and_ends_with_the_room() -> None:
    worker = WorkerClient(WorkerSettings(deadline_s=200, memory_mb=1024))
    minute = {"settings": {}, "hazards": [], "state": AlertPolicy(WatchSettings(), []).state(), "looks": 0}
    with worker.open_session() as visit:
        told, _ = visit.request("what_if", minute=minute, thresholds={})
    assert told == {"seconds": 0.0, "before": [], "after": []}
    pid = worker.pid
    assert pid is not None
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER, "at idle priority it starves beside busy programs"
    assert os.getpriority(os.PRIO_PROCESS, pid) >= WAITED_NICE
    assert resource.prlimit(pid, resource.RLIMIT_DATA)[0] <= 2**30
    assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
