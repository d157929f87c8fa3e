"""Sentences of a model that must not be spoken, and why. Pure.

A describer describes. It never lifts a warning: a model must not say that it is safe to cross, even if a sign
in the scene says so.
"""

from __future__ import annotations

import re

from pipeline.description.answer.all_clear import is_all_clear
from pipeline.description.answer.foreign import is_foreign
from pipeline.description.answer.garble import is_garbled
from pipeline.description.answer.permission import affirms

LONGEST_RUN = {"en": 7, "ko": 5}
"""As many words in a row from the prompt mean that the model recites it."""

_PICTURE = r"(?:the |this |that |your |any )?(?:image|picture|photo)"
_DEVICE = r"(?:the |your |this )?(?:camera|device|detector|warning|alert|assistant)"
_REFUSES = re.compile(
    r"\bas an ai\b|\blanguage model\b|\bi(?:'m| am) (?:sorry|unable|not able)\b|\bi apologi[sz]e\b"
    # "I cannot see a door" is an answer, "I cannot see the image" is none.
    r"|\bi (?:can ?not|can't|could not|couldn't)\b"
    rf"(?! (?:see|tell|make out|find|read|recogni[sz]e)\b(?! {_PICTURE}))"
    r"|\bunable to (?:view|see|assist|help|process)\b"
    r"|죄송|인공지능|언어 모델|도와드릴 수 없|(?:이미지를|사진을) ?(?:볼|처리할) 수 없",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instruction|prompt|rule|warning|alert|detector|above)"
    r"|\b(?:new|previous|prior|system) (?:instruction|prompt)s?\b|\byou are now\b|\bdeveloper mode\b"
    rf"|\b(?:turn|switch|shut) (?:off|down) {_DEVICE}"
    rf"|\b(?:remove|take off|unplug|disable) {_DEVICE}"
    r"|(?:지시|명령|프롬프트|경고|규칙)\S{0,2}\s?(?:모두 |전부 )?(?:무시|잊)"
    r"|(?:카메라|장치|경고)\S{0,2}\s?(?:끄|꺼|벗)",
    re.IGNORECASE,
)
_FAILS = re.compile(
    r"^\W*(?:error|exception|traceback|fatal|오류|에러)\b\s*[:(\d-]"
    r"|\bout of memory\b|\bcuda\b|\bhttp \d{3}\b",
    re.IGNORECASE,
)
"""A server's failure that comes as if it were an answer."""
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|‘[^’]*’|「[^」]*」|(?<!\w)'[^']*'(?!\w)")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_LETTER = re.compile(r"[^\W\d_]")


def rejection(sentence: str, prompt: str, language: str, *, permission: bool = False) -> str | None:
    """Why a cleaned sentence must not be spoken.

    `error`, `refusal`, `order`, `all-clear`, `language`, `garbled` or `prompt`. With `permission` it answers
    whether one may walk on, so that a mere yes is an all-clear.
    """
    plain = sentence.replace("’", "'")
    # In this order: the first reason is the one that is logged, and a failure explains more than its wording.
    if _FAILS.search(plain):
        return "error"
    if _REFUSES.search(plain):
        return "refusal"
    if _ORDERS.search(plain):
        return "order"
    if is_all_clear(plain) or (permission and affirms(plain)):
        return "all-clear"
    if not _speaks(sentence, language):
        return "language"
    if is_garbled(sentence):
        return "garbled"
    return "prompt" if _recites(sentence, prompt, LONGEST_RUN[language]) else None


def _speaks(sentence: str, language: str) -> bool:
    """True if most letters are of the language's script, and words not of another language in Latin letters.

    Quoted text may be in the other language.
    """
    unquoted = _QUOTED.sub(lambda quoted: _LATIN.sub("", _HANGUL.sub("", quoted[0])), sentence)
    text = unquoted if _LETTER.search(unquoted) else sentence
    # A letter of a script that writes syllables or words counts for two of an alphabet.
    latin, hangul = len(_LATIN.findall(text)), 2 * len(_HANGUL.findall(text))
    every = 2 * len(_LETTER.findall(text)) - latin
    if every and 2 * (hangul if language == "ko" else latin) <= every:
        return False
    # No other language is written in Hangul.
    return language != "en" or not is_foreign(_QUOTED.sub(" ", text))


def _recites(sentence: str, prompt: str, run: int) -> bool:
    said, known = _words(sentence), _words(prompt)
    runs = {tuple(known[i : i + run]) for i in range(len(known) - run + 1)}
    return any(tuple(said[i : i + run]) in runs for i in range(len(said) - run + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
