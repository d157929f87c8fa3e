"""Recognises questions whether it is safe to walk on, which must never be answered with a yes. Pure.

A language model cannot see enough to answer "Can I cross?". A wrong yes may cost a life, so words decide
here, not the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

CANNOT_SAY: Mapping[str, str] = {
    "en": "I cannot say whether it is safe.",
    "ko": "안전한지는 말씀드릴 수 없습니다.",
}

# The words of the patterns below: what a walker may do, who is on the road, and where the way leads.
_DOES = (
    r"(?:cross|walk|go|proceed|pass|enter|continue|move|step|start|leave|run|get|keep|turn|board|climb|jump|ride"
    r"|sit|stand|touch|eat|drink|swim|wait|stop)"
)
_ROAD_USERS = r"(?:cars?|vehicles?|traffic|trains?|trams?|bus(?:es)?|trucks?|lorr(?:y|ies)|bikes?|cyclists?)"
_WAY = r"(?:road|street|path|way|crosswalk|crossing|side ?walk|pavement|walkway|lane)"
# In this order: "may I ..."; "is it okay to ..."; safety and crossing; a free way; traffic and obstacles;
# what road users do; signals and their colours; qualities that hurt ("is it hot"); something switched off;
# the same in Korean.
_ASKS = re.compile(
    rf"\b(?:can|could|may|might|shall|should|must|do|am|if|whether|when|would) (?:i|we)\b.*\b{_DOES}\b"
    rf"|\b(?:ok|okay|fine|all ?right|time|free|allowed|good|possible)"
    rf" (?:for (?:me|us) )?to (?:\w+ )?{_DOES}\b"
    r"|\b(?:un)?safe(?:ly)?\b|\bdanger(?:ous|s)?\b|\bcross\b|\bcrossing (?:now|here|the)\b|\bgo(?: now)?\W*$"
    r"|\b(?:my|our) turn\b|\benough time\b"
    rf"|(?<!sky )(?<!view )\bclear\b|\b{_WAY}\b.*\b(?:empty|free|open|blocked|passable)\b"
    rf"|\bany(?:thing)? (?:\w+ )?(?:{_ROAD_USERS}|obstacles?|coming|in (?:my|the|our) way|in front)\b"
    rf"|\b(?:is|are) there (?:an?|any\w*|some\w*|much)\b.*\b(?:in front|ahead|in (?:my|the|our) way"
    r"|on the (?:floor|ground))\b|\bis there (?:\w+ )?traffic\b"
    rf"|\b{_ROAD_USERS}\b.*\b(?:coming|approaching|moving|gone|waiting"
    r"|(?<!bus )(?<!tram )stop(?:ped|ping|s)?)\b"
    r"|\b(?:walk|crossing|pedestrian|traffic) (?:light|signal|sign)\b|\bsignal\b"
    r"|\b(?:light|signal)s?\b.*\b(?:green|red|changed?)\b|\bgreen\b.*\b(?:light|signal)|\bcolou?r\b.*\blight\b"
    r"|\b(?:is|are) (?:it|this|that|they|the \w+|(?:this|that) \w+) (?:still |very |too |not )?"
    r"(?:hot|deep|friendly|harmless|poisonous|sharp|slippery)\b"
    r"|\b(?:stove|oven|gas|iron|burner|heater|fire)\b.*\b(?:off|out)\b|\b(?:off|out)\b.*\b(?:stove|oven|gas)\b"
    r"|건너|건널|걸어도|걸어가|걸을|지나가|지나갈|안전|위험|괜찮|출발|통과|통행|들어가도|이동해도|신호|직진"
    r"|(?<!고)가(?:셔)?도(?!로)|가면|갈 ?(?:수|까)|가야|(?:초록|파란|녹색|빨간)\s?불|장애물|앞에 아무것도"
    r"|\S[가-힣]도 ?(?:돼|되[나는지어요]|될까|됩니|괜찮)|(?:탈|내릴|들어갈|올라갈|내려갈)까"
    r"|(?:멈춰|멈추어|기다려|비켜|서)야|막혔|막혀|뚫렸|비었|불\S*\s*무슨\s*색"
    r"|(?:차|차량|자동차|기차|열차|전철|버스|트럭|오토바이|자전거)(?:가|는|이|은|들이)?\s*(?:안 |지금 )?"
    r"(?:오|와|옵|없|있|지나|멈|갔)"
    r"|길\S?\s*(?:비|뚫|트)|뜨거[운워울]|(?:불|가스|레인지|오븐)\S*\s*(?:껐|꺼졌|꺼져)",
    re.IGNORECASE,
)
# In this order: an opening yes; "it is."; a calming adjective; a green light or "you can"; waiting traffic;
# the same in Korean. A negation right before the word excludes it.
_AFFIRMS = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|sure|of course|absolutely|certainly|definitely|ok(?:ay)?|affirmative|correct"
    r"|that is (?:right|correct)|i (?:think|believe|guess) so|(?:probably|likely)(?! not))\b"
    r"|^\W*(?:it|you|they|this|that) (?:is|are|can|may|should|do|does)\W*$"
    r"|\b(?:looks?|seems?|appears?|is|are|'s|'re)(?: to be)?(?: (?!not\b)\w+)? "
    r"(?:ok(?:ay)?|fine|good|quiet|empty|deserted|clear|open|possible|allowed|far(?: away)?)\b"
    r"|(?<!no )(?<!not )\bgreen\b|\byou can\b(?! ?not)(?!'t)(?! (?:hear|see|feel))"
    r"|\b(?:cars?|vehicles?|traffic)\b[^.]{0,20}\b(?:stopped|waiting|yielding|standing)\b"
    r"|^\W*(?:네|예|응)(?=\s*[,.!]|\s*$|\s+(?:가능|맞|그렇|됩|돼|괜찮|좋))"
    r"|^\W*(?:그럼요|물론|맞습니다|맞아요|그렇습니다|그래요|좋습니다|좋아요|됩니다|돼요"
    r"|아마(?:도)? ?(?:네|예|괜))"
    r"|(?<!불)가능(?:합|해|하다|할 것)|(?<!안 )(?<!안)(?<!야 )(?:됩니다|돼요)"
    r"|(?:초록|녹색|파란|푸른)색?\s?(?:불(?!\S*\s*아)|신호|등|빛|입니다|이에요|이다)"
    r"|한산|조용|비어 있|멈춰 있|멈췄|서 있는 차",
    re.IGNORECASE,
)


def asks_permission(question: str | None) -> bool:
    """Return True if a question in English or Korean asks whether something is safe, or for leave to walk on.

    Prefers a false positive, which only adds a fixed sentence before the answer and forbids a yes.
    """
    return bool(question and _ASKS.search(question.replace("’", "'")))


def with_caution(text: str, question: str | None, language: str) -> str:
    """Put `CANNOT_SAY` before the text if the question asks for leave and the text does not begin with it."""
    caution = CANNOT_SAY[language]
    if not asks_permission(question) or text.startswith(caution):
        return text
    return f"{caution} {text}".strip()


def affirms(sentence: str) -> bool:
    """True if this could be heard as a yes after a question for leave."""
    return bool(_AFFIRMS.search(sentence.replace("’", "'")))
