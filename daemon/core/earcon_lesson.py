"""The short sounds with their meanings, in the order in which they are best learnt: the worst first."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline import wording
from speech.sound.earcons import EARCONS


def lesson(language: str) -> Iterator[tuple[str, str]]:
    """Each earcon's name and its spoken meaning."""
    words = wording.EARCONS[language]
    known = [name for name in words if name in EARCONS]
    for name in (*known, *(name for name in EARCONS if name not in words)):
        yield name, words.get(name, name)
