"""Korean numbers where espeak-ng reads them wrongly. Pure.

It reads every number in Sino-Korean and drops the decimal point: "3.5 미터" becomes "35 미터", three cars
become "삼 대" where people say "세 대". What it reads well is left to it.
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
"""What is counted with native numbers."""
_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_DIGITS = "영일이삼사오육칠팔구"
_PHONE_DIGITS = "공일이삼사오육칠팔구"

_PARTICLE = (
    "이|가|은|는|을|를|와|과|도|의|만|에|로|으로|씩|쯤|정도|까지|부터|뿐|짜리|입|인|나|보다|마다|나란|있|없"
    "|중|전|후|반"
)
_COUNTED = re.compile(
    rf"(?<![\d.,:~-])(\d{{1,2}}) ?({'|'.join(sorted(COUNTERS, key=len, reverse=True))})"
    rf"(?=$|[^가-힣\d]|(?:{_PARTICLE}))"
)
_COUNTED_RANGE = re.compile(rf"(?<![\d.,:])(\d{{1,2}})에서 (\d{{1,2}}) ?({'|'.join(COUNTERS)})")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])")
_FRACTION = re.compile(r"(?<![\d/.])([1-9])/([2-9]|10)(?![\d/])")
_DECIMAL = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?![\d.])")
_PHONE = re.compile(r"(?<![\d-])(0\d{1,2}|1\d{3})-(?:(\d{3,4})-)?(\d{4})(?![\d-])")
_EMERGENCY = re.compile(r"(?<!\d)(11[0-9]|120)(?=에 |로 |에서 | ?신고| ?구급)")
_BRANCH = re.compile(r"(?<![\d-])(\d{1,4})-(\d{1,3})(?![\d-])")
_LAST_NATIVE_HOUR = 12


def numbers_in_words(text: str) -> str:
    """The text with its numbers put so that espeak-ng says them as people do."""
    text = _PHONE.sub(_phone, text)
    text = _EMERGENCY.sub(lambda found: _each(found[1], _PHONE_DIGITS), text)
    text = _TIME.sub(_time, text)
    text = _FRACTION.sub(r"\2분의 \1", text)
    text = _BRANCH.sub(r"\1 다시 \2", text)
    text = _COUNTED_RANGE.sub(r"\1\3에서 \2\3", text)
    text = _COUNTED.sub(_counted, text)
    return _DECIMAL.sub(lambda found: f"{found[1]} 점 {_each(found[2], _DIGITS)}", text)


def native(number: int) -> str:
    """1 to 99 as it stands before what is counted: 1 is `한`, 20 is `스무`, 21 is `스물한`."""
    return "스무" if number == 20 else _TENS[number // 10] + _ONES[number % 10]


def _counted(found: re.Match[str]) -> str:
    number, counter = int(found[1]), found[2]
    decade = counter == "대" and number % 10 == 0  # 20대 is an age
    late = counter in ("시", "시간") and number > _LAST_NATIVE_HOUR
    if number == 0 or decade or late:
        return found[0]
    if counter == "번째" and number == 1:
        return "첫 번째"
    return f"{native(number)} {counter}"


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    said = f"{native(hour) if 1 <= hour <= _LAST_NATIVE_HOUR else hour} 시"
    return said if minute == 0 else f"{said} {minute}분"


def _phone(found: re.Match[str]) -> str:
    return ", ".join(_each(part, _PHONE_DIGITS) for part in found.groups() if part)


def _each(digits: str, names: str) -> str:
    return "".join(names[int(digit)] for digit in digits)
