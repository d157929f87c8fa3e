"""The WAV file as a loudspeaker on stream time."""

from __future__ import annotations

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from speech.playback.base import PlayerUnusableError
from speech.playback.wav_timeline import WavTimeline
from speech.sound.audio import Audio

RATE = 8000


def constant(seconds: float, left: int = 1000, right: int = 2000) -> Audio:
    return Audio(np.tile(np.array([[left, right]], np.int16), (round(seconds * RATE), 1)), RATE)


def read(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)


def test_sound_stands_where_it_was_placed_and_gaps_are_silent(tmp_path: Path) -> None:
    timeline = WavTimeline(tmp_path / "o.wav", RATE)
    timeline.place(constant(0.5), 1.0)
    timeline.place(constant(0.5, 7, 9), 3.0)
    timeline.close(5.0)
    samples = read(tmp_path / "o.wav")
    assert len(samples) == 5 * RATE
    expected = np.zeros((5 * RATE, 2), np.int16)
    expected[RATE : RATE * 3 // 2] = (1000, 2000)
    expected[3 * RATE : RATE * 7 // 2] = (7, 9)
    assert np.array_equal(samples, expected)


def test_a_cut_fades_within_five_milliseconds(tmp_path: Path) -> None:
    timeline = WavTimeline(tmp_path / "o.wav", RATE)
    timeline.place(constant(1.0), 0.0)
    timeline.cut(0.5)
    timeline.close(1.0)
    samples = read(tmp_path / "o.wav")[:, 0].astype(int)
    half, fade = RATE // 2, round(0.005 * RATE)
    assert (samples[:half] == 1000).all()
    assert (samples[half + fade :] == 0).all()
    assert np.abs(np.diff(samples)).max() <= 1000 * np.pi / 2 / fade + 2


def test_a_new_sound_cuts_the_old_one(tmp_path: Path) -> None:
    timeline = WavTimeline(tmp_path / "o.wav", RATE)
    timeline.place(constant(1.0), 0.0)
    timeline.place(constant(0.1, 5, 5), 0.5)
    timeline.close(0.6)
    samples = read(tmp_path / "o.wav")
    assert samples[RATE // 2 - 1, 0] == 1000
    assert samples[RATE // 2 + 100, 0] == 5


def test_the_last_sound_is_heard_to_its_end(tmp_path: Path) -> None:
    timeline = WavTimeline(tmp_path / "o.wav", RATE)
    timeline.place(constant(1.0), 0.5)
    timeline.close(0.6)
    assert len(read(tmp_path / "o.wav")) == RATE * 3 // 2


def test_mono_and_other_rates_are_taken(tmp_path: Path) -> None:
    timeline = WavTimeline(tmp_path / "o.wav", RATE)
    timeline.place(Audio(np.full((16000, 1), 900, np.int16), 16000), 0.0)
    timeline.close(1.0)
    samples = read(tmp_path / "o.wav")
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert len(samples) == RATE


moments = st.lists(
    st.tuples(st.sampled_from(["place", "cut"]), st.floats(0, 2), st.floats(0, 1)), max_size=20
)


@given(moments)
def test_the_file_is_never_shorter_than_time_and_never_errs(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, float, float]]
) -> None:
    path = tmp_path_factory.mktemp("wav") / "o.wav"
    timeline = WavTimeline(path, RATE)
    now = 0.0
    for act, after_s, seconds in acts:
        now += after_s
        if act == "place":
            timeline.place(constant(seconds), now)
        else:
            timeline.cut(now)
        assert timeline.seconds >= now - 1 / RATE
        assert timeline.seconds <= now + 0.0051 * (len(acts) + 1)
    timeline.close(now + 2)
    assert len(read(path)) >= round((now + 2) * RATE)


def test_hours_are_written_in_little_memory(tmp_path: Path) -> None:
    timeline = WavTimeline(tmp_path / "o.wav", RATE)
    tracemalloc.start()
    for hour in range(3):
        timeline.place(constant(1.0), hour * 3600.0)
    timeline.close(3 * 3600.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(read(tmp_path / "o.wav")) == 3 * 3600 * RATE
    assert peak < 2e6


@pytest.mark.parametrize("name", ["no/such/folder/o.wav", "."])
def test_a_path_that_cannot_be_written_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlayerUnusableError, match="cannot write sound to"):
        WavTimeline(tmp_path / name, RATE)


def test_a_full_disk_is_one_clear_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(PlayerUnusableError, match="cannot write sound to"):
        timeline = WavTimeline(Path("/dev/full"), RATE)
        timeline.place(constant(1.0), 60.0)
