"""A loudspeaker in a process of its own, replaced when it hangs or dies."""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.framing import ConnectionLost, encode, receive, send
from common.socket_writer import SocketWriter
from common.spawn import ChildHandle, spawn
from speech.playback.base import (
    AudioOutput,
    AudioOutputChanged,
    OutputSettings,
    PlaybackFailed,
    PlaybackFinished,
    PlaybackStarted,
    PlayerEvent,
)
from speech.settings import SpeechSettings
from speech.sound.audio import Audio

log = logging.getLogger("speech.playback.player_worker")

MODULE = "speech.playback.player_worker"
START_S = 20.0
"""Seconds that a process may take until its first message."""
SILENCE_S = 3.0
"""A process that says nothing for so long hangs; it beats four times a second."""
RETRY_S = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Waits before another process is started; the last one repeats."""
STEADY_S = 30.0
"""Seconds after which the back-off is reset."""
GRACE_S = 1.0
CLOSE_S = 2.0
EVENTS = 1024
_EMPTY = Audio(np.zeros((0, 2), np.int16), 1)


def output_settings(settings: SpeechSettings) -> OutputSettings:
    """The part of the section that belongs to the loudspeaker."""
    return OutputSettings(
        device=settings.device, sample_rate=settings.sample_rate, keep_awake=settings.keep_awake
    )


@dataclass(slots=True)
class _Sound:
    """The current sound."""

    id: str
    unheard: list[tuple[str, Audio, bool]]
    """Its commands until it begins: a new process is given them."""
    again: bool = False
    """A process was lost before it began."""


class ProcessPlayer:
    """Implements `Player` by a `SounddevicePlayer` in a child process.

    `on_event` gets the events in order, in a thread of its own. If the process is lost before the current
    sound can be heard, the next process gets it, once. While no process can be started, every sound fails at
    once. With `fallback`, sound goes into that file if there is no device.
    """

    def __init__(
        self,
        settings: SpeechSettings,
        on_event: Callable[[PlayerEvent], None],
        *,
        fallback: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        module: str = MODULE,
        started: ChildHandle | None = None,
    ) -> None:
        """`started`: a process of `module` that runs already, and is taken before another is started."""
        self._start = {
            # Only these: with the whole section the process would have to load pydantic.
            "settings": asdict(output_settings(settings)),
            "fallback": None if fallback is None else str(fallback),
        }
        self._on_event = on_event
        self._clock = clock
        self._module = module
        self._started = started
        # A queue and a thread of its own: the receiver may call `play` without a deadlock on our lock.
        self._events: queue.SimpleQueue[PlayerEvent | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._child: ChildHandle | None = None
        self._writer: SocketWriter | None = None
        self._current: _Sound | None = None
        self._reported = False
        """The present process gave signs of life."""
        self._works = False
        """The last one did, so that another one is worth waiting for."""
        self._output = AudioOutput.NOWHERE
        self._reason = "the sound process is starting"
        self._output_known = threading.Event()
        self._process_runs = threading.Event()
        self._closing = threading.Event()
        self._earlier = {"losses": 0, "underruns": 0, "dropped_events": 0}
        self._counts: dict[str, int] = {}
        self.latency_s = 0.0
        """Seconds from a block to its sound; 0 without a device."""
        self.restarts = 0
        """The number of times that the process was replaced."""
        # This thread starts the processes, and the kernel ends them with it: it lives as long as we do.
        self._threads = [
            threading.Thread(target=run, name=f"player-{name}", daemon=True)
            for name, run in (("tell", self._deliver), ("child", self._supervise))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def output(self) -> AudioOutput:
        return self._output

    @property
    def pid(self) -> int | None:
        """Process id of the child; None if none runs."""
        child = self._child
        return None if child is None else child.process.pid

    @property
    def alive(self) -> bool:
        """False once a thread has died: a fault that only a restart mends."""
        return self._closing.is_set() or all(thread.is_alive() for thread in self._threads)

    @property
    def losses(self) -> int:
        """How often a working loudspeaker, or its process, went away."""
        return self._count("losses") + self.restarts

    @property
    def underruns(self) -> int:
        """Blocks that came too late for the device."""
        return self._count("underruns")

    @property
    def dropped_events(self) -> int:
        """Events that found no room because `tell` was too slow."""
        return self._count("dropped_events")

    def wait_started(self, timeout_s: float) -> bool:
        """Wait for the first process, which keeps sounds until its device is open; False if there is none."""
        return self._process_runs.wait(timeout_s)

    def wait_opened(self, timeout_s: float) -> AudioOutput:
        """The destination of sound after the first attempt to open the device."""
        self._output_known.wait(timeout_s)
        return self._output

    def play(self, id: str, audio: Audio, *, more: bool = False) -> None:
        with self._lock:
            self._current = _Sound(id, [("play", audio, more)])
            sent = self._send("play", id, audio, more)
            failed = not sent and not self._works
        # Outside the lock, and as an event: `play` itself never raises and never waits.
        if failed:
            self._queue_event(PlaybackFailed(id, self._reason))

    def append(self, id: str, audio: Audio, *, more: bool = False) -> None:
        with self._lock:
            if (current := self._of(id)) and current.unheard:
                current.unheard.append(("append", audio, more))
            self._send("append", id, audio, more)

    def cut(self, id: str) -> None:
        with self._lock:
            self._send("cut", id, _EMPTY, more=False)
            if self._of(id):
                self._current = None

    def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._request_end()
        self._end_child()
        self._threads[1].join(CLOSE_S)
        self._events.put(None)
        self._threads[0].join(CLOSE_S)
        left = [thread.name for thread in self._threads if thread.is_alive()]
        if left:
            log.error("still running after %g s: %s", CLOSE_S, ", ".join(left))

    # Telling

    def _queue_event(self, event: PlayerEvent) -> None:
        if self._events.qsize() >= EVENTS:
            self._earlier["dropped_events"] += 1
        else:
            self._events.put(event)

    def _deliver(self) -> None:
        while (event := self._events.get()) is not None:  # ends by the None that close() puts
            self._on_event(event)

    def _count(self, name: str) -> int:
        return self._earlier[name] + self._counts.get(name, 0)

    # The process

    def _send(self, do: str, id: str, audio: Audio, more: bool) -> bool:
        """Hand a command over; never waits. Called with the lock held."""
        if self._writer is None:
            return False
        header = {"do": do, "id": id, "rate": audio.rate, "more": more}
        return self._writer.push(encode(header, audio.samples.tobytes()))

    def _supervise(self) -> None:
        attempt = 0
        # Waits on the event, so that `close` need not wait for the pause to end.
        while not self._closing.wait(RETRY_S[min(attempt, len(RETRY_S) - 1)]):
            began_s = self._clock()
            try:
                self._run_child()
            except TimeoutError:
                reason = "the sound process hangs"
            except (ConnectionLost, OSError) as error:
                reason = f"the sound process ended ({error})"
            if self._closing.is_set():
                return
            self._end_child()
            self.restarts += 1
            self._on_child_lost(f"{reason}; another one is started")
            # A process that dies right after its start must not be started again without a pause for ever.
            attempt = 0 if self._clock() - began_s > STEADY_S else attempt + 1

    def _run_child(self) -> None:
        """Start a process and listen to it until it fails: ConnectionLost, TimeoutError or OSError."""
        started, self._started = self._started, None
        child = started or spawn(self._module)
        try:
            child.link.settimeout(START_S)
            send(child.link, self._start)
            writer = SocketWriter(child.link)
        # Until it is registered below, only this code can end the child.
        except BaseException:
            child.end()
            raise
        with self._lock:
            self._child, self._writer = child, writer
            if self._current is not None:
                for do, audio, more in self._current.unheard:
                    self._send(do, self._current.id, audio, more)
        self._process_runs.set()
        patience_s = START_S
        while True:
            self._on_message(receive(child.link, patience_s)[0])
            self._reported = self._works = True
            # Short from the first message on; loading the sound library may take much longer.
            patience_s = SILENCE_S

    def _end_child(self) -> None:
        with self._lock:
            child, self._child = self._child, None
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        if child is not None:
            child.end()

    def _request_end(self) -> None:
        """Let the process close its device and file, if it does so soon."""
        child = self._child
        if child is not None:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                # The child sees the end of its input and closes the device and the file in order.
                child.link.shutdown(socket.SHUT_WR)
                child.process.wait(GRACE_S)

    def _on_child_lost(self, reason: str) -> None:
        for name in self._earlier:
            # The child's counters start at 0 again, the totals must not.
            self._earlier[name] += self._counts.get(name, 0)
        self._counts, self.latency_s = {}, 0.0
        with self._lock:
            self._works, self._reported = self._reported, False
            failed = self._current
            # Given to the next process, but only once: it may be the sound that ends the process.
            if failed is not None and self._works and failed.unheard and not failed.again:
                failed.again, failed = True, None
            else:
                self._current = None
        if self._output != AudioOutput.NOWHERE or not self._output_known.is_set():
            self._set_output(AudioOutputChanged(AudioOutput.NOWHERE, reason, self._clock()))
        self._reason = reason
        if failed is not None:
            self._queue_event(PlaybackFailed(failed.id, reason))

    def _of(self, id: str) -> _Sound | None:
        """The current sound if it has this id. Called with the lock held."""
        return self._current if self._current is not None and self._current.id == id else None

    def _on_message(self, header: dict[str, Any]) -> None:
        """One message of the child's."""
        match header:
            case {"event": "PlaybackStarted", "id": id_, "at_s": at_s}:
                with self._lock:
                    if current := self._of(id_):
                        current.unheard.clear()
                self._queue_event(PlaybackStarted(id_, at_s))
            case {"event": "PlaybackFinished", "id": id_, "at_s": at_s}:
                self._clear_current(id_)
                self._queue_event(PlaybackFinished(id_, at_s))
            case {"event": "PlaybackFailed", "id": id_, "reason": reason}:
                self._clear_current(id_)
                self._queue_event(PlaybackFailed(id_, reason))
            case {"event": "AudioOutputChanged", "output": output, "reason": reason, "at_s": at_s}:
                self._set_output(AudioOutputChanged(AudioOutput(output), reason, at_s))
            case {"event": "log", "level": level, "text": text}:
                log.log(level, "%s", text)
            case {"event": "beat", "latency_s": latency_s, **counts}:
                self.latency_s = float(latency_s)
                self._counts = {name: int(counts[name]) for name in self._earlier}
            case _:
                raise ConnectionLost(f"it said {header}")

    def _clear_current(self, id: str) -> None:
        with self._lock:
            if self._of(id):
                self._current = None

    def _set_output(self, event: AudioOutputChanged) -> None:
        self._output, self._reason = event.output, event.reason
        level = logging.INFO if event.output == AudioOutput.LOUDSPEAKER else logging.WARNING
        log.log(level, "sound goes to %s: %s", event.output, event.reason)
        self._queue_event(event)
        # After the state is set: `wait_opened` returns at this moment and reads it.
        self._output_known.set()
