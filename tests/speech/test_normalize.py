"""What is written and what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.clauses import clauses
from speech.korean import native
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
        ("1,250 people at 10:30 for $5", "1250 people at 10:30 for 5 dollars"),
        ("<b>bold</b> & x < y", "bold and x < y"),
        ("snake_case, _it_, 5 mice stay", "snake case, it, 5 mice stay"),
        ("5-10 m away, 3–4 people, bus 3-2", "5 to 10 meters away, 3 to 4 people, bus 3-2"),
        ("call 555-1234 on 2026-05-01", "call 555-1234 on 2026-05-01"),
        (
            "25℃, -5°C, 10 min. walk, 2 lbs",
            "25 degrees Celsius, minus 5 degrees Celsius, 10 minutes walk, 2 pounds",
        ),
        ("€1, 5.20 £ and 20㎡", "1 euro, 5.20 pounds and 20 square meters"),
        ("At 3rd St. near Main St and St. James", "At 3rd Street near Main Street and St James"),
        ("Kim vs. Lee, approx. 1/2 mile w/ a dog", "Kim versus Lee, approximately one half mile with a dog"),
        ("open 24/7, 5G, the 1990s, size 5 L", "open 24/7, 5G, the 1990s, size 5 liters"),
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
        ("3~5명", "세 명에서 다섯 명"),
        ("1,000원", "1000원"),
        ("**정지** 표지판 🛑", "정지 표지판"),
        ("www.example.org 참고", "링크 참고"),
        ("자동차 3대가 있습니다", "자동차 세 대가 있습니다"),
        ("사람 2명, 의자 12개, 개 1마리", "사람 두 명, 의자 열두 개, 개 한 마리"),
        ("20대 남자 20명과 21명", "20대 남자 스무 명과 스물한 명"),
        ("3시 30분, 10:30, 15:00", "세 시 30분, 열 시 30분, 15 시"),
        ("2개월 동안 3개, 24시간 3시간", "2개월 동안 세 개, 24시간 세 시간"),
        ("1번째 문, 2번째 칸, 3번 출구", "첫 번째 문, 두 번째 칸, 3번 출구"),
        ("3.5m, 1.25배", "3 점 오 미터, 1 점 이오배"),
        ("버스 3-1번, 5-10 m", "버스 3 다시 1번, 5에서 10 미터"),
        ("010-1234-5678, 119에 신고", "공일공, 일이삼사, 오육칠팔, 일일구에 신고"),
        ("$5, 1,250원, 25℃, -3°C, 1/2", "5달러, 1250원, 25 도, 영하 3 도, 2분의 1"),
        ("100개, 1대1, 0개, 150대", "100개, 1대1, 0개, 150대"),
    ],
)
def test_korean(written: str, said: str) -> None:
    assert normalized(written, "ko") == said


@given(st.integers(1, 99))
def test_native_numbers_are_all_different_and_have_no_digit(number: int) -> None:
    said = native(number)
    assert said
    assert not any(character.isdigit() for character in said)
    assert [other for other in range(1, 100) if native(other) == said] == [number]


def test_a_number_is_not_cut_at_its_comma() -> None:
    assert [clause.text for clause in clauses("값은 3,5 입니다, 네", "ko")] == ["값은 3,5 입니다,", "네"]


@given(st.text(max_size=300), st.sampled_from(["en", "ko", "de"]))
def test_it_never_fails_and_leaves_no_double_space(text: str, language: str) -> None:
    assert "  " not in normalized(text, language)


@given(st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyz가나다라마바사", min_size=1), max_size=20))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert normalized(" ".join(words), "en") == " ".join(words)
    assert normalized(" ".join(words), "ko") == " ".join(words)
