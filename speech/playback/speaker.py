"""The live shell around the outbox: carries its effects out, reports what came of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

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

CLOSE_S = 2.0

GIVES_OUT = 2
"""Failures without a success between them from which the voice, not a text, is at fault."""
TRY_AGAIN_S = 5.0
"""Seconds after a failure until it is tried whether words can be made, for nobody may ask for any."""
TRIAL = "1"
"""What is tried then, unheard."""

Report = Callable[[PlaybackBegan | PlaybackEnded | SpeechFailed, float], None]
"""(what happened, when in monotonic seconds); of `PlaybackBegan` when the first sample leaves the
loudspeaker.
"""


@dataclass(frozen=True, slots=True)
class _SpeakingTurn:
    """One `StartSpeech`. Its key is its own, so that a late chunk never ends up in a repetition."""

    key: str
    utterance: Utterance


class Speaker:
    """Starts and cuts utterances; never waits, whoever calls.

    A prepared phrase goes to the player in the caller's thread, in microseconds. Everything else is
    synthesised in the speaker's own thread, while its earcon sounds at once. A danger or message whose
    words cannot be made is still told, by its earcon and the one for errors.
    """

    def __init__(
        self,
        renderer: Renderer,
        open_player: Callable[[Callable[[PlayerEvent], None]], Player],
        report: Report,
        outlet_changed: Callable[[AudioOutputChanged], None],
        clock: Callable[[], float] = time.monotonic,
        made: Callable[[float], None] = lambda _: None,
        voice_changed: Callable[[str], None] = lambda _: None,
        try_again_s: float = TRY_AGAIN_S,
    ) -> None:
        """`open_player` is given the function to tell its events to.

        `made` is told how many seconds the first words took that were not prepared. `voice_changed` is told
        why no words can be made any more, and an empty reason once they can again. These, `report` and
        `outlet_changed` are called from other threads, in the order of events.
        """
        self._renderer = renderer
        self._report = report
        self._outlet_changed = outlet_changed
        self._clock = clock
        self._made = made
        self._voice_changed = voice_changed
        self._try_again_s = try_again_s
        self._in_a_row = 0
        self._failed_last: Utterance | None = None
        self._gone = False
        self._silence = silence(0, renderer.rate, 2)
        self._turns = 0
        self._turn: _SpeakingTurn | None = None
        self._job: _SpeakingTurn | None = None
        self._closing = False
        self._changed = threading.Condition()
        self.failures = 0
        """How often words could not be made."""
        self.player = open_player(self._hear)
        self._thread = threading.Thread(target=self._speak, name="speak", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once the thread has died: a fault that only a restart mends."""
        return self._thread.is_alive() or self._closing

    def carry_out(self, effect: Effect) -> None:
        """Do what the outbox decided; effects that ask for no sound are ignored."""
        if isinstance(effect, StartSpeech):
            self.start(effect.utterance)
        elif isinstance(effect, StopSpeech):
            self.cut(effect.id)

    def start(self, utterance: Utterance) -> None:
        """Begin to say it now, in place of whatever sounds."""
        with self._changed:
            self._turns += 1
            turn = self._turn = _SpeakingTurn(f"{utterance.id}#{self._turns}", utterance)
            ready = self._renderer.ready(utterance)
            if ready is not None:
                self.player.play(turn.key, ready)
                return
            self.player.play(turn.key, self._renderer.signal(utterance), more=True)
            self._job = turn
            self._changed.notify()

    def cut(self, id: str) -> None:
        """Fade it out if it is the one that sounds."""
        with self._changed:
            turn = self._turn
            if turn is not None and turn.utterance.id == id:
                self._turn = None
                self.player.cut(turn.key)

    def use(self, renderer: Renderer) -> None:
        """Say what comes from now on by another renderer, whose phrases are prepared; same rate."""
        with self._changed:
            self._renderer = renderer

    def close(self) -> None:
        """End the sound and the threads, within a few seconds."""
        with self._changed:
            self._closing = True
            self._turn = None
            self._changed.notify()
        self._thread.join(CLOSE_S)
        self.player.close()
        if self._thread.is_alive():
            log.error("the speak thread is still busy after %g s", CLOSE_S)

    def _speak(self) -> None:
        while not self._closing:
            turn = self._next()
            if turn is None:
                self._try_again()
                continue
            try:
                self._say(turn)
            except SynthesisError as error:
                self._failed(turn, str(error))

    def _next(self) -> _SpeakingTurn | None:
        """The turn to say; None when closing, which also ends the wait, or when a trial is due."""
        with self._changed:
            due_s = self._try_again_s if self._failed_last else None
            self._changed.wait_for(lambda: self._job is not None or self._closing, due_s)
            job, self._job = self._job, None
            return None if self._closing else job

    def _try_again(self) -> None:
        """Whether the voice that failed last can make words, though none are wanted."""
        if self._failed_last is None or self._closing:
            return
        try:
            for _ in self._renderer.words(replace(self._failed_last, text=TRIAL)):
                break
        except SynthesisError as error:
            self._without_voice(str(error))
        else:
            self._with_voice()

    def _without_voice(self, reason: str) -> None:
        self._in_a_row += 1
        if self._in_a_row >= GIVES_OUT and not self._gone:
            self._gone = True
            self._voice_changed(reason)

    def _with_voice(self) -> None:
        self._in_a_row, self._failed_last = 0, None
        if self._gone:
            self._gone = False
            self._voice_changed("")

    def _say(self, turn: _SpeakingTurn) -> None:
        began_s: float | None = self._clock()
        for chunk in self._renderer.words(turn.utterance):
            if began_s is not None:
                self._made(self._clock() - began_s)
                began_s = None
                self._with_voice()
            if self._turn is not turn:
                return
            self.player.append(turn.key, chunk, more=True)
        self.player.append(turn.key, self._silence)

    def _failed(self, turn: _SpeakingTurn, reason: str) -> None:
        self.failures += 1
        log.error("not said: %r: %s", turn.utterance.text, reason)
        self._failed_last = turn.utterance
        self._without_voice(reason)
        if turn.utterance.priority >= Priority.MESSAGE:
            self.player.append(turn.key, self._renderer.signal(replace(turn.utterance, earcon="error")))
        else:
            self.player.cut(turn.key)
            self._report(SpeechFailed(turn.utterance.id, reason), self._clock())

    def _hear(self, event: PlayerEvent) -> None:
        match event:
            case PlaybackStarted(key, at_s):
                self._report(PlaybackBegan(_id(key)), at_s)
            case PlaybackFinished(key, at_s):
                self._report(PlaybackEnded(_id(key)), at_s)
            case PlaybackFailed(key, reason):
                self._report(SpeechFailed(_id(key), reason), self._clock())
            case AudioOutputChanged():
                self._outlet_changed(event)


def _id(key: str) -> str:
    return key.rsplit("#", 1)[0]
