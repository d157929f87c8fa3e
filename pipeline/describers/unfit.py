"""Sentences of a model that must not be spoken, and why. Pure.

A describer describes. It never lifts a warning: whether it is safe to cross is not a model's to say,
whoever put the words into its mouth, a sign in the scene included.
"""

from __future__ import annotations

import re

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
_CLEARS = re.compile(
    r"\bsafe (?:for you )?to\b"
    r"|\b(?:is|are|it's|you're|seems?|looks?) (?:completely |perfectly |quite |now )?safe\b"
    r"|\b(?:no|without|not any) (?:danger|hazard|risk)s?\b|\ball clear\b|\bnothing to worry\b"
    r"|\byou (?:can|may) (?:now |safely )?(?:cross|walk|go|proceed|continue|enter|step)\b"
    r"|안전(?:합니다|해요|하게|하니)|건너도|지나가도|가도 (?:됩|돼|좋)|걸어도"
    r"|위험(?:이|은)? ?(?:없|하지 않)|괜찮습니다",
    re.IGNORECASE,
)
_BIDDING = r"(?:^|[,;:.!?]\s*)(?:(?:so|and|then|please|now|just|you should|you could)\s+)*"
"""What stands before a verb that bids: "People walk across the street" only describes."""
_AWAY = r"(?![^,.;]*\b(?:back|backwards?|away|aside|off|out|around|left|right|sidewalk)\b)"
_PLACE = r"(?:path|road|street|way|crosswalk|crossing|sidewalk|pavement|route|coast|area|traffic)"
_BIDS = re.compile(
    rf"{_BIDDING}cross\b(?! traffic)|{_BIDDING}walk now\b|\bproceed\b"
    rf"|{_BIDDING}(?:walk|step|move|go|head|continue)\b{_AWAY}"
    r"(?=[^,.;]*\b(?:ahead|forwards?|across|straight|through|on(?=\s*(?:$|[,.;!])))\b)"
    r"|\bfeel free\b|\bkeep (?:going|walking|moving)\b|\bcontinue (?:walking|on your way)\b"
    rf"|\b{_PLACE}\b[^.]{{0,20}}\b(?:is|are|looks?|seems?|appears?)(?: to be)?"
    r" (?:all |completely |totally |now |quite )?(?:clear|free)\b"
    r"|\bno (?:\w+ )?(?:vehicles?|cars?|traffic|obstacles?)\b[^.]{0,20}"
    r"\b(?:coming|approaching|in sight|in (?:the|your) way)\b"
    r"|\b(?:free of|no|without) obstacles\b|\bunobstructed\b|\bobstacle-free\b"
    r"|건너(?:세요|십시오|시면|가세요)|지나가세요|직진(?:하세요|하십시오)"
    r"|(?:앞으로|계속|그대로|똑바로)\s*(?:걸어\s*)?(?:가세요|가십시오|가시면|걸으세요|이동하세요|진행하세요)"
    r"|장애물(?:이|은)?\s*없|(?:차|차량|자동차)(?:가|이|는|은|도)?\s*(?:오지 않|없으니)"
    r"|길이?\s*(?:비어|뚫려|트여)",
    re.IGNORECASE,
)
"""To walk on, or that nothing is in the way: as much an all-clear as saying that it is safe."""
_FAILS = re.compile(
    r"^\W*(?:error|exception|traceback|fatal|오류|에러)\b\s*[:(\d-]"
    r"|\bout of memory\b|\bcuda\b|\bhttp \d{3}\b",
    re.IGNORECASE,
)
"""A server's failure that comes as if it were an answer."""
_WORD = re.compile(r"\w+")


def unfit(sentence: str, prompt: str, language: str) -> str | None:
    """Why a cleaned sentence must not be spoken: `error`, `refusal`, `order`, `all-clear`, `prompt`."""
    if _FAILS.search(sentence):
        return "error"
    if _REFUSES.search(sentence):
        return "refusal"
    if _ORDERS.search(sentence):
        return "order"
    if _CLEARS.search(sentence) or _BIDS.search(sentence):
        return "all-clear"
    return "prompt" if _recites(sentence, prompt, LONGEST_RUN[language]) else None


def _recites(sentence: str, prompt: str, run: int) -> bool:
    said, known = _words(sentence), _words(prompt)
    runs = {tuple(known[i : i + run]) for i in range(len(known) - run + 1)}
    return any(tuple(said[i : i + run]) in runs for i in range(len(said) - run + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
