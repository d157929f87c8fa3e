"""Turns commands into blocks of samples: the part of a player that has no device.

Commands are handed over through a deque, whose ends may be used by different threads without a lock;
everything else belongs to the thread that pulls. So `play` costs microseconds and the audio callback never
waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from speech.playback.base import PlaybackFailed, PlaybackFinished, PlaybackStarted
from speech.sound.audio import Audio
from speech.sound.effects import FADE_S, fade_curve

Samples = NDArray[np.int16]

MAX_QUEUED_S = 60.0
"""Seconds of sound that may be queued for one utterance. Any excess is dropped and counted."""
MAX_COMMANDS = 256
"""Commands that may wait for the next block."""
AWAKE_HZ, AWAKE_DB = 20.0, -60.0
"""The tone that keeps a headset awake: at a level 60 dB below full scale 20 Hz is far from being heard."""


@dataclass(frozen=True, slots=True)
class _Command:
    kind: Literal["play", "append", "cut"]
    id: str
    samples: Samples
    more: bool = False


@dataclass(slots=True)
class _Sound:
    id: str
    chunks: deque[Samples] = field(default_factory=deque)
    queued: int = 0
    more: bool = True
    began: bool = False

    def add(self, samples: Samples, more: bool) -> None:
        if len(samples):
            self.chunks.append(samples)
            self.queued += len(samples)
        self.more = more

    def take(self, count: int) -> Samples:
        """At most `count` frames, in order; they are gone afterwards."""
        parts: list[Samples] = []
        while count and self.chunks:
            chunk = self.chunks.popleft()
            parts.append(chunk[:count])
            if len(chunk) > count:
                self.chunks.appendleft(chunk[count:])
            count -= len(parts[-1])
        self.queued -= sum(map(len, parts))
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.int16)


class Mixer:
    """One sound at a time, int16 stereo; a sound that is cut or replaced fades out under the next one.

    No step between two samples is larger than the largest steps within the sounds that overlap plus the step
    of the fade itself, peak * pi / (2 * fade length).
    """

    def __init__(
        self,
        rate: int,
        on_event: Callable[[PlaybackStarted | PlaybackFinished | PlaybackFailed], None],
        *,
        keep_awake: bool = False,
    ) -> None:
        """`on_event` is called within `pull`, so it must not wait. `keep_awake`: no block is silent."""
        self.rate = rate
        self.dropped = 0
        """Commands and chunks that found no room."""
        self.starved = 0
        """Blocks in which a sound had to pause because its next chunk was not there."""
        self._on_event = on_event
        self._commands: deque[_Command] = deque()
        self._sound: _Sound | None = None
        self._tail = np.zeros((0, 2), np.int32)
        self._awake = 10 ** (AWAKE_DB / 20) * 32767 if keep_awake else 0.0
        self._turns = 0.0
        # Tried, never waited for, in `pull`: the audio callback must not block.
        self._pulling = threading.Lock()

    @property
    def busy(self) -> bool:
        """True while something sounds or is about to."""
        return self._sound is not None or bool(self._commands) or bool(len(self._tail))

    def play(self, id: str, audio: Audio, *, more: bool = False) -> None:
        """Replace the present sound. `audio` is stereo at this mixer's rate."""
        self._command(_Command("play", id, audio.samples, more))

    def append(self, id: str, audio: Audio, *, more: bool = False) -> None:
        """Continue that sound, or, with no frames and no `more`, say that it is complete."""
        self._command(_Command("append", id, audio.samples, more))

    def cut(self, id: str) -> None:
        """Fade that sound out."""
        self._command(_Command("cut", id, np.zeros((0, 2), np.int16)))

    def pull(self, frames: int, at_s: float) -> Samples:
        """The next block, shape (frames, 2), whose first sample is heard at `at_s`.

        Silence for the second of two threads that pull at once: that happens only while one device
        takes over from another.
        """
        if not self._pulling.acquire(blocking=False):
            return np.zeros((frames, 2), np.int16)
        try:
            self._apply_commands()
            return self._mix(frames, at_s)
        finally:
            self._pulling.release()

    def refuse(self, reason: str) -> None:
        """Drop the present sound and all waiting ones: the device is gone."""
        with self._pulling:
            self._apply_commands(lambda id_: self._on_event(PlaybackFailed(id_, reason)))
            if self._sound is not None:
                self._on_event(PlaybackFailed(self._sound.id, reason))
            self._sound, self._tail = None, self._tail[:0]

    def _command(self, command: _Command) -> None:
        if len(self._commands) >= MAX_COMMANDS:
            self.dropped += 1
            return
        self._commands.append(command)

    def _apply_commands(self, refused: Callable[[str], None] | None = None) -> None:
        while self._commands:
            command = self._commands.popleft()
            sound = self._sound
            if command.kind == "play" and refused is not None:
                refused(command.id)
            elif command.kind == "play":
                self._fade()
                self._sound = _Sound(command.id)
                self._add(self._sound, command)
            elif sound is not None and sound.id == command.id:
                if command.kind == "append":
                    self._add(sound, command)
                else:
                    self._fade()

    def _add(self, sound: _Sound, command: _Command) -> None:
        room = round(MAX_QUEUED_S * self.rate) - sound.queued
        if len(command.samples) > room:
            self.dropped += 1
        sound.add(command.samples[: max(room, 0)], command.more)

    def _fade(self) -> None:
        """Keep the next 5 ms of the present sound, fading, to be mixed under the next one."""
        if self._sound is None:
            return
        rest = self._sound.take(round(FADE_S * self.rate))
        began, self._sound = self._sound.began, None
        # Nothing of it was heard yet, so there is nothing to fade.
        if not began:
            return
        faded = np.round(rest * fade_curve(round(FADE_S * self.rate))[: len(rest), None]).astype(np.int32)
        longer, shorter = sorted((faded, self._tail), key=len, reverse=True)
        self._tail = longer.copy()
        # Two cuts in quick succession: both tails fade out together.
        self._tail[: len(shorter)] += shorter

    def _mix(self, frames: int, at_s: float) -> Samples:
        block = np.zeros((frames, 2), np.int32)
        tail, self._tail = self._tail[:frames], self._tail[frames:]
        block[: len(tail)] += tail
        if self._sound is not None:
            self._mix_sound(self._sound, block, at_s)
        if self._awake:
            block += self._awake_tone(frames)
        # Mixed in 32 bits and clipped once: the sum of two loud sounds would wrap around in 16.
        return np.clip(block, -32768, 32767).astype(np.int16)

    def _awake_tone(self, frames: int) -> NDArray[np.int32]:
        """The tone that keeps a device awake. It continues under every sound, so that it never clicks."""
        turns = self._turns + AWAKE_HZ / self.rate * np.arange(frames)
        # Modulo one turn: the phase would lose its precision after days of growing.
        self._turns = (self._turns + AWAKE_HZ / self.rate * frames) % 1.0
        tone: NDArray[np.int32] = np.round(self._awake * np.sin(2 * np.pi * turns)).astype(np.int32)
        return tone[:, None]

    def _mix_sound(self, sound: _Sound, block: NDArray[np.int32], at_s: float) -> None:
        taken = sound.take(len(block))
        block[: len(taken)] += taken
        if len(taken) and not sound.began:
            sound.began = True
            self._on_event(PlaybackStarted(sound.id, at_s))
        if sound.chunks:
            return
        if not sound.more:
            self._sound = None
            self._on_event(PlaybackFinished(sound.id, at_s + len(taken) / self.rate))
        # Counted only after the start: before it the sound waits for its first words, which is no fault.
        elif sound.began and len(taken) < len(block):
            self.starved += 1
