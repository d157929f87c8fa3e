"""Blocks of sound: order, fades, reports, bounds."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from speech.playback.base import PlaybackFailed, PlaybackFinished, PlaybackStarted
from speech.playback.mixer import MAX_COMMANDS, MAX_QUEUED_S, Mixer
from speech.sound.audio import Audio
from speech.sound.effects import FADE_S

RATE = 8000
BLOCK = 80
PEAK = 8000
FADE = round(FADE_S * RATE)
SOUND_STEP = PEAK * 2 * np.pi * 300 / RATE
FADE_STEP = PEAK * np.pi / 2 / FADE


def tone(seconds: float, *, left: bool = True) -> Audio:
    """A sine of 300 Hz on one side that begins and ends at zero."""
    count = round(seconds * 300) * RATE // 300
    samples = np.zeros((count, 2), np.int16)
    samples[:, 0 if left else 1] = np.round(PEAK * np.sin(2 * np.pi * 300 * np.arange(count) / RATE))
    return Audio(samples, RATE)


class World:
    """A mixer, what it told, and time that goes on by pulling."""

    def __init__(self) -> None:
        self.told: list[PlaybackStarted | PlaybackFinished | PlaybackFailed] = []
        self.mixer = Mixer(RATE, self.told.append)
        self.blocks: list[NDArray[np.int16]] = []

    def pull(self, blocks: int = 1) -> NDArray[np.int16]:
        for _ in range(blocks):
            self.blocks.append(self.mixer.pull(BLOCK, len(self.blocks) * BLOCK / RATE))
        return np.concatenate(self.blocks[-blocks:]) if blocks else np.zeros((0, 2), np.int16)


def test_idle_is_silence() -> None:
    assert not World().pull(10).any()


def test_a_sound_comes_out_whole_and_is_told_to_the_sample() -> None:
    world = World()
    world.pull(3)
    sound = tone(0.1)
    world.mixer.play("a", sound)
    heard = world.pull(20)
    assert np.array_equal(heard[: len(sound.samples)], sound.samples)
    assert not heard[len(sound.samples) :].any()
    start_s = 3 * BLOCK / RATE
    assert world.told == [
        PlaybackStarted("a", start_s),
        PlaybackFinished("a", start_s + len(sound.samples) / RATE),
    ]
    assert not world.mixer.busy


def test_chunks_follow_each_other_without_a_gap() -> None:
    world = World()
    sound = tone(0.2)
    world.mixer.play("a", Audio(sound.samples[:500], RATE), more=True)
    world.mixer.append("a", Audio(sound.samples[500:], RATE), more=True)
    world.mixer.append("a", Audio(sound.samples[:0], RATE))
    assert np.array_equal(world.pull(30)[: len(sound.samples)], sound.samples)
    assert [type(told) for told in world.told] == [PlaybackStarted, PlaybackFinished]
    assert world.mixer.starved == 0


def test_a_late_chunk_is_waited_for_and_counted() -> None:
    world = World()
    world.mixer.play("a", tone(0.02), more=True)
    world.pull(5)
    assert world.mixer.starved > 0
    world.mixer.append("a", tone(0.02))
    assert world.pull(5).any()
    assert isinstance(world.told[-1], PlaybackFinished)


def test_a_cut_is_silent_after_five_milliseconds() -> None:
    world = World()
    world.mixer.play("a", tone(1.0))
    world.pull(5)
    world.mixer.cut("a")
    heard = world.pull(5)
    assert heard[:FADE].any()
    assert not heard[FADE:].any()
    assert world.told == [PlaybackStarted("a", 0.0)]


def test_the_next_sound_begins_while_the_old_one_fades() -> None:
    world = World()
    world.mixer.play("a", tone(1.0))
    world.pull(5)
    world.mixer.cut("a")
    world.mixer.play("b", tone(0.5, left=False))
    heard = world.pull(5)
    assert heard[:FADE, 0].any()
    assert not heard[FADE:, 0].any()
    assert np.array_equal(heard[:, 1], tone(0.5, left=False).samples[: len(heard), 1])


def test_what_belongs_to_another_sound_is_ignored() -> None:
    world = World()
    world.mixer.play("a", tone(0.1))
    world.mixer.cut("b")
    world.mixer.append("b", tone(0.1, left=False))
    assert not world.pull(20)[:, 1].any()
    assert [type(told) for told in world.told] == [PlaybackStarted, PlaybackFinished]


def test_a_sound_without_a_frame_ends_without_beginning() -> None:
    world = World()
    world.mixer.play("a", Audio(np.zeros((0, 2), np.int16), RATE))
    world.pull()
    assert [type(told) for told in world.told] == [PlaybackFinished]


def test_refused_sounds_are_told_broken() -> None:
    world = World()
    world.mixer.play("a", tone(1.0))
    world.pull()
    world.mixer.play("b", tone(1.0))
    world.mixer.refuse("unplugged")
    assert world.told[1:] == [PlaybackFailed("b", "unplugged"), PlaybackFailed("a", "unplugged")]
    assert not world.pull(3).any()


def test_what_finds_no_room_is_counted() -> None:
    world = World()
    world.mixer.play("a", tone(MAX_QUEUED_S + 1))
    for _ in range(MAX_COMMANDS + 10):
        world.mixer.cut("x")
    assert world.mixer.dropped == 11
    world.pull()
    assert world.mixer.dropped == 12


def test_the_second_of_two_pullers_hears_silence() -> None:
    inside, leave = threading.Event(), threading.Event()

    def tell(event: PlaybackStarted | PlaybackFinished | PlaybackFailed) -> None:
        inside.set()
        leave.wait(5)

    mixer = Mixer(RATE, tell)
    mixer.play("a", tone(1.0))
    thread = threading.Thread(target=mixer.pull, args=(BLOCK, 0.0))
    thread.start()
    assert inside.wait(5)
    assert not mixer.pull(BLOCK, 0.0).any()
    leave.set()
    thread.join(5)


def test_a_tone_below_hearing_keeps_the_headset_awake() -> None:
    mixer = Mixer(RATE, lambda event: None, keep_awake=True)
    heard = np.concatenate([mixer.pull(BLOCK, 0.0) for _ in range(100)]).astype(float)
    assert all(block.any() for block in np.split(heard, 100))  # never digital silence
    assert np.abs(heard).max() <= 33
    assert np.array_equal(heard[:, 0], heard[:, 1])
    spectrum = np.abs(np.fft.rfft(heard[:, 0]))
    assert np.argmax(spectrum) * RATE / len(heard) == 20
    assert np.abs(np.diff(heard, axis=0)).max() <= 2  # no step where blocks meet


def test_the_tone_goes_on_under_a_sound_and_the_mixer_is_idle_beside_it() -> None:
    told: list[object] = []
    mixer, sound = Mixer(RATE, told.append, keep_awake=True), tone(0.1)
    mixer.play("a", sound)
    heard = np.concatenate([mixer.pull(BLOCK, 0.0) for _ in range(20)]).astype(int)
    assert np.abs(heard[: len(sound.samples)] - sound.samples).max() <= 33
    assert heard[-BLOCK:].any()
    assert not mixer.busy
    assert len(told) == 2


acts = st.lists(
    st.tuples(st.sampled_from(["play", "more", "cut", "pull"]), st.sampled_from("abc"), st.integers(0, 20)),
    max_size=40,
)


@given(acts)
def test_no_click_whatever_happens(done: list[tuple[str, str, int]]) -> None:
    """Steps stay below those of two overlapping sounds and their fade (tones begin and end at zero)."""
    world = World()
    for act, id_, amount in done:
        if act == "play":
            world.mixer.play(id_, tone(amount / 100), more=amount % 3 == 0)
        elif act == "more":
            world.mixer.append(id_, tone(amount / 100))
        elif act == "cut":
            world.mixer.cut(id_)
        world.pull(amount % 4)
    world.pull()
    heard = np.concatenate([np.zeros((1, 2)), *world.blocks])
    fades = sum(act in {"play", "cut"} for act, _, _ in done)
    assert np.abs(np.diff(heard, axis=0)).max() <= (1 + min(fades, 4)) * (SOUND_STEP + FADE_STEP)


@given(acts)
def test_every_sound_begins_at_most_once_and_ends_only_once(done: list[tuple[str, str, int]]) -> None:
    world = World()
    names = iter(range(1000))
    current = "none"
    for act, _, amount in done:
        if act == "play":
            current = f"s{next(names)}"
            world.mixer.play(current, tone(amount / 100))
        elif act == "cut":
            world.mixer.cut(current)
        world.pull(amount % 4)
    world.pull(40)
    for kind in (PlaybackStarted, PlaybackFinished):
        ids = [told.id for told in world.told if isinstance(told, kind)]
        assert len(ids) == len(set(ids))
    assert not world.mixer.busy
