"""Korean numbers where espeak-ng reads them wrongly. Pure.

It reads every number in Sino-Korean and drops the decimal point: "3.5 미터" becomes "35 미터", three cars
become "삼 대" where people say "세 대". Numbers that it reads well are left alone.
"""

from __future__ import annotations

import re

COUNTERS = (
    *("개", "명", "대", "마리", "살", "시간", "시", "걸음", "발짝", "발자국", "잔", "권", "장", "곳", "군데"),
    *(
        "채",
        "칸",
        "줄",
        "그루",
        "켤레",
        "벌",
        "송이",
        "병",
        "번째",
        "사람",
        "가지",
        "갈래",
        "바퀴",
        "쌍",
        "척",
    ),
    *("통", "봉지", "접시", "조각", "묶음", "달", "배", "다리", "모퉁이"),
)
"""The counters that take native numbers."""
_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_DIGITS = "영일이삼사오육칠팔구"

_PARTICLE = (
    "이|가|은|는|을|를|와|과|도|의|만|에|로|으로|씩|쯤|정도|까지|부터|뿐|짜리|입|인|나|보다|마다|나란|있|없"
    "|중|전|후|반|예|네|랑|하고|한테|밖|경|방향|라고|라서|라면|라도|처럼|같|면|지만|지요|죠|군요|고|며|당|내외|미만|초과|간|들|앞|뒤|째"
    "|든|던|요"
)
_COUNTER = (
    # The longest first: 시간 must not be read as 시.
    rf"({'|'.join(sorted(COUNTERS, key=len, reverse=True))})(?=$|[^가-힣\d]|\d{{1,2}}분|(?:{_PARTICLE}))"
)
_COUNTED = re.compile(rf"(?<![A-Za-z\d.,:~제-])(\d{{1,2}}) ?{_COUNTER}")
_COUNTED_RANGE = re.compile(rf"(?<![\d.,:])(\d{{1,2}})에서 (\d{{1,2}}) ?{_COUNTER}")
_MONTH = re.compile(r"(?<!\d)(6|10)월")
_MONTHS = {"6": "유월", "10": "시월"}
_FRACTION = re.compile(r"(?<![\d/.])(?:(\d+)[ -])?([1-9])/([2-9]|10)(?![\d/])")
_DECIMAL = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?![\d.])")
_BRANCH = re.compile(r"(?<![\d-])(\d{1,4})-(\d{1,3})(?![\d-])")
_LAST_NATIVE_HOUR = 12


def numbers_to_words(text: str) -> str:
    """The text with its numbers put so that espeak-ng says them as people do."""
    # In this order: each rule leaves numbers that the ones after it would take apart.
    text = _FRACTION.sub(_fraction, text)
    text = _BRANCH.sub(r"\1 다시 \2", text)
    text = _COUNTED_RANGE.sub(r"\1\3에서 \2\3", text)
    text = _COUNTED.sub(_counted, text)
    text = _MONTH.sub(lambda found: _MONTHS[found[1]], text)
    return _DECIMAL.sub(_decimal, text)


def native_numeral(number: int) -> str:
    """1 to 99 as written before a counter: 1 is `한`, 20 is `스무`, 21 is `스물한`."""
    return "스무" if number == 20 else _TENS[number // 10] + _ONES[number % 10]


def _counted(found: re.Match[str]) -> str:
    number, counter = int(found[1]), found[2]
    decade = counter == "대" and number % 10 == 0  # 20대 is an age
    late = counter in ("시", "시간") and number > _LAST_NATIVE_HOUR
    if number == 0 or decade or late:
        return found[0]
    if counter == "번째" and number == 1:
        return "첫 번째"
    return f"{native_numeral(number)} {counter}"


def _fraction(found: re.Match[str]) -> str:
    """`3 1/2` is 3과 2분의 1; 이, 사, 오 and 구 end in a vowel."""
    whole, over, under = found.groups()
    joint = f"{whole}{'와' if whole[-1] in '2459' else '과'} " if whole else ""
    return f"{joint}{under}분의 {over}"


def _decimal(found: re.Match[str]) -> str:
    return f"{found[1]} 점 {''.join(_DIGITS[int(digit)] for digit in found[2])}"
