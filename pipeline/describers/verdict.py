"""Does a model confirm the danger it was asked about? And how a contradiction is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MARK = re.compile(
    r"^\W*(?:no danger|not there|위험\s*없음|위험이?\s*(?:없습니다|없어요|아닙니다))"
    r"[\s*_]*(?:[:.,!\-–—]|$)\s*",
    re.IGNORECASE,
)
_DENIES = {
    "en": r"\b(?:no|not|isn't|without|aren't|rather than|instead of)\s+"
    r"(?:(?:a|an|any|the|real|actual|visible|signs? of)\s+){{0,2}}{name}s?\b"
    r"|\b(?:do|does|did|can|could)(?: ?not|n't)\s+(?:\w+ly\s+)?"
    r"(?:see|find|detect|notice|spot|appear|seem|look|show|contain)\b(?! past| beyond| behind)"
    r"[^.;,]{{0,30}}?\b{name}s?\b"
    r"|\b{name}s?\s+(?:is|are)(?: not|n't)\s+(?:actually |really )?"
    r"(?:visible|present|there|seen|real|shown|in (?:the|this) (?:picture|image|view)|in view)\b"
    r"|\bfalse alarm\b",
    "ko": r"{name}\S{{0,2}}\s*(?:\S+\s+)?(?:없|아니|아닙|아닌)"
    r"|{name}\S{{0,2}}\s*(?:보이지\s*않|안\s*보|확인되지\s*않|발견되지\s*않|찾을 수 없)|오경보|잘못된 경고",
}
_PROBABLY: Mapping[str, str] = {"en": "Probably not {name}.", "ko": "{name} 아닌 것 같습니다."}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the danger is denied, and what is left of the sentence without the mark."""

    denied: bool
    rest: str


def judge(sentence: str, noun: str, language: str) -> Verdict:
    """Read the first sentence of an answer to a danger prompt; `noun` names the danger, without article."""
    if mark := _MARK.match(sentence):
        return Verdict(True, sentence[mark.end() :].strip())
    denies = _DENIES[language].format(name=re.escape(noun))
    return Verdict(bool(re.search(denies, sentence, re.IGNORECASE)), sentence)


def bare(name: str) -> str:
    """An English name without its article, in the singular."""
    return re.sub(r"^(?:a|an|the) |(?<=\w{4})s$", "", name)


def probably_not(name: str, language: str) -> str:
    """How a contradiction is said. The Korean name carries its particle, as in `불이`."""
    return _PROBABLY[language].format(name=name)
