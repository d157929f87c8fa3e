"""The live player: one permanent stream, kept open while devices come and go."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from speech.playback.base import (
    AudioOutput,
    AudioOutputChanged,
    OutputSettings,
    PlayerEvent,
    PlayerLostError,
)
from speech.playback.device_stream import BLOCK_S, DeviceStream
from speech.playback.latency_policy import LatencyPolicy
from speech.playback.mixer import Mixer
from speech.playback.wav_ring import RotatingWavFile
from speech.sound.audio import Audio
from speech.sound.resample import resample

log = logging.getLogger(__name__)

RETRY_S = (0.25, 0.5, 1.0, 2.0)
"""Waits between attempts to open the device; the last one repeats."""
POLL_S = 0.05
PROOF_POLL_S = 0.02
FALLBACK_POLL_S = 0.02
IDLE_S = 0.5
STEADY_S = 0.5
"""A device that worked this long is tried again soon when it goes away; one that flickers is not."""
OPEN_TIMEOUT_S = 12.0
"""Seconds that a sound server may take to open a stream before it counts as hung."""
CHECK_TIMEOUT_S = 3.0
"""The same for looking after it, and for closing it."""
CLOSE_S = 2.0
EVENTS = 1024


class SounddevicePlayer:
    """Implements `Player` on PortAudio. `on_event` gets the events in order, in a thread of its own.

    PortAudio's callback pulls samples. Three threads of our own: one opens the device, and opens it again
    when it is gone; one delivers events, so that a slow `on_event` delays neither; one plays into the file
    `fallback` at the same pace while there is no device. Without `fallback` every sound then fails at once.
    """

    def __init__(
        self,
        settings: OutputSettings,
        on_event: Callable[[PlayerEvent], None],
        *,
        fallback: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._on_event = on_event
        self._clock = clock
        self._fallback = fallback
        self._events: queue.SimpleQueue[PlayerEvent | None] = queue.SimpleQueue()
        self._mixer = self._mixer_at(settings.sample_rate)
        self._stream: DeviceStream | None = None
        self._output = AudioOutput.NOWHERE
        self._reason = "the loudspeaker is being opened"
        self._latency = LatencyPolicy()
        self._closing = threading.Event()
        self._output_known = threading.Event()
        self._without_device = threading.Event()
        # `alive` compares with this: calls into PortAudio can hang in a driver, and no timeout reaches them
        # there.
        self._due_at_s = clock() + OPEN_TIMEOUT_S
        self._opened_at_s = math.inf
        self.losses = 0
        """How often a working loudspeaker went away."""
        self.underruns = 0
        """Blocks that came too late for the device, all streams together."""
        self.dropped_events = 0
        """Events that found no room because `on_event` was too slow."""
        self._threads = [
            threading.Thread(target=run, name=f"player-{name}", daemon=True)
            for name, run in (
                ("tell", self._deliver),
                ("watch", self._watch),
                ("stand-in", self._run_fallback),
            )
        ]
        for thread in self._threads:
            thread.start()

    @property
    def output(self) -> AudioOutput:
        return self._output

    @property
    def alive(self) -> bool:
        """False once a thread has died or hangs in a driver: a fault that only a new process mends."""
        stuck = self._clock() > self._due_at_s
        return self._closing.is_set() or (not stuck and all(thread.is_alive() for thread in self._threads))

    @property
    def latency_s(self) -> float:
        """Seconds from a block to its sound; 0 without a device."""
        stream = self._stream
        return 0.0 if stream is None else stream.latency_s

    def wait_opened(self, timeout_s: float) -> AudioOutput:
        """The destination of sound after the first attempt to open the device."""
        self._output_known.wait(timeout_s)
        return self._output

    def play(self, id: str, audio: Audio, *, more: bool = False) -> None:
        mixer = self._mixer
        mixer.play(id, resample(audio, mixer.rate), more=more)

    def append(self, id: str, audio: Audio, *, more: bool = False) -> None:
        mixer = self._mixer
        mixer.append(id, resample(audio, mixer.rate), more=more)

    def cut(self, id: str) -> None:
        self._mixer.cut(id)

    def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        for thread in self._threads[1:]:
            thread.join(CLOSE_S)
        # After the other threads have ended, so that their last events are still delivered.
        self._queue_event(None)
        self._threads[0].join(CLOSE_S)
        left = [thread.name for thread in self._threads if thread.is_alive()]
        if left:
            log.error("still running after %g s: %s", CLOSE_S, ", ".join(left))

    def _mixer_at(self, rate: int) -> Mixer:
        return Mixer(rate, self._queue_mixer_event, keep_awake=self._settings.keep_awake)

    # Telling

    def _queue_mixer_event(self, event: PlayerEvent) -> None:
        self._queue_event(event)

    def _queue_event(self, event: PlayerEvent | None) -> None:
        if event is not None and self._events.qsize() >= EVENTS:
            self.dropped_events += 1
        else:
            self._events.put(event)

    def _deliver(self) -> None:
        while (event := self._events.get()) is not None:  # ends by the None that close() puts
            self._on_event(event)

    def _set_output(self, outlet: AudioOutput, reason: str) -> None:
        if outlet == self._output and self._output_known.is_set():
            return
        if self._output == AudioOutput.LOUDSPEAKER:
            self.losses += 1
        self._output, self._reason = outlet, reason
        if outlet == AudioOutput.LOUDSPEAKER:
            self._without_device.clear()
        else:
            self._without_device.set()
        self._queue_event(AudioOutputChanged(outlet, reason, self._clock()))
        self._output_known.set()

    # The device

    def _watch(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            self._due_at_s = self._clock() + OPEN_TIMEOUT_S
            self._opened_at_s = math.inf
            try:
                self._run_stream()
            except PlayerLostError as error:
                self._use_fallback(str(error))
                # Only a device that worked for a moment is retried quickly; one that fails at once gets
                # longer waits.
                attempt = 0 if self._clock() - self._opened_at_s > STEADY_S else attempt
                self._due_at_s = self._clock() + RETRY_S[-1] + CHECK_TIMEOUT_S
                self._closing.wait(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
        self._drop_stream()

    def _run_stream(self) -> None:
        """Open the device and watch it. Returns to have it opened again; raises PlayerLostError."""
        stream = DeviceStream(
            self._settings.device, self._settings.sample_rate, self._latency.latency_s, self._clock
        )
        self._stream = stream
        try:
            self._use_rate(stream.rate)
            # Silence first: sound sent to a device that does not play yet would be lost.
            stream.start(lambda frames, _: np.zeros((frames, 2), np.int16))
            self._await_proof(stream)
            stream.use(self._mixer.pull)
            self._set_output(AudioOutput.LOUDSPEAKER, stream.device)
            self._watch_stream(stream)
        finally:
            self._drop_stream()

    def _await_proof(self, stream: DeviceStream) -> None:
        """Wait until the device takes sound in earnest. Raises PlayerLostError if it does not.

        Until then sounds wait, or go to the previous output.
        """
        while not stream.plays and not self._closing.wait(PROOF_POLL_S):
            self._due_at_s = self._clock() + CHECK_TIMEOUT_S
            if (trouble := stream.trouble()) is not None:
                raise PlayerLostError(trouble)

    def _watch_stream(self, stream: DeviceStream) -> None:
        counted = 0
        self._opened_at_s = self._clock()
        self._latency.opened(self._opened_at_s)
        while not self._closing.wait(POLL_S):
            now = self._clock()
            self._due_at_s = now + CHECK_TIMEOUT_S
            trouble = stream.trouble()
            if trouble is not None:
                self._use_fallback(trouble)  # before closing, which may hang in the driver
                raise PlayerLostError(trouble)
            self.underruns += stream.underruns - counted
            counted = stream.underruns
            if self._latency.wants_reopening(counted, not self._mixer.busy, now):
                log.warning("after %d underruns the latency is now %g s", counted, self._latency.latency_s)
                return

    def _use_rate(self, rate: int) -> None:
        if rate != self._mixer.rate:
            log.warning("%s wants %d Hz: set speech.sample_rate to it", self._settings.device, rate)
            # Queued samples have the old rate and would sound too high or too low.
            self._mixer.refuse("the sample rate changed")
            self._mixer = self._mixer_at(rate)

    def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._due_at_s = self._clock() + CHECK_TIMEOUT_S
            stream.close()

    # Without a device

    def _use_fallback(self, reason: str) -> None:
        if self._fallback is None:
            self._set_output(AudioOutput.NOWHERE, reason)
        else:
            self._set_output(AudioOutput.FILE, f"{reason}; sound goes to {self._fallback}")

    def _run_fallback(self) -> None:
        """Take sounds at the pace of time while no device does."""
        ring: RotatingWavFile | None = None
        while not self._closing.is_set():
            if not self._without_device.wait(IDLE_S):
                continue
            if self._output == AudioOutput.FILE:
                ring = self._write_fallback(ring)
            elif self._mixer.busy:
                self._mixer.refuse(self._reason)
            self._closing.wait(FALLBACK_POLL_S)
        if ring is not None:
            ring.close()

    def _write_fallback(self, ring: RotatingWavFile | None) -> RotatingWavFile | None:
        """Pull blocks in real time until the device is back or the file fails."""
        assert self._fallback is not None
        try:
            ring = ring or RotatingWavFile(self._fallback, self._mixer.rate)
            next_s = self._clock()
            while self._output == AudioOutput.FILE and not self._closing.is_set():
                ring.write(self._mixer.pull(round(BLOCK_S * self._mixer.rate), next_s))
                # After standing still it catches up by one second at most, not by minutes of blocks at once.
                next_s = max(next_s + BLOCK_S, self._clock() - 1.0)
                self._closing.wait(max(next_s - self._clock(), 0.0))
        except OSError as error:
            reason = f"{self._reason}, but that cannot be written: {error.strerror}"
            self._fallback = None
            self._set_output(AudioOutput.NOWHERE, reason)
            return None
        return ring
