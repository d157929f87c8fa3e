"""Emoji and other pictographs: left out of what is said, named where there is nothing else. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST = 5
"""Pictographs named of one text."""
KOREAN = {
    "🔥": "불",
    "⚠": "경고 표시",
    "🛑": "정지 표시",
    "⛔": "진입 금지 표시",
    "🚫": "금지 표시",
    "🚭": "금연 표시",
    "☢": "방사능 표시",
    "☣": "생물 위험 표시",
    "☠": "해골",
    "💀": "해골",
    "⚡": "번개",
    "💥": "폭발",
    "💣": "폭탄",
    "🔪": "칼",
    "🔫": "총",
    "🚨": "경광등",
    "💧": "물방울",
    "💨": "바람",
    "🚗": "자동차",
    "🚌": "버스",
    "🚚": "트럭",
    "🚲": "자전거",
    "🏍": "오토바이",
    "🚦": "신호등",
    "🚑": "구급차",
    "🚒": "소방차",
    "🚓": "경찰차",
    "🚶": "보행자",
    "🚧": "공사 중 표시",
    "🅿": "주차 표시",
    "♿": "휠체어 표시",
    "🚻": "화장실 표시",
    "🚪": "문",
    "🐶": "강아지",
    "🐕": "개",
    "🐱": "고양이",
    "👍": "좋아요",
    "👎": "싫어요",
    "👏": "박수",
    "🙏": "두 손 모음",
    "👋": "손 흔들기",
    "✋": "손바닥",
    "❤": "하트",
    "💔": "깨진 하트",
    "⭐": "별",
    "✨": "반짝임",
    "☀": "해",
    "☔": "우산",
    "❄": "눈송이",
    "😀": "웃는 얼굴",
    "😂": "웃으며 우는 얼굴",
    "😊": "미소",
    "🙂": "미소",
    "😢": "우는 얼굴",
    "😭": "우는 얼굴",
    "😡": "화난 얼굴",
    "😱": "놀란 얼굴",
    "✅": "체크 표시",
    "✔": "체크 표시",
    "❌": "엑스 표시",
    "❗": "느낌표",
    "❓": "물음표",
    "📞": "전화",
    "🎉": "축하",
    "←": "왼쪽 화살표",
    "→": "오른쪽 화살표",
    "↑": "위쪽 화살표",
    "↓": "아래쪽 화살표",
    "⬅": "왼쪽 화살표",
    "➡": "오른쪽 화살표",
    "⬆": "위쪽 화살표",
    "⬇": "아래쪽 화살표",
}
"""The most common ones; any other is `이모티콘`."""
ENGLISH = {"🛑": "stop sign", "🚫": "prohibited sign", "🅿": "parking sign", "🔪": "knife", "🚨": "siren"}
"""What Unicode's own names would not tell a listener."""

_FLAG = {"en": "flag", "ko": "깃발"}
_PICTOGRAPH = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
)
"""Without the tones of skin, and without the boxes and bullets that people draw with."""
_OF_TYPE = re.compile(r"\b(?:black|white|heavy|large|medium|squared|symbol|ornament)\b ?")
"""Words of Unicode's names that are about print: the red heart is its HEAVY BLACK HEART."""
_UNSPOKEN = frozenset({"So", "Sk", "Cf", "Cs", "Co", "Me"})
_ARROWLESS = str.maketrans({"→": " ", "←": " ", "\ufe0f": None})


def strip_emoji(text: str) -> str:
    """Without pictographs, arrows and what joins them; lines stay lines."""
    kept = (" " if unicodedata.category(c) in _UNSPOKEN else c for c in text)
    return "".join(kept).translate(_ARROWLESS)


def name_emoji(text: str, language: str) -> str:
    """The names of the first few, each once; empty where there is none. `language` is en or ko."""
    names = dict.fromkeys(_name(sign, language) for sign in _PICTOGRAPH.findall(text))
    return ", ".join([name for name in names if name][:MOST])


def _name(sign: str, language: str) -> str:
    if "\U0001f1e6" <= sign <= "\U0001f1ff":
        return _FLAG[language]
    if language == "ko":
        return KOREAN.get(sign, "이모티콘")
    return ENGLISH.get(sign) or _OF_TYPE.sub("", unicodedata.name(sign, "").lower()).strip()
