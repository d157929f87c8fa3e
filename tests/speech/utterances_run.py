"""Sends utterances of any kind through outbox and speaker, and asserts the laws of both at every step.

`python -m tests.speech.utterances_run COUNT` prints as JSON what became of them, and what is left behind: in
a process of its own, because other tests leave threads that run on, and memory that grows.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

from speech.outbox.messages import (
    Effect,
    Enqueue,
    Input,
    OutboxTick,
    PlaybackBegan,
    PlaybackEnded,
    Retract,
    SpeechDropped,
    SpeechFailed,
    SpeechStarted,
    StartSpeech,
    StopSpeaking,
    StopSpeech,
)
from speech.outbox.outbox import Outbox
from speech.playback.base import PlayerEvent
from speech.playback.speaker import Speaker
from speech.settings import OutboxSettings, SpeechSettings
from speech.sound.audio import Audio
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority, Utterance
from tests.speech.made import HandPlayer, ToneSynthesizer, utterance

RATE = 8000
BLOCK_S = 0.05
PREPARED = ("fire ahead", "stop a car comes from the left")
EARCONS: tuple[str | None, ...] = (None, "critical", "notice")
PANS = (-1.0, 0.0, 1.0)
ODDITIES: tuple[Input, ...] = (StopSpeaking(), Retract("c1"), PlaybackBegan("unknown"), PlaybackEnded("u1"))
WORDS_S = 20.0
"""Seconds that the thread which makes words may take for the next one on a busy machine."""


class SteadyPlayer(HandPlayer):
    """Tells when more words have come."""

    def __init__(self, tell: Callable[[PlayerEvent], None], rate: int) -> None:
        super().__init__(tell, rate)
        self.came = threading.Event()
        self.append = self._append

    def _append(self, id: str, audio: Audio, *, more: bool = False) -> None:
        self.mixer.append(id, audio, more=more)
        self.came.set()


class World:
    """Outbox and speaker as the daemon joins them, on a time that goes on with the sound."""

    def __init__(self) -> None:
        settings = SpeechSettings(sample_rate=RATE)
        self.synthesizer = ToneSynthesizer(RATE)
        renderer = Renderer(settings, None, self.synthesizer)
        renderer.prepare([(text, "en", Priority.DANGER) for text in PREPARED])
        # These are kept from then on: made later, they would count as memory that is left behind.
        for text, earcon, pan in product(PREPARED, EARCONS, PANS):
            assert renderer.cached(utterance(text, earcon=earcon, pan=pan)) is not None
        self.outbox = Outbox(OutboxSettings(start_timeout_s=20))
        self.lock = threading.RLock()
        self.now = 0.0
        self.waiting: dict[str, Utterance] = {}
        self.playing: Utterance | None = None
        self.interrupted: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.speaker = Speaker(
            renderer, lambda tell: SteadyPlayer(tell, RATE), lambda event, _: self.step(event), print
        )
        assert isinstance(self.speaker.player, SteadyPlayer)
        self.player = self.speaker.player

    def step(self, event: Input) -> None:
        with self.lock:
            if isinstance(event, Enqueue):
                self.waiting[event.utterance.id] = event.utterance
            if (
                isinstance(event, PlaybackEnded | SpeechFailed)
                and self.playing
                and self.playing.id == event.id
            ):
                self.playing = None
            effects = self.outbox.step(event, self.now)
            settled = {e.utterance.id for e in effects if isinstance(e, SpeechStarted | SpeechDropped)}
            for effect in effects:
                self._check(effect, settled)
                self.speaker.execute(effect)

    def _check(self, effect: Effect, settled: set[str]) -> None:
        match effect:
            case StartSpeech(said):
                assert self.playing is None, "two at a time"
                assert self.now <= said.expires_at_s, "started after it expired"
                assert said.id in self.waiting or said.id in self.interrupted, "said again"
                ahead = [u for u in self.waiting.values() if u.priority > said.priority]
                assert {u.id for u in ahead if u.expires_at_s >= self.now} <= settled, "overtaken"
                self.interrupted.discard(said.id)
                self.playing = said
            case StopSpeech(id_):
                assert self.playing is not None
                assert self.playing.id == id_
                self.interrupted.add(id_)
                self.playing = None
            case SpeechStarted(said) | SpeechDropped(said, _):
                del self.waiting[said.id]  # each exactly once
                if isinstance(effect, SpeechDropped):
                    self.interrupted.discard(said.id)
                self.counts["spoken" if isinstance(effect, SpeechStarted) else effect.reason] += 1

    def go_on(self, seconds: float) -> None:
        """Let sound go on; where words are missing, let the thread that makes them run."""
        until = self.now + seconds
        self.synthesizer.asked.clear()
        while self.now < until:
            starved = self.player.mixer.starved
            self.player.came.clear()
            self.player.turn(BLOCK_S)
            if self.player.mixer.starved > starved:
                # Otherwise minutes of sound would pass on a busy machine before that thread runs.
                assert self.player.came.wait(WORDS_S), "words do not come"
            with self.lock:
                self.now += BLOCK_S
                wake_at_s = self.outbox.wake_at_s()
            if wake_at_s is not None and wake_at_s <= self.now:
                self.step(OutboxTick())


def some(dice: random.Random, number: int, now: float) -> Utterance:
    """Any utterance: prepared or not, short or long, already late or good for a minute."""
    priority = dice.choice(list(Priority))
    text = " ".join(dice.choices(["a", "man", "car", "street", "left", "door"], k=dice.randint(0, 12)))
    if priority == Priority.DANGER and dice.random() < 0.8:
        text = dice.choice(PREPARED)
    made = utterance(text, id=f"u{number}", priority=priority, key=f"k{dice.randint(0, 30)}")
    return replace(
        made,
        cause=dice.choice([None, "c1", "c2", "c3"]),
        severity=dice.randint(0, 3),
        earcon=dice.choice(EARCONS),
        pan=dice.choice(PANS),
        created_at_s=now,
        captured_at_s=now,
        expires_at_s=now + dice.choice([-1.0, 0.0, 0.5, 3.0, 60.0]),
    )


def run(count: int) -> dict[str, Any]:
    """What became of so many utterances, and what the second half of them left behind."""
    before, dice, world = set(threading.enumerate()), random.Random(20), World()
    sizes: list[int] = []
    for number in range(count):
        if number in (count // 4, count // 2):
            gc.collect()
            if not sizes:
                tracemalloc.start()
            sizes.append(tracemalloc.get_traced_memory()[0])
        world.step(Enqueue(some(dice, number, world.now)))
        if dice.random() < 0.02:
            world.step(ODDITIES[dice.randrange(len(ODDITIES))])
        world.go_on(dice.choice([0.0, 0.0, 0.1, 0.5]))
    world.go_on(120.0)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - sizes[-1]
    tracemalloc.stop()
    world.speaker.close()
    return {
        "counts": world.counts,
        "waiting": sorted(world.waiting),
        "mixer_dropped": world.player.mixer.dropped,
        "seconds": round(world.now),
        "grown_bytes": grown,
        "threads": [one.name for one in threading.enumerate() if one.is_alive() and one not in before],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]))) + "\n")
