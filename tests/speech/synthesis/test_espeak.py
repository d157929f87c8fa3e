"""The real voice in its child process: what it says, and that nothing it does can hang us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from common.child_process import ChildError, ChildProcess
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.sound.loudness import loudness_dbfs
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.synthesis.espeak import EspeakSynthesizer
from tests.speech.made import needs_espeak

pytestmark = needs_espeak
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    process = ChildProcess("speech.synthesis.espeak_worker")
    yield process
    process.close()


@pytest.fixture
def voice(child: ChildProcess) -> EspeakSynthesizer:
    return EspeakSynthesizer(SpeechSettings(synthesis_timeout_s=2.0), child)


def said(speaker: EspeakSynthesizer, text: str, language: str = "en", **how: object) -> Audio:
    chunks = list(speaker.stream(SpeechRequest(text, language, **how)))  # type: ignore[arg-type]
    return Audio(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].rate)


def test_the_same_request_gives_the_same_samples(voice: EspeakSynthesizer) -> None:
    requests = [("Fire ahead, on the left.", "en"), ("왼쪽에 칼이 있습니다.", "ko"), ("Knife", "en")]
    first = [said(voice, *request).samples.tobytes() for request in requests]
    for _ in range(5):
        assert [said(voice, *request).samples.tobytes() for request in requests] == first
    with EspeakSynthesizer(SpeechSettings()) as other:
        assert [said(other, *request).samples.tobytes() for request in requests] == first


def test_a_sentence_is_a_chunk_and_silence_is_trimmed(voice: EspeakSynthesizer) -> None:
    chunks = list(voice.stream(SpeechRequest("Fire ahead. A dog, on the left! Careful.", "en")))
    assert len(chunks) == 3
    assert all(np.abs(chunk.samples[: chunk.rate // 50].astype(int)).max() > 100 for chunk in chunks)
    assert chunks[0].channels == 1


def test_rate_volume_and_pitch_are_honoured(voice: EspeakSynthesizer) -> None:
    sentence = "A car is coming from the left, be careful."
    lengths = [said(voice, sentence, rate_wpm=rate).duration_s for rate in (100, 180, 300, 450)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > 3 * lengths[-1]
    loud, soft = (loudness_dbfs(said(voice, sentence, volume=volume)) for volume in (1.0, 0.5))
    assert 4 < loud - soft < 8
    low, high = (_pitch_hz(said(voice, "low moan", pitch=pitch)) for pitch in (10, 90))
    assert high > 1.2 * low


def _pitch_hz(audio: Audio) -> float:
    """By the strongest autocorrelation between 70 and 350 Hz around the loudest moment."""
    x = audio.samples[:, 0].astype(float)
    loudest = int(np.argmax(np.convolve(x**2, np.ones(1024), "same")))
    x = x[max(loudest - 1024, 0) : loudest + 1024]
    lags = np.correlate(x, x, "full")[len(x) - 1 :]
    low, high = audio.rate // 350, audio.rate // 70
    return audio.rate / (low + int(np.argmax(lags[low:high])))


def test_a_voice_of_ones_choice(voice: EspeakSynthesizer) -> None:
    british, american = said(voice, "Fire ahead."), said(voice, "Fire ahead.", voice="en-us")
    assert british.samples.shape != american.samples.shape


def test_an_unknown_voice_is_named_with_the_way_to_a_known_one(voice: EspeakSynthesizer) -> None:
    with pytest.raises(SynthesisError, match=r"speech\.voice.*'zorblax'.*espeak-ng --voices"):
        said(voice, "hello", voice="zorblax")
    assert said(voice, "hello").duration_s > 0.1


def test_korean_without_punctuation_is_said_to_its_end(voice: EspeakSynthesizer) -> None:
    sentence = "왼쪽에는 자동차가 여러 대 주차되어 있으며 오른쪽에는 자전거가 지나가고 있습니다 "
    once = said(voice, sentence, "ko").duration_s
    assert said(voice, sentence * 6, "ko").duration_s > 5 * once


def test_mixed_korean_and_english_is_said_whole(voice: EspeakSynthesizer) -> None:
    korean, english = said(voice, "케이블이 있습니다", "ko"), said(voice, "USB", "en")
    mixed = said(voice, "USB 케이블이 있습니다", "ko")
    assert mixed.duration_s > 0.8 * (korean.duration_s + english.duration_s)


@pytest.mark.parametrize("text", ["", "  ", "...", "?!", "\x00\x01", "🙂"])
def test_nothing_to_say_is_no_sound(voice: EspeakSynthesizer, text: str) -> None:
    assert list(voice.stream(SpeechRequest(text, "en"))) == []


@pytest.mark.parametrize(
    "text", ["a\x00b", "[[h@]] x", "<speak>a</speak>", "x" * 5000, "\ud55c" * 500, "&amp;"]
)
def test_strange_text_does_no_harm(voice: EspeakSynthesizer, text: str) -> None:
    assert said(voice, text, "ko").duration_s > 0.1


def test_a_child_killed_while_idle_is_replaced_unnoticed(
    voice: EspeakSynthesizer, child: ChildProcess
) -> None:
    said(voice, "hello")
    killed = _kill(child)
    assert said(voice, "hello").duration_s > 0.1
    assert child.pid not in {None, killed}


def test_a_hung_child_fails_in_time_and_is_replaced(child: ChildProcess) -> None:
    voice = EspeakSynthesizer(SpeechSettings(synthesis_timeout_s=0.3), child)
    said(voice, "hello")
    assert child.pid is not None
    os.killpg(child.pid, signal.SIGSTOP)
    with pytest.raises(SynthesisError, match="no answer within"):
        said(voice, "hello")
    assert said(voice, "hello").duration_s > 0.1


def test_failing_again_and_again_is_retried_ever_more_slowly() -> None:
    now = [0.0]
    child = ChildProcess("speech.no_such_module", clock=lambda: now[0])
    waits = []
    for _ in range(9):
        with pytest.raises(ChildError, match="did not start"):
            child.greeting()
        before = now[0]
        while True:
            try:
                child.greeting()
            except ChildError as error:
                if "trying again" not in str(error):
                    break
            now[0] += 0.25
        waits.append(now[0] - before)
    assert waits[0] <= 0.5
    assert max(waits) <= 30.25
    assert waits == sorted(waits)
    child.close()


def test_without_the_library_there_is_one_clear_line(tmp_path: Path, child: ChildProcess) -> None:
    """A pyttsx3 that finds no library behaves as the real one does on a machine without espeak-ng."""
    drivers = tmp_path / "pyttsx3" / "drivers"
    drivers.mkdir(parents=True)
    (tmp_path / "pyttsx3" / "__init__.py").write_text("")
    (drivers / "__init__.py").write_text("")
    (drivers / "_espeak.py").write_text("raise RuntimeError('you probably do not have eSpeak')")
    code = (
        "from speech.synthesis.espeak import EspeakSynthesizer; from speech.settings import SpeechSettings\n"
        "from speech.synthesis.base import SynthesisError\n"
        "try: EspeakSynthesizer(SpeechSettings()).name\n"
        "except SynthesisError as error: print(error)"
    )
    # The stand-in comes before the real package for the child too, which inherits the search path.
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout == (
        "espeak-ng is not installed: install Debian's package espeak-ng (`apt install espeak-ng`)\n"
    )
    assert ran.stderr == ""


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, time; from common.child_process import ChildProcess\n"
        "child = ChildProcess('speech.synthesis.espeak_worker'); child.greeting()\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    watch = os.pidfd_open(pid)
    parent.kill()
    parent.wait(5)
    assert _ended(watch, 5.0)
    parent.stdout.close()


def test_the_child_outlives_the_thread_that_first_used_it(
    voice: EspeakSynthesizer, child: ChildProcess
) -> None:
    thread = threading.Thread(target=lambda: said(voice, "hello"))
    thread.start()
    thread.join(10)
    first = child.pid
    assert said(voice, "hello").duration_s > 0.1
    assert child.pid == first


def test_threads_take_turns(voice: EspeakSynthesizer) -> None:
    expected = {text: said(voice, text).samples.tobytes() for text in ("one", "two", "three", "four")}
    wrong: list[str] = []

    def speak(text: str) -> None:
        wrong.extend(text for _ in range(5) if said(voice, text).samples.tobytes() != expected[text])

    threads = [threading.Thread(target=speak, args=(text,)) for text in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert wrong == []


def _kill(child: ChildProcess) -> int:
    assert child.pid is not None
    watch = os.pidfd_open(child.pid)
    killed = child.pid
    os.killpg(killed, signal.SIGKILL)
    assert _ended(watch, 5.0)
    return killed


def _ended(pidfd: int, timeout_s: float) -> bool:
    import select

    try:
        return bool(select.select([pidfd], [], [], timeout_s)[0])
    finally:
        os.close(pidfd)
