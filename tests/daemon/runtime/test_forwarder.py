"""An instance without a loudspeaker hands over what it has to say, and knows when it is heard."""

from __future__ import annotations

import json
import logging
import socket as listening
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from daemon.control.commands import UtterCommand
from daemon.control.event_feed import EventFeed
from daemon.control.protocol import Request, encode_reply
from daemon.control.server import ControlServer
from daemon.core.health import Report
from daemon.runtime.forwarder import Forwarder
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, SpeechFailed
from speech.utterance import Priority, Utterance
from tests.logs import messages_of

PATIENCE_S = 10.0


def utterance(number: int, text: str = "Stop! Fire.", left_s: float = 3) -> Utterance:
    now = time.monotonic()
    return Utterance(
        f"u{number}", "a1", text, "en", Priority.DANGER, f"k{number}", now, now, now + left_s, severity=3
    )


class Speaking:
    """The instance with the loudspeaker: a real control server that says what it is handed."""

    def __init__(self, path: Path) -> None:
        self.feed = EventFeed()
        self.handed: SimpleQueue[UtterCommand] = SimpleQueue()
        self.server = ControlServer(path, self._answer, self.feed)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    def _answer(self, request: Request) -> Mapping[str, Any]:
        assert isinstance(request.command, UtterCommand)
        self.handed.put(request.command)
        return {"id": "u99"}

    def speak(self, utter: UtterCommand) -> None:
        self.feed.publish(json.dumps({"v": 1, "id": "u99", "kind": "speak", "cause": utter.cause}))

    def close(self) -> None:
        self.server.close()
        self.thread.join(PATIENCE_S)


class Silent:
    """A forwarder and what it told."""

    def __init__(self, path: Path) -> None:
        self.told: SimpleQueue[PlaybackBegan | PlaybackEnded | SpeechFailed] = SimpleQueue()
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self.forwarder = Forwarder("left", path, self.told.put, self.reports.put, time.monotonic)
        self.threads = [
            threading.Thread(target=run, daemon=True) for run in (self.forwarder.send, self.forwarder.listen)
        ]
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        self.forwarder.close()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ww") as folder:
        yield Path(folder) / "watchword.sock"


@pytest.fixture
def silent(socket: Path) -> Iterator[Silent]:
    subject = Silent(socket)
    yield subject
    subject.close()


def test_it_is_started_when_it_is_heard_over_there(socket: Path, silent: Silent) -> None:
    speaking = Speaking(socket)
    try:
        silent.forwarder.start(utterance(1))
        handed = speaking.handed.get(timeout=PATIENCE_S)
        assert (handed.text, handed.priority, handed.severity, handed.cause) == (
            "Stop! Fire.",
            "danger",
            3,
            "left:u1",
        )
        assert silent.reports.get(timeout=PATIENCE_S) == Report("loudspeaker")
        assert silent.told.empty(), "it was called heard before it was"
        deadline = time.monotonic() + PATIENCE_S
        while silent.told.empty() and time.monotonic() < deadline:
            speaking.speak(handed)  # the listener may still be on its way
            time.sleep(0.1)
        assert silent.told.get(timeout=PATIENCE_S) == PlaybackBegan("u1")
        assert silent.told.get(timeout=PATIENCE_S) == PlaybackEnded("u1")
    finally:
        speaking.close()


def test_with_nobody_there_it_has_failed_and_that_is_reported(silent: Silent) -> None:
    silent.forwarder.start(utterance(1))
    failed = silent.told.get(timeout=PATIENCE_S)
    assert isinstance(failed, SpeechFailed)
    assert failed.id == "u1"
    assert silent.reports.get(timeout=PATIENCE_S).reason == "unreachable"


def test_a_speaking_instance_that_is_away_is_logged_once_and_so_is_its_return(
    socket: Path, silent: Silent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in (1, 2):
        silent.forwarder.start(utterance(number))
        assert silent.reports.get(timeout=PATIENCE_S).reason == "unreachable"
    speaking = Speaking(socket)
    try:
        silent.forwarder.start(utterance(3))
        assert silent.reports.get(timeout=PATIENCE_S).reason == "ok"
    finally:
        speaking.close()
    away, back = messages_of(caplog, "daemon.runtime.forwarder")
    assert away.startswith("nothing is heard, the speaking instance cannot be reached: ")
    assert back == "the speaking instance is reached again"


def test_what_has_expired_has_failed_and_the_next_is_handed_over(socket: Path, silent: Silent) -> None:
    speaking = Speaking(socket)
    try:
        silent.forwarder.start(utterance(1, left_s=0))
        silent.forwarder.start(utterance(2))
        assert silent.told.get(timeout=PATIENCE_S) == SpeechFailed("u1", "expired")
        assert speaking.handed.get(timeout=PATIENCE_S).cause == "left:u2"
    finally:
        speaking.close()


def test_what_cannot_be_put_in_a_request_ends_no_thread(socket: Path, silent: Silent) -> None:
    speaking = Speaking(socket)
    try:
        silent.forwarder.start(utterance(1, "too long " * 200))
        silent.forwarder.start(utterance(2))
        failed = silent.told.get(timeout=PATIENCE_S)
        assert isinstance(failed, SpeechFailed)
        assert failed.id == "u1"
        assert speaking.handed.get(timeout=PATIENCE_S).cause == "left:u2"
        assert silent.forwarder.alive
    finally:
        speaking.close()


def test_what_is_no_event_ends_no_thread(socket: Path) -> None:
    with listening.socket(listening.AF_UNIX) as server:
        server.bind(str(socket))
        server.listen()
        silent = Silent(socket)
        link, _ = server.accept()
        with link, link.makefile("rwb") as lines:
            asked = json.loads(lines.readline())
            lines.write(encode_reply(asked["id"], {}))
            for line in ('{"kind": "speak', "[]", '{"kind": "speak", "cause": "left:u1"}'):
                lines.write(f"{line}\n".encode())
            lines.flush()
            assert silent.told.get(timeout=PATIENCE_S) == PlaybackBegan("u1")
        silent.close()


def test_it_lives_as_long_as_both_threads_do(socket: Path) -> None:
    silent = Silent(socket)
    silent.forwarder.start(utterance(1))
    silent.told.get(timeout=PATIENCE_S)
    assert silent.forwarder.alive
    silent.close()
    assert not silent.forwarder.alive


def test_more_than_can_wait_has_failed_and_nobody_waits(socket: Path) -> None:
    told: SimpleQueue[PlaybackBegan | PlaybackEnded | SpeechFailed] = SimpleQueue()
    forwarder = Forwarder("left", socket, told.put, lambda report: None, time.monotonic)
    for number in range(20):
        forwarder.start(utterance(number))
    assert told.qsize() == 4
