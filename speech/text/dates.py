"""Dates and times of day, in English and Korean. Pure."""

from __future__ import annotations

import re

from speech.text.korean import native_numeral

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
_DATE = re.compile(
    r"(?<![A-Za-z\d.,/-])((?:19|20)\d\d)([-./])(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?![\d/-]|\.\d)"
)
_DATE_BEFORE_TIME = re.compile(r"(?<=\d[-./]\d\d)[T ](?=\d?\d:\d\d)")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])( ?[AaPp]\.?[Mm]\b)?")
# Hours up to twelve are counted in native Korean, those of the 24-hour clock in Sino-Korean.
_LAST_NATIVE_HOUR = 12


def dates_and_times_to_words(text: str, language: str) -> str:
    """`language` is en or ko. Dates are those that begin with the year: `5/8` is ambiguous."""
    text = _DATE_BEFORE_TIME.sub(", ", text)
    if language == "ko":
        text = _DATE.sub(lambda at: f"{at[1]}년 {int(at[3])}월 {int(at[4])}일", text)
        return _TIME.sub(_korean_time, text)
    text = _DATE.sub(lambda at: f"{_MONTHS[int(at[3]) - 1]} {int(at[4])} {at[1]}", text)
    return _TIME.sub(_english_time, text)


def _english_time(found: re.Match[str]) -> str:
    """`10:30` is left to espeak-ng, which says it well; of `14:05` it makes fourteen zero zero five."""
    hour, minute, half = int(found[1]), int(found[2]), found[4] or ""
    exactly = f"{hour}" if half else f"{hour} o'clock"
    said = f"{hour}:{minute}" if minute > 9 else f"{hour} oh {minute}" if minute else exactly
    return said + (f" and {int(found[3])} seconds" if found[3] else "") + half


def _korean_time(found: re.Match[str]) -> str:
    hour, minute, half = int(found[1]), int(found[2]), found[4] or ""
    said = f"{native_numeral(hour) if 1 <= hour <= _LAST_NATIVE_HOUR else hour} 시"
    said += f" {minute}분" if minute or found[3] else ""
    return said + (f" {int(found[3])}초" if found[3] else "") + half
