"""Recognises all-clears: that there is no danger, that the way is free, or that one may walk on. Pure.

A false all-clear may cost a life, a sentence too few only a moment: words that could be heard as one count.
"""

from __future__ import annotations

import re

_GOES = r"(?:cross|walk|go|proceed|continue|enter|step|pass|move|head|start|keep)"
_TRAFFIC = (
    r"(?:cars?|vehicles?|traffic(?! (?:lights?|signals?|signs?|cones?))|trucks?|buses"
    r"|obstacles?|obstructions?)\b(?! (?:allowed|permitted|lanes?|doors?))"
    r"(?![^.]*\b(?:but|however)\b[^.]*\b(?:com(?:es?|ing)|approach))"
)
_HARM = r"(?:danger|hazard|risk|threat|harm)s?\b(?! (?:lights?|tape|cones?|suits?)\b)"
_HARMFUL = r"(?:dangerous|hazardous|unsafe|risky|harmful|threatening)\b(?! animals?\b)"
_SEES = r"(?:\w+ly )?(?:see|detect|notice|spot|find|observe|recogni[sz]e|identify)"
_CLEARS = re.compile(
    r"(?<!\bnot )(?<!n't )(?<!never )\bsafe (?:for (?:you|pedestrians) )?to\b"
    r"|(?<!\bnot )(?<!n't )\bsafe (?:\w+ )?(?:place|spot|time|moment|way) to\b"
    rf"|\b{_GOES} (?:\w+ )?safely\b|(?<!not )(?<!n't )\bsafely {_GOES}\b"
    r"|\b(?:is|are|it's|you're|that's|seems?|looks?|feels?|appears?)"
    r"(?: (?:completely|perfectly|quite|now|totally|very|all|fairly|entirely))* safe\b"
    r"|\b(?:should|would|will|may|might|must|could|can|(?:seems?|appears?|likely|looks?) to)"
    r"(?: (?!not\b)\w+)? be (?:\w+ )?safe\b|^\W*(?:probably |perfectly |quite |completely )?safe\W*$"
    r"|(?:\bnot|n't) (?:\w+ )?(?:dangerous\b(?! animal)|unsafe|hazardous|risky|in danger)"
    r"|\ball clear\b|\bnothing to (?:worry|fear)\b"
    r"|\bnothing (?:\w+ ){0,2}"
    r"(?:in front|ahead|in (?:the|your) (?:way|path)|coming|approaching|block(?:s|ing))\b"
    r"|\byou (?:can|may|could|are free to|are able to) (?:now |safely |just )*"
    r"(?:cross|walk|go|proceed|continue|enter|step|pass|start)\b(?! into)"
    r"|(?<!not )(?<!n't )(?<!never )\b"
    r"(?:ok|okay|fine|al(?:l |l)?right|clear|good|free|allowed|permitted|time"
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
    r"|위험하지\s*(?:는 )?않(?!은지|을지|다고|게|도록)|위험해 보이지"
    r"|괜찮(?:습|아|을)|(?:횡단|통행|보행|이동|통과|진행)\S?\s*가능(?!성)"
    r"|(?:초록|녹색|파란)\s?(?:불(?!빛|꽃)|신호)(?!\S*\s*(?:아니|아닙|꺼))|신호\S*\s+(?:\S+\s+)?(?:초록|녹색|파란)",
    re.IGNORECASE,
)
_BIDDING = r"(?:^|[,;:.!?]\s*)(?:(?:so|and|then|please|now|just|you should|you could)\s+)*"
"""The beginning before a verb in the imperative: "People walk across the street" only describes."""
_AWAY = r"(?![^,.;]*\b(?:back|backwards?|away|aside|off|out|around|left|right|sidewalk)\b)"
_PLACE = (
    r"(?:path|road|street|way|crosswalk|crossing|sidewalk|pavement|route|coast|area|traffic|corridor|hallway"
    r"|surroundings)"
)
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
    r"|(?:장애물|방해물|(?:가로)?막는 (?:것|물건))(?:이|은|도)?\s*(?:전혀 )?(?:없|보이지 않(?!아|는지))"
    r"|^\W*(?:(?:지금|이제|어서|바로|네|예)[,.]?\s*)*(?:가세요|가십시오|출발하(?:세요|십시오)|건너요)\W*$"
    r"|(?<![가-힣])(?:차|차량|자동차|버스|트럭|교통량|통행량|통행)(?:들)?(?:가|이|는|은|도)?\s*"
    r"(?:전혀 |하나도 |거의 |한 대도 |지금 )?(?:오지 않|안 오|안 다니|다니지 않|없(?!이|지만))"
    r"|앞\S*\s+(?:\S+\s+)?아무것도 없"
    r"|(?:길|도로|차도|횡단보도|거리)\S*\s+(?:\S+\s+)?(?:아무것도|아무도) 없|^\W*아무것도 없"
    r"|(?:길|도로|차도|거리|보도|인도|통로|(?:^|[,.!]\s*|바로 )앞쪽?)(?:이|가|은|는)?"
    r"\s*(?:텅 |모두 |다 |활짝 |탁 )?(?:비어|비었|뚫려|뚫렸|트여|트였)(?! 있지)(?!다는|는지|지)"
    r"|(?:길|통로)(?:이|가|은|는)?\s*(?:활짝 )?열려(?! 있지)",
    re.IGNORECASE,
)
"""To walk on, or that nothing is in the way: as much an all-clear as saying that it is safe."""

