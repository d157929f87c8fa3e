"""Ten thousand utterances of any kind, through outbox and speaker: the laws hold, nothing grows or hangs."""

from __future__ import annotations

import gc
import os
import random
import threading
import tracemalloc
from collections import Counter
from dataclasses import replace

import pytest

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
from speech.playback.speaker import Speaker
from speech.settings import OutboxSettings, SpeechSettings
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority, Utterance
from tests.speech.made import HandPlayer, ToneSynthesizer, utterance

COUNT = int(os.environ.get("WATCHWORD_UTTERANCES", "4000"))
RATE = 8000
BLOCK_S = 0.05
PREPARED = ("fire ahead", "stop a car comes from the left")
ODDITIES: tuple[Input, ...] = (StopSpeaking(), Retract("c1"), PlaybackBegan("unknown"), PlaybackEnded("u1"))
GROWTH = 256 * 1024
"""Bytes that the second half of all utterances may leave behind."""


class World:
    """Outbox and speaker as the daemon joins them, on a time that goes on with the sound."""

    def __init__(self) -> None:
        settings = SpeechSettings(sample_rate=RATE)
        self.synthesizer = ToneSynthesizer(RATE)
        renderer = Renderer(settings, None, self.synthesizer)
        renderer.prepare([(text, "en", Priority.DANGER) for text in PREPARED])
        self.outbox = Outbox(OutboxSettings(start_timeout_s=20))
        self.lock = threading.RLock()
        self.now = 0.0
        self.waiting: dict[str, Utterance] = {}
        self.playing: Utterance | None = None
        self.interrupted: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.speaker = Speaker(
            renderer, lambda tell: HandPlayer(tell, RATE), lambda event, _: self.step(event), print
        )
        assert isinstance(self.speaker.player, HandPlayer)
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
            self.player.turn(BLOCK_S)
            if self.player.mixer.starved > starved:
                threading.Event().wait(0.0005)
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
        earcon=dice.choice([None, "critical", "notice"]),
        pan=dice.choice([-1.0, 0.0, 1.0]),
        created_at_s=now,
        captured_at_s=now,
        expires_at_s=now + dice.choice([-1.0, 0.0, 0.5, 3.0, 60.0]),
    )


@pytest.mark.slow
def test_thousands_of_utterances_keep_the_laws_and_leave_nothing_behind() -> None:
    before, dice, world = set(threading.enumerate()), random.Random(20), World()
    sizes: list[int] = []
    for number in range(COUNT):
        if number in (COUNT // 4, COUNT // 2):
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
    assert not world.waiting
    assert sum(world.counts.values()) == COUNT
    assert world.counts["spoken"] > COUNT / 50
    assert {"expired", "replaced", "superseded"} <= set(world.counts)
    assert world.player.mixer.dropped == 0
    print(f"\n{dict(world.counts)}; {world.now:.0f} s of sound; {grown / 1024:.0f} KiB left behind")  # noqa: T201
    assert grown < GROWTH
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before
