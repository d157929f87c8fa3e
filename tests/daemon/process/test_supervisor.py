"""Threads that must live, and how they are stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from daemon.process.supervisor import PartFailed, PartFinished, ReloadRequested, StopRequested, Supervisor
from tests.logs import records_of

PATIENCE_S = 10.0


class Part:
    """Runs until it is stopped, or until it is told to fail or return."""

    def __init__(self, name: str = "part", stopped: list[str] | None = None) -> None:
        self.name = name
        self.stopped = [] if stopped is None else stopped
        self.running = threading.Event()
        self.end = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        self.running.set()
        self.end.wait()
        if self.error:
            raise self.error

    def stop(self) -> None:
        self.stopped.append(self.name)
        self.end.set()

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.end.set()


def test_stops_in_the_reverse_order_of_the_start() -> None:
    crew, stopped = Supervisor(), list[str]()
    for name in ("camera", "watch"):
        part = Part(name, stopped)
        crew.start(name, part.run, part.stop)
    crew.add("player", lambda: stopped.append("player"))
    assert crew.stop() == ()
    assert stopped == ["player", "watch", "camera"]
    assert crew.stop() == ()
    assert stopped == ["player", "watch", "camera"]


@pytest.mark.parametrize("error", [ValueError("no such lens"), SystemExit(0), KeyboardInterrupt()])
def test_a_vital_part_that_fails_ends_the_wait_with_its_traceback_in_the_log(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    crew, part = Supervisor(), Part()
    crew.start("watch", part.run, part.stop)
    part.fail(error)
    for _ in range(2):  # once dead, it stays dead
        with pytest.raises(PartFailed, match=f"^watch failed .*{type(error).__name__}") as caught:
            crew.wait(PATIENCE_S)
        assert caught.value.__cause__ is error
    (record,) = records_of(caplog, "daemon.process")
    assert record.levelno == logging.CRITICAL
    assert record.exc_info and record.exc_info[1] is error
    assert crew.stop() == ()


def test_a_vital_part_that_returns_is_dead_too() -> None:
    crew, part = Supervisor(), Part()
    crew.start("watch", part.run, part.stop)
    part.end.set()
    with pytest.raises(PartFailed, match="watch ended by itself"):
        crew.wait(PATIENCE_S)


def test_the_first_death_is_the_one_that_is_told() -> None:
    crew, first, second = Supervisor(), Part(), Part()
    crew.start("camera", first.run, first.stop)
    crew.start("watch", second.run, second.stop)
    first.fail(OSError("gone"))
    with pytest.raises(PartFailed, match="camera"):
        crew.wait(PATIENCE_S)
    second.fail(ValueError("no frames"))
    with pytest.raises(PartFailed, match="camera"):
        crew.wait(PATIENCE_S)


def test_a_part_that_is_not_vital_is_missed_but_mourned_only_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crew, part = Supervisor(), Part()
    crew.start("control", part.run, part.stop, vital=False)
    part.fail(ValueError("odd"))
    deadline = time.monotonic() + PATIENCE_S
    while not crew.failed_parts and time.monotonic() < deadline:
        time.sleep(0.01)  # nothing is signalled: the thread goes on, to try again later
    assert crew.failed_parts == ("control",)
    assert crew.wait(0) is None
    assert "control failed (ValueError: odd)" in caplog.text
    assert "Traceback" in caplog.text
    assert crew.stop() == ()


def test_a_part_that_may_end_tells_so() -> None:
    crew, part = Supervisor(), Part()
    crew.start("camera", part.run, part.stop, may_end=True)
    part.end.set()
    assert crew.wait(PATIENCE_S) == PartFinished("camera")
    assert crew.stop() == ()


def test_a_part_that_may_end_may_still_not_fail() -> None:
    crew, part = Supervisor(), Part()
    crew.start("camera", part.run, part.stop, may_end=True)
    part.fail(OSError("gone"))
    with pytest.raises(PartFailed, match="camera"):
        crew.wait(PATIENCE_S)


def test_whoever_asks_wakes_the_main_thread() -> None:
    crew = Supervisor()
    assert crew.wait(0) is None
    thread = threading.Thread(target=lambda: crew.request(ReloadRequested()))
    thread.start()
    assert crew.wait(PATIENCE_S) == ReloadRequested()
    thread.join()
    crew.request(StopRequested("enough"))
    assert crew.wait(0) == StopRequested("enough")


def _raises() -> None:
    raise RuntimeError("stuck valve")


def _hangs(release: threading.Event) -> Callable[[], None]:
    def wait() -> None:
        release.wait()

    return wait


def test_a_stop_that_fails_or_hangs_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    crew, release, stopped = Supervisor(), threading.Event(), list[str]()
    deaf, first = Part("deaf"), Part("first", stopped)
    crew.start("first", first.run, first.stop)
    crew.start("deaf", deaf.run, lambda: None, stop_s=0.05)
    crew.add("raises", _raises)
    crew.add("hangs", _hangs(release), stop_s=0.05)
    assert crew.stop() == ("hangs", "deaf")
    assert stopped == ["first"]
    assert "raises could not be stopped" in caplog.text
    assert "did not stop in time: hangs, deaf" in caplog.text
    release.set()
    deaf.end.set()


def test_what_fails_while_stopping_is_logged_and_kills_nobody(caplog: pytest.LogCaptureFixture) -> None:
    crew, part = Supervisor(), Part()
    crew.start("watch", part.run, lambda: part.fail(ValueError("late")))
    assert crew.stop() == ()
    assert crew.wait(0) is None
    assert "watch failed while stopping" in caplog.text