_ABSENT = re.compile(
    rf"(?:\b(?:no|without|free of|free from)|(?:\bnot|n't) any) (?!longer )(?:\w+ ){{0,2}}{_HARM}"
    rf"|\bno longer (?:any |a )?{_HARM}"
    rf"|(?:\bnot|n't|\bcannot) (?:be|show|(?:appear|seem) to be|{_SEES}) (?:any|an?) (?:\w+ ){{0,2}}{_HARM}"
    rf"|(?:\bnot|n't) (?:think|believe) there (?:is|are) (?:any|an?) (?:\w+ ){{0,2}}{_HARM}"
    rf"|\b(?:nothing|none)(?: (?!more\b|as\b|so\b)\w+){{0,3}} {_HARMFUL}"
    rf"|\bno (?:\w+ )?{_HARMFUL} (?:object|thing|item|situation|condition|element|obstacle|place)s?\b"
    rf"|^\W*{_HARM}\W+(?:none|no)\W*$"
    rf"|(?:\bthere (?:is not|isn't)|(?:\bnot|n't|\bcannot) (?:{_SEES}|(?:think|believe) there is))"
    rf" anything (?:\w+ )?{_HARMFUL}"
    r"|(?<![가-힣])(?:위험|위협)(?:한|할|의)?\s*(?:만한 )?(?:해 보이는 |하거나 \S+ )?"
    r"(?:것|게|건|점|요소|요인|물건|물체|상황|곳|장소|징후|조짐|일|성)?(?:이|은|는|도|가)?\s*"
    r"(?:전혀 |특별히 |하나도 |여기에? |지금 )?"
    r"(?:없(?!이|는지|을지|다고|다면|으면|지 않)|(?:보이지|감지되지|발견되지) 않(?!아|는지|을|지만)"
    r"|안 보(?:입|여요)|찾을 수 없)"
    r"|해로운 것\S?\s*없|(?:조심|주의)할 (?:것|게|건|점)\S?\s*(?:전혀 )?없",
    re.IGNORECASE,
)
"""That there is nothing dangerous, without a word of which danger is meant."""
_MILD = re.compile(
    rf"(?:\b(?:it|this|that|he|she|they|which)(?: is| are|'s|'re)|\b(?:pose|present|mean)s?)"
    rf" no (?:\w+ ){{0,2}}{_HARM}",
    re.IGNORECASE,
)
"""That something is there, but no danger."""
_CALMS = re.compile(
    r"\b(?:is|are|you're|be|seems?)(?: (?!not\b)\w+)? out of danger\b|\bno ?(?:one|body) is in danger\b"
    rf"|(?:\b(?:is|are|does|do) not|(?:is|are|does|do)n't) (?:(?:pose|present) )?(?:any|an?) (?:\w+ )?{_HARM}"
    r"(?! signs?\b)"
    r"|\bdanger (?:is|has|seems)(?: to be)?(?: now| already)? (?:over|passed|gone|been averted)\b"
    r"|(?:\b(?:no|not|never)|n't) (?:\w+ )?(?:need|have|reason|cause) (?:for|to) "
    r"(?:be )?(?:worr(?:y|ied)|concern(?:ed)?|alarm(?:ed)?|fear|panic|stop|careful|afraid)\b"
    r"|\b(?:do not|don't|needn't|need not|never) (?:worry|panic|be afraid)\b"
    r"|\beverything(?:'s| is| looks| seems)(?: (?!not\b)\w+)?"
    r" (?:fine|ok|okay|al(?:l |l)?right|good|normal|in order)\b"
    r"|\b(?:everything|situation|it)(?:'s| is)(?: \w+)? under control\b"
    r"|^\W*all (?:is |looks |seems )?(?:good|well|fine|ok|okay)\b"
    r"|\b(?:it|this|that|everything|scene|situation|area|place)(?:'s| is| looks| seems| appears)"
    r"(?: (?!not\b)\w+)? harmless\b(?!-)"
    r"|\b(?:it|this|that|you|here|there|area|scene)(?:'s|'re| is| are)(?: in)? a (?:\w+ )?"
    r"safe (?:place|area|environment|spot|space|neighbou?rhood|zone|room|street|road)\b(?! signs?\b)"
    r"|\b(?:way|path|route)\b[^.]{0,20}\b(?:is|looks|seems) (?:\w+ )?open\b"
    r"|위험한?\s?(?:것|상황|장면|곳|장소|물건|일)(?:이|은)?\s*(?:아닙|아니에요)"
    r"|안전한 (?:곳|장소|공간|길|지역|환경|장면)(?:입니다|이에요|예요|이다|인 것|으로 보|처럼 보)"
    r"|길(?:이|은)? 깨끗|아무 일도 없"
    r"|걱정(?:하지|할 (?:것|필요|일)\S?|은|도)?\s*(?:마(?:세요|십)|말|않아도|안 ?해도|없)"
    r"|안심(?:하세요|하십|하셔도|해도)|무해(?:합|해요)"
    r"|위험(?:이|은)?\s*(?:모두 |이제 |이미 |다 )?(?:사라졌|지나갔|끝났)|위험에서 벗어났",
    re.IGNORECASE,
)
_FINE = re.compile(
    r"^\W*(?:it|this|that|things|you)(?:'s|'re| is| are| looks?| seems?)(?: (?!not\b)\w+)? "
    r"(?:fine|ok|okay|al(?:l |l)?right)(?=\W*$|\s*[,.;!]|\s+(?:here|there|now)\b)"
    r"|\bno problems?\b(?=\W*$|\s*[,.;!]|\s+(?:here|there|now)\b)"
    r"|(?:문제|별일)(?:가|는|도|이|은)?\s?(?:전혀 )?없(?!이)|(?<!더 )이상(?:이|은)?\s?없(?!이)",
    re.IGNORECASE,
)
"""Words that are an answer to many questions, and an all-clear after a warning."""
_QUALITY = (
    r"(?:be|been|is|are|an?|the|very|really|entirely|completely|totally|perfectly|fully|quite|now|yet|longer"
    r"|it|that|this|place|to|look|seem|appear|feel|think|believe|consider|call)"
)
_UNSAFE = re.compile(
    rf"(?:\b(?:not|never|hardly|cannot)|n't)(?: {_QUALITY})* safe\b"
    # "No, it is safe" may come without its comma.
    r"|\bno (?:(?:longer|really|completely|entirely|place|spot|way|side|one|is|looks|here) )*safe\b"
    r"|\b(?:nothing|nowhere|none)(?: \w+){0,3} (?:is|are|looks?|seems?)(?: \w+)? safe\b"
    rf"|(?:\b(?:not|never|cannot)|n't) (?:\w+ ){{0,3}}without (?:\w+ )?{_HARM}",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"(?:\b(?:not|never|cannot|unable to|impossible to)|n't) (?:\w+ )?"
    r"(?:(?:say|tell|know|confirm|judge|see)(?= (?:if|whether|that|how|what)\b)|mean|guarantee|promise"
    r"|(?:sure|certain|clear)\b)(?:(?! but\b)[^.;,])*"
    r"|\b(?:unsure|uncertain|unclear|unknown) (?:if|whether|that)\b(?:(?! but\b)[^.;,])*"
    r"|\buntil (?:it|everything|the \w+) (?:is|are|looks) (?:\w+ )?safe\b",
    re.IGNORECASE,
)
"""That it is not known, with what is not known."""


def is_all_clear(sentence: str) -> bool:
    """True if a sentence in English or Korean could be heard as an all-clear, whatever it answers."""
    said = _asserted(sentence)
    return any(pattern.search(said) for pattern in (_ABSENT, _CLEARS, _CALMS, _BIDS))


def calms(sentence: str) -> bool:
    """True if a sentence could be heard as an all-clear by a listener who has just been warned."""
    return is_all_clear(sentence) or bool(_FINE.search(_asserted(sentence)))


def denies_danger(sentence: str) -> bool:
    """True if a sentence says that there is no danger or nothing dangerous.

    That one is safe, or may walk on, says nothing of the danger itself.
    """
    return bool(_ABSENT.search(_MILD.sub(" ", _asserted(sentence))))


def _asserted(sentence: str) -> str:
    """The sentence without what it says to be unsafe or unknown."""
    plain = sentence.replace("’", "'")
    return _HEDGED.sub(" ", _UNSAFE.sub(" ", plain))
