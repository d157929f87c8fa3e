"""Does a model confirm the danger it was asked about? And how a contradiction is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.description.answer.all_clear import calms, denies_danger
from pipeline.hazards import builtin_hazards

_MARK = re.compile(
    r"^\W*(?:no danger|not there|위험\s*없음|위험이?\s*(?:없습니다|없어요|아닙니다))"
    r"[\s*_]*(?:[:.,!\-–—]|$)\s*",
    re.IGNORECASE,
)
_DETERMINERS = r"(?:(?:a|an|any|the|real|actual|visible|clear|obvious|apparent|(?:signs?|evidence) of)\s+)"
_BETWEEN = (
    r"(?:(?:signs?|evidence|traces?) of\s+|(?!(?:of|through|past|beyond|behind|because|due|for|from|over"
    r"|around|near|how|if|whether|what|where|who|why|when|that|into|inside|with|by|at|under|about)\b)[\w-]+\s+){0,4}?"
)
_FOLLOWS = (
    r"(?=\s*(?:$|[^\w\s'-])|\s+(?:here|there|in|on|at|near|nearby|visible|present|ahead|anywhere|around|but|only|just"
    r"|and|or|nor|this|that|now|seen|burning|coming|approaching|either|though|however|as)\b)"
)
"""Words that may follow the noun without changing its meaning: a "fire exit" is no fire."""
_DENIES = {
    "en": r"\b(?:no|not|isn't|without|aren't|rather than|instead of)\s+{determiners}{{0,3}}{name}{follows}"
    # "I cannot see the end of the hole", "you cannot see vehicles from here" deny nothing.
    r"|(?:^\W*|\b(?:i|we|it|there|this|image|picture|photo|view|camera|scene)\s+)"
    r"(?:(?:does|do|did)(?: not|n't)|(?:can|could) ?(?:not|n't|'t)(?=[^.;,]*\b(?:a|an|any|signs?)\s))\s+"
    r"(?:\w+ly\s+)?(?:see|find|detect|notice|spot|appear|seem|look|show|contain)\s+{between}{name}{follows}"
    r"|\b{name}\s+(?:is|are)(?: not|n't)\s+(?:actually |really )?"
    r"(?:visible|present|there|seen|real|shown|in (?:the|this) (?:picture|image|view)|in view)\b"
    r"(?!\s+(?:yet|because|due|behind|from|until|through|for|to|unless|when|as|so)\b)"
    r"|\bfalse alarm\b",
    # What is absent stands right before: "개가 목줄 없이" is a dog, and so is what "보이지 않아" hides.
    "ko": r"(?<![가-힣]){name}(?:이라고|라고|이|가|은|는|도)?\s*"
    r"(?:(?:여기에?는?|사진에는?|화면에는?|전혀|실제로)\s*)?"
    r"(?:(?:없|아니|아닙|아닌)(?!이(?!라)|는지|은지|지|다면|라면|으면|면 |어도|애)"
    r"|(?:보이지|확인되지|발견되지)\s*않(?=습|아요|네|는다|는 것|음|고|으며)"
    r"|안\s*(?:보입|보여요|보이네)|찾을 수 없)"
    r"|오경보|잘못된 경고",
}
_PICTURED = (
    r"\b(?:pictures?|photos?|paintings?|drawings?|posters?|images?|videos?|screens?|toys?|statues?)\s+"
    r"(?:of|showing|with)\s+{determiners}*{name}|\blike\s+{determiners}*{name}"
)
_SHOWN = {
    "en": r"\b{name}\b(?!-| (?:exit|drill|alarm|alert|warning|station|escape|extinguisher|hydrant)s?\b)",
    "ko": r"(?<![가-힣]){name}(?:이|가|은|는|을|를|에|로|으로|도|입니다|에서)?(?![가-힣])",
}
_PROBABLY: Mapping[str, str] = {"en": "Probably not {name}.", "ko": "{name} 아닌 것 같습니다."}


@dataclass(frozen=True, slots=True)
class DenialWords:
    """Nouns that mean the whole hazard, and others that show that it is present after all."""

    denies: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


NO_WORDS = DenialWords()


@dataclass(frozen=True, slots=True)
class Denial:
    """The result of `detect`: whether the danger is denied, and the rest of the sentence without the mark."""

    denied: bool
    rest: str
    shown: bool = False
    """The sentence names it as if it were there."""
    marked: bool = False
    """It says so in the words the prompt gave it."""


def detect(sentence: str, noun: str, language: str, words: DenialWords = NO_WORDS) -> Denial:
    """Read one sentence of an answer to a danger prompt; `noun` names the danger, without article.

    A danger that is denied and shown in the same sentence ("no cars on the left, but a truck on the right")
    is not denied: a needless warning costs a moment, a false all-clear may cost more.
    """
    sentence = sentence.replace("’", "'")
    if mark := _MARK.match(sentence):
        return Denial(True, sentence[mark.end() :].strip(), marked=True)
    deny, left = _patterns(noun, language, words), sentence
    denied = bool(deny.denies.search(left)) or denies_danger(left)
    # What is denied, pictured or compared is taken out: only what is left can show the danger.
    left = deny.ignored.sub(" ", deny.denies.sub(" ", left))
    shown = bool(deny.shown.search(left))
    return Denial(denied and not shown, sentence, shown)


def denies_any(sentence: str, hazards: Iterable[str], language: str) -> bool:
    """True if a sentence denies one of these hazards, or calms a listener who was warned of them.

    False in a language without words for it, and without hazards.
    """
    hazards = tuple(hazards)
    if not hazards or language not in _DENIES:
        return False
    # Also if it names the danger: "You are safe from the fire".
    return calms(sentence) or any(
        detect(sentence, _name(hazard, language), language, denial_words(hazard, language)).denied
        for hazard in hazards
    )


def _name(hazard: str, language: str) -> str:
    """The noun alone: without an article, or the Korean particle of the subject."""
    known = builtin_hazards().get(hazard)
    if known is None:
        return hazard.replace("_", " ")
    noun = known.noun[language]
    return re.sub("[이가]$", "", noun) if language == "ko" else strip_article(noun)


@dataclass(frozen=True, slots=True)
class _Patterns:
    denies: re.Pattern[str]
    ignored: re.Pattern[str]
    shown: re.Pattern[str]


@lru_cache(maxsize=64)
def _patterns(noun: str, language: str, words: DenialWords) -> _Patterns:
    names = _any((noun, *words.denies), language)
    every = _any((noun, *words.denies, *words.other), language)
    if language == "en":
        listed = (
            rf"(?:{every},?\s+(?:or|and|nor)\s+{_DETERMINERS}*)*{names}(?:,?\s+(?:or|and|nor)\s+{every})*"
        )
    else:
        listed = rf"(?:{every}(?:이나|나|와|과|도)\s*)*{names}"
    fill = {"determiners": _DETERMINERS, "between": _BETWEEN, "follows": _FOLLOWS}
    return _Patterns(
        _compiled(_DENIES[language].format(name=listed, **fill)),
        _compiled(_PICTURED.format(name=names, **fill)),
        _compiled(_SHOWN[language].format(name=every)),
    )


def _any(nouns: tuple[str, ...], language: str) -> str:
    """Any of the nouns, the longest first; in either number."""
    plural = "(?:e?s)?" if language == "en" else "들?"
    return f"(?:{'|'.join(re.escape(noun) for noun in sorted(nouns, key=len, reverse=True))}){plural}"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def denial_words(hazard: str, language: str) -> DenialWords:
    """The words that deny a built-in hazard besides its name; none for a hazard added in the settings."""
    known = builtin_hazards().get(hazard)
    return DenialWords(known.denied_as[language], known.shown_by[language]) if known else NO_WORDS


def strip_article(name: str) -> str:
    """An English name without its article, in the singular."""
    return re.sub(r"^(?:a|an|the) |(?<=\w{4})s$", "", name)


def denial_sentence(name: str, language: str) -> str:
    """The spoken form of a contradiction. The Korean name has its particle, as in `불이`."""
    return _PROBABLY[language].format(name=name)
