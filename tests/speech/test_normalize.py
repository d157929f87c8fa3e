"""What is written and what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.clauses import clauses
from speech.normalize import normalized


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A car 3 m ahead at 30 km/h.", "A car 3 meters ahead at 30 kilometers per hour."),
        ("1 m, 1.5m, 25°C, 50% off", "1 meter, 1.5 meters, 25 degrees Celsius, 50 percent off"),
        ("**STOP** sign, `EXIT`", "STOP sign, EXIT"),
        ("# Scene\n- a man\n- a dog", "Scene\na man\na dog"),
        ("See https://example.org/a?b=c.", "See a link."),
        ("Write to [the shop](http://x.y) or me@example.org", "Write to the shop or a link"),
        ("Dr. Kim & No. 5, #3, e.g. a car", "Dr Kim and number 5, number 3, for example a car"),
        ("Fire 🔥 ahead ⚠️!", "Fire ahead !"),
        ("1,250 people at 10:30 for $5", "1250 people at 10:30 for $5"),
        ("<b>bold</b> & x < y", "bold and x < y"),
        ("snake_case, _it_, 5 mice stay", "snake case, it, 5 mice stay"),
    ],
)
def test_english(written: str, said: str) -> None:
    assert normalized(written, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3m 앞에 자동차", "3 미터 앞에 자동차"),
        ("30 km/h 속도", "시속 30 킬로미터 속도"),
        ("25°C, 50% 할인", "25 도, 50 퍼센트 할인"),
        ("#3 & 4", "3번 그리고 4"),
        ("3~5명", "3에서 5명"),
        ("1,000원", "1000원"),
        ("**정지** 표지판 🛑", "정지 표지판"),
        ("www.example.org 참고", "링크 참고"),
    ],
)
def test_korean(written: str, said: str) -> None:
    assert normalized(written, "ko") == said


def test_a_number_is_not_cut_at_its_comma() -> None:
    assert [clause.text for clause in clauses("값은 3,5 입니다, 네", "ko")] == ["값은 3,5 입니다,", "네"]


@given(st.text(max_size=300), st.sampled_from(["en", "ko", "de"]))
def test_it_never_fails_and_leaves_no_double_space(text: str, language: str) -> None:
    assert "  " not in normalized(text, language)


@given(st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyz가나다라마바사", min_size=1), max_size=20))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert normalized(" ".join(words), "en") == " ".join(words)
    assert normalized(" ".join(words), "ko") == " ".join(words)
