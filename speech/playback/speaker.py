"""The live shell around the outbox: carries its effects out and reports their outcome."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from speech.outbox.messages import Effect, PlaybackBegan, PlaybackEnded, SpeechFailed, StartSpeech, StopSpeech
from speech.playback.base import (
    AudioOutputChanged,
    PlaybackFailed,
    PlaybackFinished,
    PlaybackStarted,
    Player,
    PlayerEvent,
)
from speech.sound.effects import silence
from speech.synthesis.base import SynthesisError
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority, Utterance

log = logging.getLogger(__name__)

PlayerT = TypeVar("PlayerT", bound=Player)

CLOSE_S = 2.0

MAX_FAILURES = 2
"""Failures without a success between them from which the voice, not a text, is at fault."""
RETRY_S = 5.0
"""Seconds after a failure until the voice is tested again, without waiting for the next utterance."""
PROBE_TEXT = "1"
"""The text of that trial, which is not played."""

Report = Callable[[PlaybackBegan | PlaybackEnded | SpeechFailed, float], None]
"""(what happened, when in monotonic seconds); of `PlaybackBegan` when the first sample leaves the
loudspeaker.
"""


@dataclass(frozen=True, slots=True)
class _Playback:
    """One `StartSpeech`. Its key is its own, so that a late chunk never ends up in a repetition."""

    key: str
    utterance: Utterance


class Speaker(Generic[PlayerT]):
    """Starts and cuts utterances; never makes the caller wait.

    A prepared phrase goes to the player in the caller's thread, in microseconds. Everything else is
    synthesised in the speaker's own thread, while its earcon sounds at once. A danger or message whose
    words cannot be synthesised is still announced, by its earcon and the one for errors.
    """

    def __init__(
        self,
        renderer: Renderer,
        open_player: Callable[[Callable[[PlayerEvent], None]], PlayerT],
        report: Report,
        on_output_change: Callable[[AudioOutputChanged], None],
        clock: Callable[[], float] = time.monotonic,
        on_synthesis: Callable[[float], None] = lambda _: None,
        on_voice_change: Callable[[str], None] = lambda _: None,
        try_again_s: float = RETRY_S,
    ) -> None:
        """`open_player` gets the function that receives the player's events.

        `on_synthesis` gets the seconds that the first chunk of a phrase took which was not cached.
        `on_voice_change` gets the reason why synthesis fails, and an empty one once it works again. These,
        `report` and `on_output_change` are called from other threads, in the order of events.
        """
        self._renderer = renderer
        self._report = report
        self._on_output_change = on_output_change
        self._clock = clock
        self._on_synthesis = on_synthesis
        self._on_voice_change = on_voice_change
        self._try_again_s = try_again_s
        self._consecutive_failures = 0
        self._last_failed: Utterance | None = None
        self._voice_lost = False
        self._silence = silence(0, renderer.rate, 2)
        self._playbacks = 0
        self._playback: _Playback | None = None
        self._job: _Playback | None = None
        self._closing = False
        self._changed = threading.Condition()
        self.failures = 0
        """The number of failed syntheses."""
        # After all fields: the player may report from its own thread before this constructor returns.
        self.player = open_player(self._on_player_event)
        self._thread = threading.Thread(target=self._run, name="speak", daemon=True)
        self._thread.start()

    @property
    def renderer(self) -> Renderer:
        """The renderer in use."""
        return self._renderer

    @property
    def alive(self) -> bool:
        """False once the thread has died: a fault that only a restart mends."""
        return self._thread.is_alive() or self._closing

    def execute(self, effect: Effect) -> None:
        """Carry out an effect of the outbox; effects without sound are ignored."""
        if isinstance(effect, StartSpeech):
            self.start(effect.utterance)
        elif isinstance(effect, StopSpeech):
            self.cut(effect.id)

    def start(self, utterance: Utterance) -> None:
        """Begin to say it now, in place of the present sound."""
        with self._changed:
            self._playbacks += 1
            playback = self._playback = _Playback(f"{utterance.id}#{self._playbacks}", utterance)
            cached = self._renderer.cached(utterance)
            if cached is not None:
                self.player.play(playback.key, cached)
                return
            # The earcon sounds while the words are made, so that even an uncached danger is heard at once.
            self.player.play(playback.key, self._renderer.earcon_audio(utterance), more=True)
            self._job = playback
            self._changed.notify()

    def cut(self, id: str) -> None:
        """Fade it out if it is the one that sounds."""
        with self._changed:
            playback = self._playback
            if playback is not None and playback.utterance.id == id:
                self._playback = None
                self.player.cut(playback.key)

    def replace_renderer(self, renderer: Renderer) -> None:
        """Use another renderer from now on, whose phrases are prepared; same rate."""
        with self._changed:
            self._renderer = renderer

    def close(self) -> None:
        """End the sound and the threads, within a few seconds."""
        with self._changed:
            self._closing = True
            self._playback = None
            self._changed.notify()
        self._thread.join(CLOSE_S)
        self.player.close()
        if self._thread.is_alive():
            log.error("the speak thread is still busy after %g s", CLOSE_S)

    def _run(self) -> None:
        while not self._closing:
            playback = self._next()
            if playback is None:
                self._try_voice()
                continue
            try:
                self._synthesize(playback)
            except SynthesisError as error:
                self._on_failure(playback, str(error))

    def _next(self) -> _Playback | None:
        """The turn to say; None when closing, which also ends the wait, or when a trial is due."""
        with self._changed:
            # Only after a failure: a working voice is not tested while it is silent.
            due_s = self._try_again_s if self._last_failed else None
            self._changed.wait_for(lambda: self._job is not None or self._closing, due_s)
            job, self._job = self._job, None
            return None if self._closing else job

    def _try_voice(self) -> None:
        """Test whether the voice that failed can synthesise again, although no utterance waits."""
        if self._last_failed is None or self._closing:
            return
        try:
            for _ in self._renderer.stream_speech(replace(self._last_failed, text=PROBE_TEXT)):
                # The first piece is enough to know that the voice works.
                break
        except SynthesisError as error:
            self._count_failure(str(error))
        else:
            self._reset_failures()

    def _count_failure(self, reason: str) -> None:
        self._consecutive_failures += 1
        if self._consecutive_failures >= MAX_FAILURES and not self._voice_lost:
            self._voice_lost = True
            self._on_voice_change(reason)

    def _reset_failures(self) -> None:
        self._consecutive_failures, self._last_failed = 0, None
        if self._voice_lost:
            self._voice_lost = False
            self._on_voice_change("")

    def _synthesize(self, playback: _Playback) -> None:
        began_s: float | None = self._clock()
        for chunk in self._renderer.stream_speech(playback.utterance):
            if began_s is not None:
                self._on_synthesis(self._clock() - began_s)
                began_s = None
                self._reset_failures()
            # Cut or replaced meanwhile; the rest of its words is not wanted.
            if self._playback is not playback:
                return
            self.player.append(playback.key, chunk, more=True)
        # An empty last piece, because only here it is known that no further one follows.
        self.player.append(playback.key, self._silence)

    def _on_failure(self, playback: _Playback, reason: str) -> None:
        self.failures += 1
        log.error("not said: %r: %s", playback.utterance.text, reason)
        self._last_failed = playback.utterance
        self._count_failure(reason)
        if playback.utterance.priority >= Priority.MESSAGE:
            self.player.append(
                playback.key, self._renderer.earcon_audio(replace(playback.utterance, earcon="error"))
            )
        else:
            self.player.cut(playback.key)
            self._report(SpeechFailed(playback.utterance.id, reason), self._clock())

    def _on_player_event(self, event: PlayerEvent) -> None:
        match event:
            case PlaybackStarted(key, at_s):
                self._report(PlaybackBegan(_id(key)), at_s)
            case PlaybackFinished(key, at_s):
                self._report(PlaybackEnded(_id(key)), at_s)
            case PlaybackFailed(key, reason):
                self._report(SpeechFailed(_id(key), reason), self._clock())
            case AudioOutputChanged():
                self._on_output_change(event)


def _id(key: str) -> str:
    return key.rsplit("#", 1)[0]
