"""One place, one deadline, and a process that is let go; the child is a stand-in that may misbehave."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.child_process import ChildError, Message
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


def backroom(helper: Helper, available: int = PLENTY, **settings: Any) -> WorkerClient:
    return WorkerClient(WorkerSettings(**settings), helper, lambda: available)


def test_the_second_guest_is_told_at_once_and_the_third_is_served() -> None:
    room = backroom(Helper(lambda asked: {"fine": True}))
    with room.visit() as first:
        with pytest.raises(CommandError) as caught:
            room.visit()
        assert caught.value.code == "busy"
        assert "somebody else" in str(caught.value)
        assert first.ask("look")[0] == {"fine": True}
    with room.visit() as third:
        assert third.ask("look", b"picture")[1] == b"picture"
    room.close()


def test_memory_is_bounded_by_what_is_free_before_anything_else() -> None:
    helper = Helper()
    room = backroom(helper, available=2**30, memory_mb=4096)
    with room.visit() as visit:
        visit.ask("look")
        visit.ask("look")
    assert [asked["do"] for asked in helper.asked] == ["limit", "look", "look"]
    assert helper.asked[0]["memory_bytes"] == 2**29
    helper.pid = 4712  # it died and another came
    with room.visit() as visit:
        visit.ask("look")
    assert [asked["do"] for asked in helper.asked[3:]] == ["limit", "look"]
    room.close()


def test_too_little_memory_turns_guests_away() -> None:
    room = backroom(Helper(), available=2**29 + 2**20)
    with room.visit() as visit, pytest.raises(CommandError, match="too little memory") as caught:
        visit.ask("look")
    assert caught.value.code == "unavailable"
    room.close()


def test_loading_goes_on_after_the_guest_has_left_and_keeps_the_place_until_it_is_done() -> None:
    go = threading.Event()

    def load(asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["do"] == "limit" or go.wait(10)
        return {}

    helper = Helper(load)
    room = backroom(helper, deadline_s=0.01)
    with room.visit() as visit, pytest.raises(CommandError, match="being loaded") as caught:
        visit.ask("ready")
    assert caught.value.code == "busy"
    with pytest.raises(CommandError, match="being loaded"):
        room.visit()
    go.set()
    assert _free(room)
    assert not helper.stopped.is_set()
    room.close()


def _free(room: WorkerClient) -> bool:
    for _ in range(1000):
        try:
            with room.visit():
                return True
        except CommandError:
            threading.Event().wait(0.005)
    return False


def test_what_the_child_refuses_keeps_its_code_and_a_dead_one_is_told() -> None:
    helper = Helper(lambda asked: {"error": "no picture", "code": "invalid"} if asked["do"] == "look" else {})
    room = backroom(helper)
    with room.visit() as visit, pytest.raises(CommandError, match="no picture") as caught:
        visit.ask("look")
    assert caught.value.code == "invalid"

    def die(asked: dict[str, Any]) -> dict[str, Any]:
        raise ChildError("its process ended")

    helper.act = die
    with room.visit() as visit, pytest.raises(CommandError, match="its process ended") as caught:
        visit.ask("look")
    assert caught.value.code == "unavailable"
    with room.visit():
        pass
    room.close()


def test_it_is_let_go_when_nobody_comes() -> None:
    helper = Helper()
    room = WorkerClient(
        WorkerSettings.model_construct(enabled=True, deadline_s=5.0, memory_mb=512, idle_s=0.01), helper
    )
    with room.visit():
        pass
    assert helper.stopped.wait(5)
    room.close()


def test_guests_can_be_turned_away_altogether() -> None:
    with pytest.raises(CommandError) as caught:
        backroom(Helper(), enabled=False).visit()
    assert caught.value.code == "unavailable"


def test_after_the_end_nobody_is_let_in() -> None:
    room = backroom(Helper())
    room.close()
    with pytest.raises(CommandError):
        room.visit()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_real_child_yields_to_everybody_is_bounded_and_ends_with_the_room() -> None:
    room = WorkerClient(WorkerSettings(deadline_s=200, memory_mb=1024))
    minute = {"settings": {}, "hazards": [], "state": AlertPolicy(WatchSettings(), []).state(), "looks": 0}
    with room.visit() as visit:
        told, _ = visit.ask("what_if", minute=minute, thresholds={})
    assert told == {"seconds": 0.0, "before": [], "after": []}
    pid = room.pid
    assert pid is not None
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    assert resource.prlimit(pid, resource.RLIMIT_DATA)[0] <= 2**30
    assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
    room.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
