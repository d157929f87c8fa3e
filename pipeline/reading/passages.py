"""Text that was read, and what is said of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import WatchwordError

MODEL = "pp-ocrv4"
"""Name of the reading model in the store, and of its answers."""

NO_TEXT: Mapping[str, str] = {"en": "I recognise no text.", "ko": "알아본 글자가 없습니다."}
MORE: Mapping[str, str] = {"en": "There is more text.", "ko": "글자가 더 있습니다."}
OTHER_SCRIPT: Mapping[str, str] = {
    "en": "There is also text in a script that I cannot speak.",
    "ko": "읽을 수 없는 문자도 있습니다.",
}
NO_KOREAN: Mapping[str, str] = {
    "en": "I cannot read Korean here.",
    "ko": "한글은 아직 읽을 수 없습니다. 설치가 필요합니다.",
}
"""Said only if the language is Korean; `watchword check` names the package."""
CANNOT_READ: Mapping[str, str] = {
    "en": "I cannot read. The reading model is missing.",
    "ko": "글자를 읽을 수 없습니다. 읽기 모델이 없습니다.",
}

_ASKS = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you|will you|now)\W+)*read\b"
    r"|\bwhat\b.*\bdo(?:es)?\b.*\bsay\b|\bwhat\b.*\bwritten\b"
    r"|읽어|읽을 ?수|(?:뭐라고|무엇이라고|뭐가)\s*(?:써|쓰여|쓰|적혀|적)",
    re.IGNORECASE,
)


class ReadingError(WatchwordError):
    """A picture was not read; the message says why."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Words in one language, to be spoken in one go."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class ReadText:
    """The text of a picture, in reading order, the largest first."""

    passages: tuple[Passage, ...] = ()
    more: bool = False
    """There was more than is worth listening to."""
    other_script: bool = False
    """There is text in a script that has no voice here."""
    korean: bool = True
    """Korean text could be read."""


def asks_to_read(question: str | None) -> bool:
    """True if a question, in English or Korean, asks for the words in view."""
    # Telephones write typographic apostrophes.
    return bool(question and _ASKS.search(question.replace("’", "'")))


def spoken(read: ReadText, language: str) -> tuple[Passage, ...]:
    """The spoken answer for a wearer of this language; never empty."""
    remarks = [
        text[language]
        for text, applies in (
            (NO_TEXT, not read.passages),
            (MORE, read.more),
            (OTHER_SCRIPT, read.other_script),
            (NO_KOREAN, language == "ko" and not read.korean),
        )
        if applies
    ]
    return (*read.passages, *(Passage(remark, language) for remark in remarks))
