"""Units, money and ranges put into words, in English and Korean. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpokenUnit:
    """A unit of measure: its spoken names after a number and, in Korean, the prefix before it."""

    one: str
    many: str
    korean: str
    korean_before: str = ""


_LENGTHS: Mapping[str, SpokenUnit] = {
    "km": SpokenUnit("kilometer", "kilometers", "킬로미터"),
    "m": SpokenUnit("meter", "meters", "미터"),
    "cm": SpokenUnit("centimeter", "centimeters", "센티미터"),
    "mm": SpokenUnit("millimeter", "millimeters", "밀리미터"),
    "ft": SpokenUnit("foot", "feet", "피트"),
    "yd": SpokenUnit("yard", "yards", "야드"),
    "mi": SpokenUnit("mile", "miles", "마일"),
}
_SQUARE, _CUBIC = ("square", "제곱"), ("cubic", "세제곱")
_POWERS = {"²": _SQUARE, "2": _SQUARE, "^2": _SQUARE, "³": _CUBIC, "3": _CUBIC, "^3": _CUBIC}
_AREAS_AND_VOLUMES: Mapping[str, SpokenUnit] = {
    length + power: SpokenUnit(f"{english} {unit.one}", f"{english} {unit.many}", korean + unit.korean)
    for length, unit in _LENGTHS.items()
    for power, (english, korean) in _POWERS.items()
}
_KILOMETERS_PER_HOUR = SpokenUnit("kilometer per hour", "kilometers per hour", "킬로미터", "시속")
UNITS: Mapping[str, SpokenUnit] = {
    **_LENGTHS,
    **_AREAS_AND_VOLUMES,
    **dict.fromkeys(("km/h", "kmh", "kph"), _KILOMETERS_PER_HOUR),
    "m/s": SpokenUnit("meter per second", "meters per second", "미터", "초속"),
    "mph": SpokenUnit("mile per hour", "miles per hour", "마일", "시속"),
    "kg": SpokenUnit("kilogram", "kilograms", "킬로그램"),
    "g": SpokenUnit("gram", "grams", "그램"),
    "t": SpokenUnit("ton", "tons", "톤"),
    "L": SpokenUnit("liter", "liters", "리터"),
    "ml": SpokenUnit("milliliter", "milliliters", "밀리리터"),
    **dict.fromkeys(("lb", "lbs"), SpokenUnit("pound", "pounds", "파운드")),
    "oz": SpokenUnit("ounce", "ounces", "온스"),
    **dict.fromkeys(("min", "mins"), SpokenUnit("minute", "minutes", "분")),
    **dict.fromkeys(("hr", "hrs"), SpokenUnit("hour", "hours", "시간")),
    **dict.fromkeys(("sec", "secs"), SpokenUnit("second", "seconds", "초")),
    "W": SpokenUnit("watt", "watts", "와트"),
    "kW": SpokenUnit("kilowatt", "kilowatts", "킬로와트"),
    "V": SpokenUnit("volt", "volts", "볼트"),
    "Hz": SpokenUnit("hertz", "hertz", "헤르츠"),
    "kHz": SpokenUnit("kilohertz", "kilohertz", "킬로헤르츠"),
    "MHz": SpokenUnit("megahertz", "megahertz", "메가헤르츠"),
    "GHz": SpokenUnit("gigahertz", "gigahertz", "기가헤르츠"),
    "GB": SpokenUnit("gigabyte", "gigabytes", "기가바이트"),
    "MB": SpokenUnit("megabyte", "megabytes", "메가바이트"),
    "°C": SpokenUnit("degree Celsius", "degrees Celsius", "도"),
    "°F": SpokenUnit("degree Fahrenheit", "degrees Fahrenheit", "도", "화씨"),
    "°": SpokenUnit("degree", "degrees", "도"),
    "%": SpokenUnit("percent", "percent", "퍼센트"),
}
_ANY_CASE: Mapping[str, SpokenUnit] = {
    name.casefold(): unit for name, unit in UNITS.items() if sum(map(str.isalpha, name)) > 1
}
"""Capitals matter to units of one letter only: `5 M`, `5G` and `M2` are no lengths and weights."""
MONEY: Mapping[str, tuple[str, str, str]] = {
    "$": ("dollar", "dollars", "달러"),
    "€": ("euro", "euros", "유로"),
    "£": ("pound", "pounds", "파운드"),
    "₩": ("won", "won", "원"),
    "¥": ("yen", "yen", "엔"),
}
"""One, many, Korean, of the sign before or after a number."""

_N = r"\d+(?:,\d{3}(?!\d))*(?:\.\d+)?"
_START = r"(?<![A-Za-z\d.°])"
_FROM_TO = {"en": " to ", "ko": "에서 "}
_DASH = "[~–-]"
_EXACT, _FOLDED = (
    # The longest first: `km` must not be read as `k` or `m`.
    "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    for names in (UNITS, _ANY_CASE)
)
_NAME = rf"((?ai:{_FOLDED})|{_EXACT})(?![A-Za-zÀ-ÖØ-öø-ɏ\d²³])"
_UNIT = re.compile(
    rf"(?:((?:시속|초속|화씨)(?: [가-힣]{{1,3}})?) ?|{_START})((?:{_N}에서 )?{_N}) ?{_NAME}(?:\.(?= [a-z]))?"
)

_SIGNS = re.escape("".join(MONEY))
_SCALE = "(?: (?:thousand|million|billion)(?![A-Za-z]))?"
_PRICE = re.compile(
    rf"([{_SIGNS}]) ?({_N}(?:{_DASH}{_N})?{_SCALE})(?![A-Za-z\d]|\.\d)|{_START}({_N}) ?([{_SIGNS}])(?! ?\d)"
)

_RANGES_OF_ONE_KIND = (
    re.compile(rf"({_START}{_N} ?({_FOLDED}|{_EXACT})) ?{_DASH} ?(?={_N} ?\2)", re.IGNORECASE),
    re.compile(rf"(\d ?[ap]\.?m\.?) ?{_DASH} ?(?=\d[\d:]* ?[ap]\.?m\b)", re.IGNORECASE),
    re.compile(rf"(\d:[0-5]\d) ?{_DASH} ?(?=\d{{1,2}}(?::[0-5]\d| ?[AaPp]\.?[Mm]\b))"),
    re.compile(rf"(\d(?:%|°[CF]?)){_DASH}(?=\d)"),
    re.compile(r"([\w%°])(?: ~ |~)(?=-?\d)"),
    re.compile(rf"(-{_N}(?:°[CF]?)?)-(?=-\d)"),
)
_SPAN = r"(\d{1,3}(?:,\d{3})*(?:\.\d+)?|\d{3,5}0|1\d{3}|20\d\d)"
_RANGE = re.compile(rf"(?<![\w.,:/~–])(?<!\w-){_SPAN} ?({_DASH}) ?{_SPAN}(?![\d:/~–-]|[.,]\d)")
_NAMED = re.compile(
    r"(?:\b(?:bus|route|line|room|flight|gate|unit|apt|suite|model|boeing|no|number)\b\.?|버스|보잉|#) ?$",
    re.IGNORECASE,
)
_NUMBERS_OF_NAMES = re.compile(r"호(?!선)|번지|번 ?(?:버스|출구)")
_BELOW_ZERO = re.compile(r"(?<![\w.)%°])(?:영하 )?-(?=\d+(?:\.\d+)? ?(°|도)?)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def units_to_words(text: str, language: str) -> str:
    """Units, money, ranges and numbers below zero as they are said. `language` is en or ko."""
    # First, since the sign stands before the number: "$5-10" becomes a range of dollars.
    text = _PRICE.sub(_price(language), text)
    for one_kind in _RANGES_OF_ONE_KIND:
        text = one_kind.sub(rf"\1{_FROM_TO[language]}", text)
    text = _RANGE.sub(_range(language), text)
    text = _THOUSANDS.sub("", text)
    text = _BELOW_ZERO.sub(_below_zero(language), text)
    return _UNIT.sub(_unit(language), text)


def _range(language: str) -> Callable[[re.Match[str]], str]:
    """Only upwards, and not for names made of numbers: `3-2` is a result, `bus 3-5` a bus."""

    def say(found: re.Match[str]) -> str:
        low, high = (float(found[at].replace(",", "")) for at in (1, 3))
        # Enough for the longest of the words that make a number part of a name.
        before = found.string[max(found.start() - 12, 0) : found.start()]
        named = _NAMED.search(before) or _NUMBERS_OF_NAMES.match(found.string, found.end())
        name = found[2] == "-" and named
        return f"{found[1]}{_FROM_TO[language]}{found[3]}" if low < high and not name else found[0]

    return say


def _below_zero(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        if language == "ko":
            return "영하 " if found[1] else "마이너스 "
        return "minus "

    return say


def _price(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        sign, amount = found[1] or found[4], found[2] or found[3]
        one, many, korean = MONEY[sign]
        # A word directly before the sign, as in "US$5", would run into the number.
        apart = " " if found.string[max(found.start() - 1, 0) : found.start()].isalpha() else ""
        if language == "ko":
            return f"{apart}{amount}{korean}"
        return f"{apart}{amount} {one if amount == '1' else many}"

    return say


def _unit(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        before, amount, name = found.groups()
        unit = UNITS.get(name) or _ANY_CASE[name.casefold()]
        if language == "ko":
            return f"{before or unit.korean_before} {amount} {unit.korean}".lstrip()
        return f"{amount} {unit.one if amount == '1' else unit.many}"

    return say
