"""Sentences of a model that must not be spoken, and why. Pure.

A describer describes. It never lifts a warning: a model must not say that it is safe to cross, even if a sign
in the scene says so.
"""

from __future__ import annotations

import re

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
_GOES = r"(?:cross|walk|go|proceed|continue|enter|step|pass|move|head|start|keep)"
_TRAFFIC = (
    r"(?:cars?|vehicles?|traffic(?! (?:lights?|signals?|signs?|cones?))|trucks?|buses"
    r"|obstacles?|obstructions?)\b(?! (?:allowed|permitted|lanes?|doors?))"
    r"(?![^.]*\b(?:but|however)\b[^.]*\b(?:com(?:es?|ing)|approach))"
)
_HARM = r"(?:danger|hazard|risk|threat)s?\b"
_CLEARS = re.compile(
    r"(?<!\bnot )(?<!n't )(?<!never )\bsafe (?:for (?:you|pedestrians) )?to\b"
    r"|(?<!\bnot )(?<!n't )\bsafe (?:\w+ )?(?:place|spot|time|moment|way) to\b"
    rf"|\b{_GOES} (?:\w+ )?safely\b|(?<!not )(?<!n't )\bsafely {_GOES}\b"
    r"|\b(?:is|are|it's|you're|that's|seems?|looks?|feels?)"
    r"(?: (?:completely|perfectly|quite|now|totally|very|all|fairly|entirely))* safe\b"
    r"|\b(?:should|would|will|may|might|must|could|can|(?:seems?|appears?|likely|looks?) to)"
    r"(?: (?!not\b)\w+)? be (?:\w+ )?safe\b|^\W*(?:probably |perfectly |quite |completely )?safe\W*$"
    rf"|(?:\b(?:no|without|not any|free of|free from)|n't any) (?:\w+ ){{0,2}}{_HARM}"
    r"|(?:\bnot|n't) (?:\w+ )?(?:dangerous\b(?! animal)|unsafe|hazardous|risky|in danger)"
    r"|\ball clear\b|\bnothing (?:to (?:worry|fear)|dangerous|hazardous|unsafe|risky)\b"
    r"|\bnothing (?:\w+ ){0,2}"
    r"(?:in front|ahead|in (?:the|your) (?:way|path)|coming|approaching|block(?:s|ing))\b"
    r"|\byou (?:can|may|could|are free to|are able to) (?:now |safely |just )*"
    r"(?:cross|walk|go|proceed|continue|enter|step|pass|start)\b(?! into)"
    r"|(?<!not )(?<!n't )(?<!never )\b"
    r"(?:ok|okay|fine|all ?right|clear|good|free|allowed|permitted|time"
    r"|(?:good|right|fine|ok|okay) (?:place|spot|time|moment))"
    rf" (?:for you )?to (?:now )?{_GOES}\b"
    r"|\b(?:walk|pedestrian|crossing|green) (?:signal|sign|light|man)s?"
    r" (?:is|are|has|have) (?:now |turned )?(?:on|green|lit)\b"
    r"|\b(?:lights?|signals?) (?:is|are|has|have|shows?|turn(?:s|ed)|went)(?: (?!not\b)\w+)? green\b"
    r"|\byou have (?:the|a) green\b"
    r"|안전(?:합|해(?!\s*보이지|지)|하게|하니|하고|하며|하네|하다(?!고)|할(?!지)|히)"
    r"|안전한 (?:것|상태|상황|편|듯)"
    r"|건너도|지나가도|걸어도|(?<!고)가도 (?:됩|돼|되|좋|괜찮)"
    r"|(?:건너|가|걸으|지나가|이동하|들어가|출발하|진행하)(?:셔|시어)도"
    r"|(?:이동|출발|진행|통과)해도 ?(?:됩|돼|되|좋|괜찮)"
    r"|(?:건널|걸을|지나갈|갈|걸어갈|이동할|통과할|진행할|출발할)\s?수 ?있(?!는)"
    r"|(?<!쪽으로 )(?:건너|가|걸으|걸어가|지나가|이동하|진행하|출발하)(?:시)?면 ?(?:됩|돼|되)"
    r"|위험(?:이|은|도|성이|성은)?\s*(?:전혀 |특별히 )?(?:없|하지 않)"
    r"|위험해 보이지|위험한? ?(?:요소|것|상황|물건)\S?\s*없"
    r"|괜찮(?:습|아|을)|(?:횡단|통행|보행|이동|통과|진행)\S?\s*가능(?!성)"
    r"|(?:초록|녹색|파란)\s?(?:불(?!빛|꽃)|신호)(?!\S*\s*(?:아니|아닙|꺼))|신호\S*\s+(?:\S+\s+)?(?:초록|녹색|파란)",
    re.IGNORECASE,
)
_BIDDING = r"(?:^|[,;:.!?]\s*)(?:(?:so|and|then|please|now|just|you should|you could)\s+)*"
"""The beginning before a verb in the imperative: "People walk across the street" only describes."""
_AWAY = r"(?![^,.;]*\b(?:back|backwards?|away|aside|off|out|around|left|right|sidewalk)\b)"
_PLACE = r"(?:path|road|street|way|crosswalk|crossing|sidewalk|pavement|route|coast|area|traffic)"
_BIDS = re.compile(
    rf"{_BIDDING}cross\b(?! traffic)|{_BIDDING}(?:walk|go) now\b|\bproceed\b"
    rf"|{_BIDDING}(?:yes|ok|okay|sure|alright)?[,.]?\s*(?:go|walk|cross)\s*(?:$|[.!,;])"
    rf"|{_BIDDING}(?:start|begin|keep) (?:walking|crossing|moving|going)\b"
    rf"|{_BIDDING}(?:walk|step|move|go|head|continue)\b{_AWAY}"
    r"(?=[^,.;]*\b(?:ahead|forwards?|across|straight|through|on(?=\s*(?:$|[,.;!])))\b)"
    r"|\bfeel free\b|\bkeep (?:going|walking|moving)\b|\bcontinue (?:walking|on your way)\b"
    rf"|\b{_PLACE}\b[^.]{{0,20}}\b(?:is|are|looks?|seems?|appears?)(?: to be)?"
    r" (?:all |completely |totally |now |quite )?(?:clear|free|empty|deserted|unobstructed)\b"
    rf"|\b(?:clear|empty|deserted|free) (?:\w+ )?(?:{_PLACE}|lane|intersection)\b"
    r"|\b(?:it|everything|all|ahead|left|right|both (?:sides|directions|ways))(?: side)?"
    r"(?:'s| is| are| looks?| seems?) (?:all |now )?clear\b(?! (?:that|why|how|from|what))"
    rf"|(?:\b(?:no|without|free of|free from|not any|none of the)|n't any) (?:\w+ ){{0,2}}?{_TRAFFIC}"
    r"|\bi (?:do not|don't|can ?not|can't) (?:see|detect|notice|spot|find)"
    rf" (?:any|a single) (?:\w+ )?{_TRAFFIC}"
    r"|\bno ?(?:thing|body|one) is (?:coming|approaching)\b|\bunobstructed\b|\bobstacle-free\b"
    r"|건너(?:세요|십시오|시면|가세요)|지나가세요|직진(?:하세요|하십시오)"
    r"|(?:앞으로|계속|그대로|똑바로)\s*(?:걸어\s*)?(?:가세요|가십시오|가시면|걸으세요|이동하세요|진행하세요)"
    r"|장애물(?:이|은|도)?\s*(?:전혀 )?없"
    r"|^\W*(?:(?:지금|이제|어서|바로|네|예)[,.]?\s*)*(?:가세요|가십시오|출발하(?:세요|십시오)|건너요)\W*$"
    r"|(?<![가-힣])(?:차|차량|자동차|버스|트럭|교통량|통행량|통행)(?:들)?(?:가|이|는|은|도)?\s*"
    r"(?:전혀 |하나도 |거의 |한 대도 |지금 )?(?:오지 않|안 오|안 다니|다니지 않|없(?!이|지만))"
    r"|앞\S*\s+(?:\S+\s+)?아무것도 없"
    r"|(?:길|도로|차도|횡단보도|거리)\S*\s+(?:\S+\s+)?(?:아무것도|아무도) 없|^\W*아무것도 없"
    r"|(?:길|도로|차도|거리|횡단보도)(?:이|가|은|는)?\s*(?:텅 |모두 |다 )?(?:비어|비었|뚫려|트여)",
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
    if _CLEARS.search(plain) or _BIDS.search(plain) or (permission and affirms(plain)):
        return "all-clear"
    if not _speaks(sentence, language):
        return "language"
    if is_garbled(sentence):
        return "garbled"
    return "prompt" if _recites(sentence, prompt, LONGEST_RUN[language]) else None


def _speaks(sentence: str, language: str) -> bool:
    """True if most letters are of the language's script; quoted text may be in the other one."""
    unquoted = _QUOTED.sub(lambda quoted: _LATIN.sub("", _HANGUL.sub("", quoted[0])), sentence)
    text = unquoted if _LETTER.search(unquoted) else sentence
    # A letter of a script that writes syllables or words counts for two of an alphabet.
    latin, hangul = len(_LATIN.findall(text)), 2 * len(_HANGUL.findall(text))
    every = 2 * len(_LETTER.findall(text)) - latin
    return every == 0 or 2 * (hangul if language == "ko" else latin) > every


def _recites(sentence: str, prompt: str, run: int) -> bool:
    said, known = _words(sentence), _words(prompt)
    runs = {tuple(known[i : i + run]) for i in range(len(known) - run + 1)}
    return any(tuple(said[i : i + run]) in runs for i in range(len(said) - run + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
