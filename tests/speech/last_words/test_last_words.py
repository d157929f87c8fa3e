"""What is said when nothing else works: the files are there, whole, and played without our own libraries."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import pytest

from speech.last_words.words import RATE, START, TEXTS, sound_file

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("reason", TEXTS["en"])
def test_every_reason_has_its_sound(reason: str, language: str) -> None:
    with wave.open(str(sound_file(reason, language)), "rb") as sound:
        seconds = sound.getnframes() / sound.getframerate()
        shape = sound.getframerate(), sound.getnchannels(), sound.getsampwidth()
    assert shape == (RATE, 1, 2)
    assert 1.5 < seconds < 6


def test_an_unknown_reason_or_language_has_one_too() -> None:
    assert sound_file("moon", "en") == sound_file(START, "en")
    assert sound_file(START, "xx") == sound_file(START, "en")


def test_it_needs_no_library_of_ours_but_names() -> None:
    """NumPy, OpenVINO, pydantic and the settings may all be what is broken."""
    code = (
        "import sys, speech.last_words.play\n"
        "assert not {'numpy', 'pydantic', 'openvino', 'cv2', 'daemon'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=30)
