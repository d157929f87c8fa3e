"""Speech output through another instance's loudspeaker.

The start of playback is reported when the other instance's `speak` event says so: a cool-down starts when the
alert was really heard.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.control.client import ControlClient
from daemon.control.commands import UtterCommand
from daemon.core.health import OK, Report
from daemon.errors import CommandError
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, SpeechFailed
from speech.utterance import Utterance

log = logging.getLogger(__name__)

QUEUE_LIMIT = 16
"""Utterances that may wait to be sent."""
RETRY_S = 1.0
TIMEOUT_S = 1.0

OnPlayback = Callable[[PlaybackBegan | PlaybackEnded | SpeechFailed], None]


class Forwarder:
    """Two threads: `send` sends utterances, `listen` receives events. `start` and `cut` never wait."""

    def __init__(
        self,
        name: str,
        socket: Path,
        on_playback: OnPlayback,
        report: Callable[[Report], None],
        clock: Callable[[], float],
    ) -> None:
        """`name`: that of this instance; it marks our utterances in the other's events."""
        self._name = name
        self._socket = socket
        self._on_playback = on_playback
        self._report = report
        self._clock = clock
        self._queue: queue.Queue[Utterance | None] = queue.Queue(QUEUE_LIMIT)
        self._closing = threading.Event()
        self._event_client: ControlClient | None = None
        self._running: set[str] = set()
        self._reached = True

    @property
    def alive(self) -> bool:
        """True while both threads run."""
        return len(self._running) == len(("send", "listen"))

    def start(self, utterance: Utterance) -> None:
        """Queue an utterance for sending."""
        try:
            # The core must not wait for another process; an utterance too many fails and may be raised again.
            self._queue.put_nowait(utterance)
        except queue.Full:
            self._on_playback(SpeechFailed(utterance.id, "too much waits to be handed over"))

    def cut(self, utterance_id: str) -> None:
        """Do nothing: the other instance decides."""

    def send(self) -> None:
        """Send utterances until `close`."""
        with self._running_thread("send"):
            while (utterance := self._queue.get()) is not None:
                self._hand_over(utterance)

    def listen(self) -> None:
        """Receive the other instance's events until `close`."""
        with self._running_thread("listen"):
            while not self._closing.is_set():
                try:
                    with ControlClient(self._socket, TIMEOUT_S) as self._event_client:
                        for line in self._event_client.events(("speak",)):
                            self._on_event(line)
                except CommandError as error:
                    log.debug("the speaking instance: %s", error)
                self._closing.wait(RETRY_S)

    def close(self) -> None:
        """Let both threads end."""
        self._closing.set()
        if self._event_client is not None:
            self._event_client.close()
        try:
            # None ends `send`; with a timeout, as the queue may be full while the other instance hangs.
            self._queue.put(None, timeout=TIMEOUT_S)
        except queue.Full:
            log.warning("%d utterances were never handed over", self._queue.qsize())

    @contextmanager
    def _running_thread(self, name: str) -> Iterator[None]:
        self._running.add(name)
        try:
            yield
        finally:
            self._running.discard(name)

    def _hand_over(self, utterance: Utterance) -> None:
        """Send one utterance; a failure is reported and does not end the thread."""
        # The rest of its life is sent, not a time of expiry: the protocol needs no shared clock.
        left_s = utterance.expires_at_s - self._clock()
        if left_s <= 0:
            self._on_playback(SpeechFailed(utterance.id, "expired"))
            return
        try:
            with ControlClient(self._socket, TIMEOUT_S) as client:
                client.ask(self._command(utterance, left_s))
        except CommandError as error:
            # Once, and not with each utterance: an instance without a loudspeaker has no other way to tell.
            if self._reached:
                log.warning("nothing is heard, the speaking instance cannot be reached: %s", error)
            self._reached = False
            self._report(Report("loudspeaker", "unreachable", str(error)))
            self._on_playback(SpeechFailed(utterance.id, str(error)))
        except Exception as error:
            log.exception("cannot be handed over: %r", utterance.text)
            self._on_playback(SpeechFailed(utterance.id, f"{type(error).__name__}: {error}"))
        else:
            if not self._reached:
                log.info("the speaking instance is reached again")
            self._reached = True
            self._report(Report("loudspeaker", OK))

    def _on_event(self, line: str) -> None:
        try:
            cause = str(json.loads(line).get("cause") or "")
        except (ValueError, AttributeError):
            log.warning("the speaking instance sent what is no event: %.80r", line)
            return
        instance, _, utterance_id = cause.partition(":")
        if instance == self._name and utterance_id:
            self._on_playback(PlaybackBegan(utterance_id))
            # The other instance reports no end. Its outbox, not ours, decides what follows.
            self._on_playback(PlaybackEnded(utterance_id))

    def _command(self, utterance: Utterance, left_s: float) -> UtterCommand:
        return UtterCommand(
            text=utterance.text,
            language="ko" if utterance.language == "ko" else "en",
            priority=utterance.priority.name.lower(),  # type: ignore[arg-type]
            key=f"{self._name}:{utterance.key}"[:200],
            severity=utterance.severity,
            rank=utterance.rank,
            certainty=utterance.certainty,
            name=utterance.name,
            side=utterance.side,
            advice=utterance.advice,
            named_after_s=utterance.named_after_s,
            pan=utterance.pan,
            earcon=utterance.earcon,
            expires_in_s=min(left_s, 60.0),
            cause=f"{self._name}:{utterance.id}",
        )
