"""Units, money and ranges put into words, in English and Korean. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

UNITS: Mapping[str, tuple[str, str, str]] = {
    "km": ("kilometer", "kilometers", "킬로미터"),
    "m": ("meter", "meters", "미터"),
    "cm": ("centimeter", "centimeters", "센티미터"),
    "mm": ("millimeter", "millimeters", "밀리미터"),
    "m²": ("square meter", "square meters", "제곱미터"),
    "kg": ("kilogram", "kilograms", "킬로그램"),
    "g": ("gram", "grams", "그램"),
    "t": ("ton", "tons", "톤"),
    "L": ("liter", "liters", "리터"),
    "ml": ("milliliter", "milliliters", "밀리리터"),
    "mL": ("milliliter", "milliliters", "밀리리터"),
    "ft": ("foot", "feet", "피트"),
    "yd": ("yard", "yards", "야드"),
    "mi": ("mile", "miles", "마일"),
    "lb": ("pound", "pounds", "파운드"),
    "lbs": ("pound", "pounds", "파운드"),
    "oz": ("ounce", "ounces", "온스"),
    "min": ("minute", "minutes", "분"),
    "mins": ("minute", "minutes", "분"),
    "hr": ("hour", "hours", "시간"),
    "hrs": ("hour", "hours", "시간"),
    "sec": ("second", "seconds", "초"),
    "secs": ("second", "seconds", "초"),
    "W": ("watt", "watts", "와트"),
    "kW": ("kilowatt", "kilowatts", "킬로와트"),
    "V": ("volt", "volts", "볼트"),
    "GB": ("gigabyte", "gigabytes", "기가바이트"),
    "MB": ("megabyte", "megabytes", "메가바이트"),
    "°C": ("degree Celsius", "degrees Celsius", "도"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit", "화씨 도"),
    "°": ("degree", "degrees", "도"),
    "%": ("percent", "percent", "퍼센트"),
}
"""One, many, Korean."""
SPEEDS: Mapping[str, tuple[str, str, str]] = {
    "km/h": ("kilometers per hour", "시속", "킬로미터"),
    "kmh": ("kilometers per hour", "시속", "킬로미터"),
    "m/s": ("meters per second", "초속", "미터"),
    "mph": ("miles per hour", "시속", "마일"),
}
"""English after the number; Korean before and after it."""
MONEY: Mapping[str, tuple[str, str, str]] = {
    "$": ("dollar", "dollars", "달러"),
    "€": ("euro", "euros", "유로"),
    "£": ("pound", "pounds", "파운드"),
    "₩": ("won", "won", "원"),
    "¥": ("yen", "yen", "엔"),
}
"""One, many, Korean, of the sign before or after a number."""
_SQUARE_SIGNS = str.maketrans(
    {"㎞": "km", "㎝": "cm", "㎜": "mm", "㎏": "kg", "㎡": "m²", "ℓ": "L", "㎖": "ml", "℃": "°C", "℉": "°F"}
    | {"％": "%", "－": "-", "−": "-", "〜": "~", "～": "~"}
)
"""One character for what is written in several, and the wide forms of Korean typing."""

NUMBER = r"(?<![\w.])(\d+(?:\.\d+)?)"
_SPEED = re.compile(rf"{NUMBER} ?({'|'.join(map(re.escape, SPEEDS))})(?![A-Za-z])")
_UNIT = re.compile(rf"{NUMBER} ?({'|'.join(map(re.escape, UNITS))})(?![A-Za-z²])(?:\.(?= [a-z]))?")
_SIGNS = re.escape("".join(MONEY))
_MONEY = re.compile(rf"([{_SIGNS}]) ?(\d+(?:\.\d+)?)|{NUMBER} ?([{_SIGNS}])")
_RANGE = re.compile(r"(?<![\w.,:/~–-])(\d{1,3}(?:\.\d+)?) ?[~–-] ?(\d{1,3}(?:\.\d+)?)(?![\d:/~–-]|[.,]\d)")
_BELOW_ZERO = re.compile(r"(?<![\w.)])-(?=\d+(?:\.\d+)? ?(°)?)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_FROM_TO = {"en": " to ", "ko": "에서 "}


def in_words(text: str, language: str) -> str:
    """Units, money, ranges and numbers below zero as they are said. `language` is en or ko."""
    text = _THOUSANDS.sub("", text.translate(_SQUARE_SIGNS))
    text = _RANGE.sub(_range(language), text)
    text = _BELOW_ZERO.sub(_below_zero(language), text)
    text = _SPEED.sub(_speed(language), text)
    text = _MONEY.sub(_money(language), text)
    return _UNIT.sub(_unit(language), text)


def _range(language: str) -> Callable[[re.Match[str]], str]:
    """Only upwards: `3-2` is a result or a number of a house."""

    def say(found: re.Match[str]) -> str:
        upwards = float(found[1]) < float(found[2])
        return f"{found[1]}{_FROM_TO[language]}{found[2]}" if upwards else found[0]

    return say


def _below_zero(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        if language == "ko":
            return "영하 " if found[1] else "마이너스 "
        return "minus "

    return say


def _speed(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        english, before, after = SPEEDS[found[2]]
        return f"{before} {found[1]} {after}" if language == "ko" else f"{found[1]} {english}"

    return say


def _money(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        sign, number = (found[1], found[2]) if found[1] else (found[4], found[3])
        one, many, korean = MONEY[sign]
        if language == "ko":
            return f"{number}{korean}"
        return f"{number} {one if number == '1' else many}"

    return say


def _unit(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        one, many, korean = UNITS[found[2]]
        if language == "ko":
            return f"{found[1]} {korean}"
        return f"{found[1]} {one if found[1] == '1' else many}"

    return say
