"""Word to systemd, heard by a socket such as systemd's."""

from __future__ import annotations

import logging
import os
import socket
import time
from pathlib import Path

import pytest

from daemon.process.systemd import Notifier, without_notify
from tests.daemon.ear import listening
from tests.logs import messages_of, records_of


@pytest.mark.parametrize("abstract", [False, True])
def test_the_life_of_a_service(tmp_path: Path, abstract: bool) -> None:
    with listening(None if abstract else tmp_path) as ear:
        notifier = Notifier({"NOTIFY_SOCKET": ear.name})
        notifier.extend(2.5)
        notifier.ready("watching\nwith one camera")
        notifier.watchdog()
        notifier.status("camera lost")
        notifier.stopping()
        notifier.close()
        assert [ear.hear() for _ in range(5)] == [
            ["EXTEND_TIMEOUT_USEC=2500000"],
            ["READY=1", "STATUS=watching with one camera"],
            ["WATCHDOG=1"],
            ["STATUS=camera lost"],
            ["STOPPING=1"],
        ]


def test_reloading_carries_the_time_on_systemds_clock(tmp_path: Path) -> None:
    with listening(tmp_path) as ear:
        before = time.monotonic_ns() // 1000
        Notifier({"NOTIFY_SOCKET": ear.name}).reloading()
        kind, stamp = ear.hear()
        assert kind == "RELOADING=1"
        name, _, usec = stamp.partition("=")
        assert name == "MONOTONIC_USEC"
        assert before <= int(usec) <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("env", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_where_nobody_listens_nothing_happens(env: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier(env)
    notifier.ready("fine")
    notifier.watchdog()
    notifier.close()
    assert not records_of(caplog, "daemon.process")


def test_a_failure_is_told_once_and_again_after_it_worked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    with caplog.at_level(logging.WARNING):
        notifier.ready()
        notifier.watchdog()
        assert messages_of(caplog, "daemon.process") == [
            "cannot notify systemd of READY=1: No such file or directory"
        ]
        with listening(tmp_path) as ear:
            notifier.watchdog()
            assert ear.hear() == ["WATCHDOG=1"]
        notifier.watchdog()
    assert len(records_of(caplog, "daemon.process")) == 2


def test_a_systemd_that_does_not_read_is_not_waited_for(tmp_path: Path) -> None:
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(tmp_path / "notify"))
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            sender.sendto(b"x", str(tmp_path / "notify"))
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}).watchdog()  # returns


@pytest.mark.parametrize(
    ("env", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_if_it_is_meant_for_us(env: dict[str, str], seconds: float | None) -> None:
    assert Notifier(env).watchdog_s == seconds


def test_children_do_not_speak_to_systemd() -> None:
    env = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "2", "HOME": "/"}
    assert without_notify(env) == {"HOME": "/"}
