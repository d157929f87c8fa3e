"""Telephone numbers said digit by digit, a group at a time, in English and Korean. Pure."""

from __future__ import annotations

import re

_PHONE = re.compile(
    r"""(?<![A-Za-z\d+$€£₩¥-])(?<!\d\.)(?:
        \+(?=(?:[ ().-]{0,2}\d){8})\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}    # +82-10-1234-5678
      | (?:\(0\d{1,2}\)|0\d{1,2}\)?)[ .-]?\d{3,4}[ .-]?\d{4}  # 02)123-4567, 010-1234-5678, 01012345678
      | \(\d{3}\)\ ?\d{3}-\d{4}                               # (555) 123-4567
      | \d{3}([. ])\d{3}\1\d{4}                               # 555.123.4567
      | \d{1,4}(?:-\d{3,4}){2,}                               # 1-800-555-1234, and numbers of cards
      | 0\d{1,2}-\d{4}
      | 1[568](?:(\d)\2|61|70)-\d{4}                          # 1588-1234, of Korean companies
      | (?!20\d\d-20|\d+0-\d{3}0)[2-9]\d{2,3}-\d{4}           # 555-1234; no years, no 500-1000 people
    )(?![A-Za-z\d-]|\ ?호)""",
    re.VERBOSE,
)
_EMERGENCY = {
    "en": re.compile(r"(?i:(?<=call )|(?<=dial ))(?:911|999|11[0-9]|000)(?![\w-])"),
    "ko": re.compile(r"(?<!\d)(?:11[0-9]|120)(?=에 |로 |에서 | ?신고| ?구급)"),
}
_KOREAN_DIGITS = "공일이삼사오육칠팔구"
_PLUS = {"en": "plus ", "ko": "플러스 "}


def phone_numbers_to_words(text: str, language: str) -> str:
    """`language` is en or ko."""

    def say(found: re.Match[str]) -> str:
        groups: list[str] = re.findall(r"\d+", found[0])
        if len(groups) == 1 and len(groups[0]) > 4:
            groups = [groups[0][:-8], groups[0][-8:-4], groups[0][-4:]]
        plus = _PLUS[language] if found[0][0] == "+" else ""
        return plus + ", ".join(_digits(group, language) for group in groups)

    return _EMERGENCY[language].sub(say, _PHONE.sub(say, text))


def _digits(group: str, language: str) -> str:
    return "".join(_KOREAN_DIGITS[int(digit)] for digit in group) if language == "ko" else " ".join(group)
