"""Earcons, level, rate, side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.sound.audio import Audio
from speech.sound.earcons import EARCONS, danger_earcon, earcon
from speech.sound.effects import fade_out, panned, silence, trimmed
from speech.sound.loudness import CEILING, TARGET_DBFS, loudness_dbfs, normalize_loudness
from speech.sound.resample import resample

RATES = (8000, 16000, 22050, 44100, 48000)


def sine(hertz: float, rate: int, seconds: float = 1.0, peak: int = 8000) -> Audio:
    wave = peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return Audio(np.round(wave).astype(np.int16)[:, None], rate)


def strongest_hz(audio: Audio) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples[:, 0] * np.hanning(len(audio.samples))))
    return float(np.argmax(spectrum) * audio.rate / len(audio.samples))


@pytest.mark.parametrize("name", EARCONS)
@pytest.mark.parametrize("rate", RATES)
def test_earcons_begin_and_end_softly_and_leave_room(name: str, rate: int) -> None:
    samples = earcon(name, rate).samples[:, 0].astype(int)
    assert abs(samples[0]) < 700
    assert abs(samples[-1]) < 700
    assert 3000 < np.abs(samples).max() < 20000


def test_the_worse_the_danger_the_higher_and_quicker_and_never_long() -> None:
    names = [danger_earcon(severity) for severity in (1, 2, 3)]
    assert names == ["notice", "warning", "critical"]
    pitches = [EARCONS[name][0].from_hz for name in names]
    tempos = [len(EARCONS[name]) / earcon(name, 22050).duration_s for name in names]
    assert pitches == sorted(pitches)
    assert tempos == sorted(tempos)
    assert all(earcon(name, 22050).duration_s <= 0.15 for name in names)
    assert (danger_earcon(-5), danger_earcon(99)) == ("notice", "critical")


def test_all_earcons_differ() -> None:
    assert len({earcon(name, 22050).samples.tobytes() for name in EARCONS}) == len(EARCONS)


@pytest.mark.parametrize("peak", [700, 3000, 30000])
def test_everything_ends_up_equally_loud(peak: int) -> None:
    assert abs(loudness_dbfs(normalize_loudness(sine(300, 22050, peak=peak))) - TARGET_DBFS) < 0.2


def test_pauses_do_not_count_for_loudness() -> None:
    tone = sine(300, 22050)
    paused = Audio(np.concatenate([tone.samples, np.zeros_like(tone.samples), tone.samples]), 22050)
    assert abs(loudness_dbfs(paused) - loudness_dbfs(tone)) < 1.5


def test_loudness_yields_to_the_ceiling_and_silence_stays_silent() -> None:
    click = np.zeros((22050, 1), np.int16)
    click[::2000] = 20000
    assert np.abs(normalize_loudness(Audio(click, 22050)).samples.astype(int)).max() <= CEILING * 32768
    assert not normalize_loudness(silence(1, 22050)).samples.any()
    assert normalize_loudness(silence(0, 22050)).samples.shape == (0, 1)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_pitch_length_and_level_at_any_rate(rate: int) -> None:
    made = resample(sine(1000, 22050), rate)
    assert made.rate == rate
    assert abs(made.duration_s - 1.0) < 0.001
    assert abs(strongest_hz(made) - 1000) < 2
    assert abs(loudness_dbfs(made) - loudness_dbfs(sine(1000, 22050))) < 0.1


def test_what_a_lower_rate_cannot_carry_is_removed() -> None:
    assert loudness_dbfs(resample(sine(7000, 22050), 8000)) < -60


def test_the_same_rate_is_the_same_object() -> None:
    tone = sine(500, 22050)
    assert resample(tone, 22050) is tone


@given(st.floats(-1.5, 1.5), st.floats(0, 1))
def test_panning_keeps_the_power(pan: float, volume: float) -> None:
    tone = sine(500, 22050, 0.05)
    whole = (tone.samples.astype(float) ** 2).sum()
    power = (panned(tone, pan, volume).samples.astype(float) ** 2).sum()
    assert abs(power - volume**2 * whole) <= 1e-4 * whole  # samples are rounded to whole numbers


def test_left_is_the_first_channel() -> None:
    left, right = np.abs(panned(sine(500, 22050), -0.7).samples.astype(int)).max(axis=0)
    assert left > 3 * right > 0


def test_trimming_leaves_the_sound_alone() -> None:
    tone = sine(500, 22050, 0.1).samples
    padded = Audio(np.concatenate([np.zeros((5000, 1), np.int16), tone, np.zeros((900, 1), np.int16)]), 22050)
    assert len(tone) < len(trimmed(padded, tail=True).samples) < len(tone) + 200
    assert trimmed(silence(1, 22050)).samples.shape == (0, 1)


def test_a_fade_ends_in_silence_within_five_milliseconds() -> None:
    faded = fade_out(sine(500, 22050).samples, 22050)
    assert len(faded) == round(0.005 * 22050)
    assert faded[-1, 0] == 0
    assert fade_out(np.zeros((0, 2), np.int16), 22050).shape == (0, 2)
