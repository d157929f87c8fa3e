"""The sentences, and the sound files that hold them. Imports nothing that could be missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SETTINGS, MODEL, VOICE, START, BROKEN = "settings", "model", "voice", "start", "broken"

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        SETTINGS: "The settings have a mistake. Nothing is watching.",
        MODEL: "The model is damaged or missing. Nothing is watching.",
        VOICE: "My voice is missing. Nothing is watching.",
        START: "I cannot start. Nothing is watching.",
        BROKEN: "Something in me broke. Nothing is watching.",
    },
    "ko": {
        SETTINGS: "설정에 오류가 있습니다. 살피고 있지 않습니다.",
        MODEL: "모델이 손상되었거나 없습니다. 살피고 있지 않습니다.",
        VOICE: "음성 프로그램이 없습니다. 살피고 있지 않습니다.",
        START: "시작할 수 없습니다. 살피고 있지 않습니다.",
        BROKEN: "프로그램에 오류가 났습니다. 살피고 있지 않습니다.",
    },
}
"""By language and reason; the files are made of these by `daemon/tools/maintainer/last_words.py`."""

RATE = 16_000
"""Hertz of the sound files, which are mono, 16 bits."""


def sound_file(reason: str, language: str) -> Path:
    """The sound of a reason; of `start` for an unknown one, in English for an unknown language."""
    texts = TEXTS.get(language)
    name = reason if reason in TEXTS["en"] else START
    return Path(__file__).parent / "sounds" / f"{name}-{language if texts else 'en'}.wav"
