"""Prepared phrases and the renderer."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from speech.settings import SpeechSettings
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.synthesis.phrase_cache import PhraseCache
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority
from tests.speech.made import ToneSynthesizer, utterance

SETTINGS = SpeechSettings()


def requests(*texts: str) -> list[SpeechRequest]:
    return [SpeechRequest(text, "en") for text in texts]


def test_a_phrase_is_made_once_and_found_on_disk_ever_after(tmp_path: Path) -> None:
    first, second = ToneSynthesizer(), ToneSynthesizer()
    book = PhraseCache(tmp_path, 22050)
    book.prepare(requests("fire", "knife", "fire"), first)
    assert [request.text for request in first.asked] == ["fire", "knife"]
    again = PhraseCache(tmp_path, 22050)
    again.prepare(requests("fire", "knife"), second)
    assert second.asked == []
    for request in requests("fire", "knife"):
        made, found = book.get(request), again.get(request)
        assert made is not None
        assert found is not None
        assert np.array_equal(made.samples, found.samples)
    assert not list(tmp_path.glob("*.part"))


def test_what_is_not_prepared_is_not_there_and_nothing_is_made(tmp_path: Path) -> None:
    assert PhraseCache(tmp_path, 22050).get(SpeechRequest("fire", "en")) is None


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    PhraseCache(None, 22050).prepare(requests("a", "b"), ToneSynthesizer(), lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("damage", [b"", b"RIFF", b"not a sound at all" * 100, None])
def test_a_broken_file_is_made_anew(
    tmp_path: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    book = PhraseCache(tmp_path, 22050)
    book.prepare(requests("fire"), ToneSynthesizer())
    (path,) = tmp_path.glob("*.wav")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000] if damage is None else damage)
    again = ToneSynthesizer()
    PhraseCache(tmp_path, 22050).prepare(requests("fire"), again)
    assert len(again.asked) == 1
    assert path.read_bytes() == whole
    assert "is broken" in caplog.text


def test_phrases_of_yesterday_serve_while_the_engine_does_not_start(tmp_path: Path) -> None:
    PhraseCache(tmp_path, 22050).prepare(requests("fire"), ToneSynthesizer())
    dead = ToneSynthesizer()
    dead.failing = True
    book = PhraseCache(tmp_path, 22050)
    book.prepare(requests("fire"), dead)
    assert book.get(requests("fire")[0]) is not None
    with pytest.raises(SynthesisError):
        book.prepare(requests("knife"), dead)


def test_a_folder_that_cannot_be_written_costs_no_voice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    book = PhraseCache(tmp_path / "file" / "phrases", 22050)
    with caplog.at_level(logging.WARNING):
        book.prepare(requests("fire"), ToneSynthesizer())
    assert book.get(requests("fire")[0]) is not None
    assert "cannot be kept" in caplog.text


def test_what_was_not_read_lately_goes_from_the_disk(tmp_path: Path) -> None:
    def sizes() -> set[str]:
        return {file.name for file in tmp_path.glob("*.wav")}

    PhraseCache(tmp_path, 22050, disk_limit=3).prepare(requests("a", "b"), ToneSynthesizer())
    for age, file in enumerate(tmp_path.glob("*.wav"), start=1):
        os.utime(file, (age, age))
    (tmp_path / "left.part").write_bytes(b"")
    os.utime(tmp_path / "left.part", (0, 0))
    PhraseCache(tmp_path, 22050, disk_limit=3).prepare(requests("a"), ToneSynthesizer())
    kept = sizes()
    assert len(kept) == 2
    assert (tmp_path / "left.part").exists(), "there is room for three"
    again = ToneSynthesizer()
    PhraseCache(tmp_path, 22050, disk_limit=3).prepare(requests("c", "d"), again)
    assert len(sizes()) == 3
    assert not (tmp_path / "left.part").exists()
    PhraseCache(tmp_path, 22050, disk_limit=3).prepare(requests("a", "c", "d"), again)
    assert [request.text for request in again.asked] == ["c", "d"], "a was read later than b"


def test_what_is_stored_takes_no_memory_and_is_at_hand(tmp_path: Path) -> None:
    synthesizer = ToneSynthesizer()
    book = PhraseCache(tmp_path, 22050)
    book.prepare(requests("a"), synthesizer)
    book.prefetch(requests("a", "b"), synthesizer, lambda: True)
    [a, b] = requests("a", "b")
    assert book.get(a) is book.get(a)
    once, again = book.get(b), book.get(b)
    assert once is not None and again is not None and once is not again
    assert np.array_equal(once.samples, again.samples) and len(once.samples) > 0
    for file in tmp_path.glob("*.wav"):
        file.unlink()
    assert book.get(a) is not None and book.get(b) is None


def test_without_a_folder_nothing_is_stored() -> None:
    synthesizer, book = ToneSynthesizer(), PhraseCache(None, 22050)
    book.prefetch(requests("a"), synthesizer, lambda: True)
    assert not synthesizer.asked and book.get(requests("a")[0]) is None


def test_storing_ends_when_it_is_not_to_go_on_and_finds_what_there_is(tmp_path: Path) -> None:
    book, left = PhraseCache(tmp_path, 22050), iter([True, True, False])
    synthesizer = ToneSynthesizer()
    book.prefetch(requests("a", "b", "c", "d"), synthesizer, lambda: next(left))
    assert [request.text for request in synthesizer.asked] == ["a", "b"]
    again = PhraseCache(tmp_path, 22050)
    again.prefetch(requests("a", "b"), synthesizer, lambda: False)
    assert all(again.get(request) for request in requests("a", "b"))


def test_prepared_and_unprepared_sound_the_same_at_the_output_rate(tmp_path: Path) -> None:
    settings = SpeechSettings(sample_rate=48000)
    renderer = Renderer(settings, tmp_path, ToneSynthesizer())
    alarm = utterance(pan=-1.0)
    assert renderer.cached(alarm) is None
    before = renderer.render(alarm)
    renderer.prepare([(alarm.text, "en", Priority.DANGER)])
    ready = renderer.cached(alarm)
    assert ready is not None
    assert (before.rate, before.channels) == (48000, 2)
    assert np.array_equal(before.samples, ready.samples)
    assert np.array_equal(before.samples, renderer.render(alarm).samples)
    assert len(list(renderer.stream(alarm))) == 1


def test_words_begin_at_once_after_the_earcon(tmp_path: Path) -> None:
    renderer = Renderer(SETTINGS, None, ToneSynthesizer())
    plain = renderer.render(utterance(earcon=None))
    loud = np.flatnonzero(np.abs(plain.samples.astype(int)).max(axis=1) > 100)
    assert loud[0] < 0.005 * 22050
    with_earcon = renderer.render(utterance())
    assert 0.1 < with_earcon.duration_s - plain.duration_s < 0.25


def test_sides_and_volume() -> None:
    renderer = Renderer(SpeechSettings(pan_width=0.7), None, ToneSynthesizer())
    left = np.abs(renderer.render(utterance(pan=-1.0)).samples.astype(int)).max(axis=0)
    assert left[0] > 3 * left[1] > 0  # the far ear still hears it
    quiet = Renderer(SpeechSettings(volume=0.25), None, ToneSynthesizer()).render(utterance())
    loud = Renderer(SpeechSettings(volume=1.0), None, ToneSynthesizer()).render(utterance())
    assert abs(np.abs(loud.samples.astype(int)).max() / np.abs(quiet.samples.astype(int)).max() - 4) < 0.01


def test_an_unknown_earcon_is_logged_and_the_words_are_said(caplog: pytest.LogCaptureFixture) -> None:
    renderer = Renderer(SETTINGS, None, ToneSynthesizer())
    assert renderer.render(utterance(earcon="gong")).duration_s > 0.1
    assert "gong" in caplog.text


def test_a_voice_of_ones_choice_holds_for_ones_own_language_only() -> None:
    settings = SpeechSettings(voice="en-us", rate_wpm=300, danger_rate_wpm=170)
    renderer = Renderer(settings, None, ToneSynthesizer())
    assert renderer.request("x", "en").voice == "en-us"
    assert renderer.request("x", "ko").voice is None
    assert renderer.request("x", "en", Priority.DANGER).rate_wpm == 170
    assert renderer.request("x", "en", Priority.TEXT).rate_wpm == 300


def test_nothing_to_say_is_sound_without_a_frame() -> None:
    assert Renderer(SETTINGS, None, ToneSynthesizer()).render(utterance("", earcon=None)).duration_s == 0
