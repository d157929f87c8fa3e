"""Decides whether a sentence adds anything to the warning before it. Pure, by words, in English and Korean.

A sentence that names a hazard and has hardly another word of its own repeats the warning. Rather too few
sentences are dropped than too many: a sentence with a place, a number or another thing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache

from pipeline.hazards import builtin_hazards

OWN_WORDS = 1
"""Words besides the hazard's name, its side and fillers up to which a sentence adds nothing."""

_NUMBER_BEFORE = re.compile(r"(?:\d|한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|몇|여러)\s*$")
_WORD = re.compile(r"\w+")
_ENGLISH_FILLERS = (
    "a an the is are was be there here this that it i see can you your of on in at to"
    " and with by from has have"
    " some one careful caution danger warning watch out stop wait look beware please now very near nearby"
    " close front coming approaching towards toward moving visible appears seems looks like"
)
_KOREAN_FILLERS = (
    "있습니다 있어요 보입니다 보여요 옵니다 다가옵니다 접근합니다 지나갑니다"
    " 조심하세요 주의하세요 멈추세요 기다리세요 비키세요 물러서세요"
    " 조심 위험 지금 바로 가까이 근처에 한 이 그 것 같습니다"
)
_FILLERS: Mapping[str, frozenset[str]] = {
    "en": frozenset(_ENGLISH_FILLERS.split()),
    "ko": frozenset(_KOREAN_FILLERS.split()),
}
"""Words that carry no meaning beside the name of a hazard."""
_SIDES: Mapping[str, frozenset[str]] = {
    "en": frozenset(["left", "right", "ahead", "behind", "both", "side", "sides", "straight", "front"]),
    "ko": frozenset(["왼쪽", "오른쪽", "앞", "앞쪽", "정면", "뒤", "뒤쪽", "양쪽"]),
}
_PARTICLES = re.compile(
    r"(?:들)?(?:이|가|은|는|을|를|와|과|도|의|에|에서|에는|로|으로|이나|나|입니다|한테|까지|만|인)?"
)


@cache
def _names(language: str) -> Mapping[str, frozenset[str]]:
    """Every word for each built-in hazard, in small letters."""
    return {
        name: frozenset(
            word.casefold()
            for word in (
                _bare(hazard.noun[language], language),
                hazard.label[language],
                *hazard.denied_as[language],
                *(thing.ko if language == "ko" else thing.name for thing in hazard.things),
                *(
                    also
                    for thing in hazard.things
                    for also in thing.also
                    # `also` lists words of both languages; those with letters beyond ASCII are Korean.
                    if also.isascii() == (language == "en")
                ),
            )
            if word
        )
        for name, hazard in builtin_hazards().items()
    }


def named_hazards(sentence: str, language: str, among: Iterable[str]) -> frozenset[str]:
    """The hazards of `among` that a sentence names. One that a user added is known by its own name."""
    return frozenset(name for name in among if _matches(sentence, name, language))


def adds_nothing(sentence: str, language: str, warned: Collection[str], *, side_known: bool) -> bool:
    """True if a sentence names one of the hazards `warned` of and hardly anything else.

    `side_known`: the warning gave a side, so that a side is nothing new.
    """
    covered = [found for name in warned for found in _matches(sentence, name, language)]
    if not covered:
        return False
    # As positions: names may overlap ("traffic light", "light"), and each word must count once.
    used = {position for start, end in covered for position in range(start, end)}
    own = 0
    for found in _WORD.finditer(sentence.casefold()):
        if found.start() in used or _is_filler(found[0], language):
            continue
        if not _is_side(found[0], language):
            own += 1
        # A side that the warning did not give is news, however few the words.
        elif not side_known:
            return False
    return own <= OWN_WORDS


def _matches(sentence: str, hazard: str, language: str) -> list[tuple[int, int]]:
    """Return the ranges of characters in which a sentence names a hazard."""
    words = _names(language).get(hazard) or frozenset([hazard.replace("_", " ")])
    lowered = sentence.casefold()
    # Korean particles are written onto the noun, so a whole word may be noun and particle.
    ending = _PARTICLES.pattern if language == "ko" else "(?:s|es)?"
    found = []
    for word in words:
        # Whole words only: "careful" names no car.
        spans = re.finditer(rf"(?<!\w){re.escape(word)}{ending}(?!\w)", lowered)
        found += [one.span() for one in spans if not _is_counter(word, lowered[: one.start()])]
    return found


def _is_counter(word: str, before: str) -> bool:
    """The Korean word for a dog is also a counter for things."""
    return word == "개" and _NUMBER_BEFORE.search(before) is not None


def _is_filler(word: str, language: str) -> bool:
    return word in _FILLERS[language]


def _is_side(word: str, language: str) -> bool:
    if language == "ko":
        return any(word.startswith(side) and _PARTICLES.fullmatch(word[len(side) :]) for side in _SIDES["ko"])
    return word in _SIDES["en"]


def _bare(noun: str, language: str) -> str:
    """Without its article, or the Korean particle of the subject."""
    if language == "ko":
        return noun[:-1] if noun[-1:] in ("이", "가") else noun
    return re.sub(r"^(?:an?|the) ", "", noun)
