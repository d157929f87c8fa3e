"""What is written and what is said."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.text.clauses import clauses
from speech.text.korean import native_numeral
from speech.text.normalize import normalize


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
        ("call 555-1234 on 2026-05-01", "call 5 5 5, 1 2 3 4 on May 1 2026"),
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
    assert normalize(written, "en") == said


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
    assert normalize(written, "ko") == said


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("5*3, 5 * 3, 5×3", "5 times 3, 5 times 3, 5 times 3", "5 곱하기 3, 5 곱하기 3, 5 곱하기 3"),
        ("**5** 2**8 *a*", "5 2 8 a", "5 2 8 a"),
        ("10|20 and yes|no", "10, 20 and yes no", "10, 20 and yes no"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a b\n1, 2", "a b\n1, 2"),
        ('"<EXIT>", x<y then z>w', '"<EXIT>", x<y then z>w', '"<EXIT>", x<y then z>w'),
        ("a<b and c>d", "a<b and c>d", "a<b and c>d"),
        ("<출구> <STOP>", "<출구> <STOP>", "<출구> <STOP>"),
        ("<think>hm</think> ok<br/><|im_end|></s>", "hm ok", "hm ok"),
        ('<a href="x">y</a><start_of_turn>', "y", "y"),
        ("a&nbsp;b &lt;b&gt;c 5 &gt; 3", "a b c 5 > 3", "a b c 5 > 3"),
        ("AT&T R&amp;D", "AT and T R and D", "AT 그리고 T R 그리고 D"),
    ],
)
def test_only_markup_is_taken_away(written: str, english: str, korean: str) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("50%-70%", "50 percent to 70 percent", "50 퍼센트에서 70 퍼센트"),
        ("20°-25°", "20 degrees to 25 degrees", "20 도에서 25 도"),
        ("20-25°C", "20 to 25 degrees Celsius", "20에서 25 도"),
        ("-5~5°C", "minus 5 to 5 degrees Celsius", "마이너스 5에서 5 도"),
        ("-5°C--3°C", "minus 5 degrees Celsius to minus 3 degrees Celsius", "영하 5 도에서 영하 3 도"),
        ("5m-10m", "5 meters to 10 meters", "5 미터에서 10 미터"),
        ("10:00-18:00", "10 o'clock to 18 o'clock", "열 시에서 18 시"),
        ("1,000-2,000", "1000 to 2000", "1000에서 2000"),
        ("2019-2024", "2019 to 2024", "2019에서 2024"),
        ("500-1000", "500 to 1000", "500에서 1000"),
        ("bus 3-5", "bus 3-5", "bus 3 다시 5"),
        ("50% - 3 h", "50 percent - 3 h", "50 퍼센트 - 3 h"),
    ],
)
def test_ranges(written: str, english: str, korean: str) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("$1", "1 dollar", "1달러"),
        ("$5 million", "5 million dollars", "5 million달러"),
        ("$5-10", "5 to 10 dollars", "5에서 10달러"),
        ("US$5", "US 5 dollars", "US 5달러"),
        ("-$5, 3€", "minus 5 dollars, 3 euros", "마이너스 5달러, 3유로"),
        ("£1,250.50", "1250.50 pounds", "1250 점 오영파운드"),
        ("$5 - 10 min", "5 dollars - 10 minutes", "5달러 - 10 분"),
    ],
)
def test_money(written: str, english: str, korean: str) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("5 m2", "5 square meters", "5 제곱미터"),
        ("10 m³", "10 cubic meters", "10 세제곱미터"),
        ("3 km^2", "3 square kilometers", "3 제곱킬로미터"),
        ("35 MPH", "35 miles per hour", "시속 35 마일"),
        ("50KM/H", "50 kilometers per hour", "시속 50 킬로미터"),
        ("1 kph", "1 kilometer per hour", "시속 1 킬로미터"),
        ("50 Hz", "50 hertz", "50 헤르츠"),
        ("5 GHz", "5 gigahertz", "5 기가헤르츠"),
        ("77°F", "77 degrees Fahrenheit", "화씨 77 도"),
        ("５０％", "50 percent", "50 퍼센트"),
        ("~5 m", "about 5 meters", "약 5 미터"),
        ("5 M, 5G, M2, B2", "5 M, 5G, M2, B2", "5 M, 5G, M2, B2"),
        ("5 mın", "5 mın", "5 mın"),
    ],
)
def test_units(written: str, english: str, korean: str) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("555-1234", "5 5 5, 1 2 3 4", "오오오, 일이삼사"),
        ("(555) 123-4567.", "5 5 5, 1 2 3, 4 5 6 7.", "오오오, 일이삼, 사오육칠."),
        ("1-800-555-1234", "1, 8 0 0, 5 5 5, 1 2 3 4", "일, 팔공공, 오오오, 일이삼사"),
        ("+82-10-1234-5678", "plus 8 2, 1 0, 1 2 3 4, 5 6 7 8", "플러스 팔이, 일공, 일이삼사, 오육칠팔"),
        ("031)123-4567", "0 3 1, 1 2 3, 4 5 6 7", "공삼일, 일이삼, 사오육칠"),
        ("02) 123-4567", "0 2, 1 2 3, 4 5 6 7", "공이, 일이삼, 사오육칠"),
        ("01012345678", "0 1 0, 1 2 3 4, 5 6 7 8", "공일공, 일이삼사, 오육칠팔"),
        ("1588-1234", "1 5 8 8, 1 2 3 4", "일오팔팔, 일이삼사"),
        ("1592-1598", "1592 to 1598", "1592에서 1598"),
        ("call 911", "call 9 1 1", "call 911"),
    ],
)
def test_telephone_numbers(written: str, english: str, korean: str) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("2024-05-17.", "May 17 2024.", "2024년 5월 17일."),
        ("2024/06/01", "June 1 2024", "2024년 유월 1일"),
        (
            "2024-10-17T14:05:30",
            "October 17 2024, 14 oh 5 and 30 seconds",
            "2024년 시월 17일, 14 시 5분 30초",
        ),
        ("14:00", "14 o'clock", "14 시"),
        ("14:05", "14 oh 5", "14 시 5분"),
        ("9:00 AM", "9 AM", "아홉 시 AM"),
        ("09:30", "9:30", "아홉 시 30분"),
        ("16:9, v1.2.3, 2024.1.0", "16:9, v1.2.3, 2024.1.0", "16:9, v1.2.3, 2024.1.0"),
        ("5/8", "five eighths", "8분의 5"),
        ("3 1/2, 2½", "3 and one half, 2 and one half", "3과 2분의 1, 2와 2분의 1"),
        ("24/7, 50/50, 9/11", "24/7, 50/50, 9/11", "24/7, 50/50, 9/11"),
    ],
)
def test_dates_times_and_fractions(written: str, english: str, korean: str) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


@pytest.mark.parametrize(
    "text",
    [
        *("No. 5-7 is v1.2.3", "a 5-3 win", "room 101-A", "Boeing 737-800", "A320-200", "COVID-19, F-16"),
        *("192.168.0.1", "ISBN 978-3-16-148410-0", "mp3, 3D, 4K", "C# and C++", "John 3:16", "Porsche 911"),
        *("5/17/2024", "12V-3A"),
    ],
)
def test_names_made_of_numbers_stay(text: str) -> None:
    said = text.replace("No. ", "number ").replace("12V", "12 volts")
    assert normalize(text, "en") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("시속 60km/h, 시속60km/h, 초속 5m/s", "시속 60 킬로미터, 시속 60 킬로미터, 초속 5 미터"),
        ("시속 약 60km/h, 50~60km/h", "시속 약 60 킬로미터, 시속 50에서 60 킬로미터"),
        ("3대예요 2대네요 3개랑", "세 대예요 두 대네요 세 개랑"),
        ("2명하고 3명밖에 5시경 3시방향", "두 명하고 세 명밖에 다섯 시경 세 시방향"),
        ("4시30분경 3개미만 2달간", "네 시30분경 세 개미만 두 달간"),
        ("3개국 2개월 5달러 제3대 1대1", "3개국 2개월 5달러 제3대 1대1"),
        ("6월 10월 16월 6개월", "유월 시월 16월 6개월"),
        ("3∼5명, 3명~5명, 3~5개월", "세 명에서 다섯 명, 세 명에서 다섯 명, 3에서 5개월"),
        ("오전 9시~오후 6시, 월~금", "오전 아홉 시에서 오후 여섯 시, 월에서 금"),
        ("영하 -5°C, -5도", "영하 5 도, 영하 5도"),
        ("길이5m, 가격$5", "길이5 미터, 가격 5달러"),
        ("201-1203호, 버스 3-5번", "201-1203호, 버스 3 다시 5번"),
        ("안녕~ 반가워~", "안녕~ 반가워~"),
    ],
)
def test_what_korean_alone_writes(written: str, said: str) -> None:
    assert normalize(written, "ko") == said


@pytest.mark.parametrize(
    ("written", "english", "korean"),
    [
        ("🔥🔥🚒", "fire, fire engine", "불, 소방차"),
        ("⚠️!", "warning", "주의"),
        ("❤️ 👍🏽", "red heart, thumbs up", "빨간색 하트, 올린 엄지"),
        ("👩🏽‍🚒", "woman firefighter", "여자 소방관"),
        ("🇰🇷", "South Korea", "깃발 대한민국"),
        ("➡", "right arrow", "우향 화살표"),
        ("🔥 ok", "ok", "ok"),
        ("─── ●●●", "black circle", "기호"),
    ],
)
def test_pictographs_are_named_only_where_there_is_nothing_else(
    written: str, english: str, korean: str
) -> None:
    assert normalize(written, "en") == english
    assert normalize(written, "ko") == korean


_ODD = st.lists(
    st.sampled_from(
        [*"0123456789-~–.,:/'\"% °()+$€|*<>&;×½²", "km", "시속 ", "대", "월", "am", "k", "🔥", "</s>"]
    ),
    max_size=30,
).map("".join)


@given(_ODD, st.sampled_from(["en", "ko"]))
def test_no_heap_of_signs_and_numbers_makes_it_fail(text: str, language: str) -> None:
    assert "  " not in normalize(text, language)


@given(st.integers(1, 99))
def test_native_numbers_are_all_different_and_have_no_digit(number: int) -> None:
    said = native_numeral(number)
    assert said
    assert not any(character.isdigit() for character in said)
    assert [other for other in range(1, 100) if native_numeral(other) == said] == [number]


def test_a_number_is_not_cut_at_its_comma() -> None:
    assert [clause.text for clause in clauses("값은 3,5 입니다, 네", "ko")] == ["값은 3,5 입니다,", "네"]


@given(st.text(max_size=300), st.sampled_from(["en", "ko", "de"]))
def test_it_never_fails_and_leaves_no_double_space(text: str, language: str) -> None:
    assert "  " not in normalize(text, language)


@given(st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyz가나다라마바사", min_size=1), max_size=20))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert normalize(" ".join(words), "en") == " ".join(words)
    assert normalize(" ".join(words), "ko") == " ".join(words)


@pytest.mark.parametrize(
    ("written", "language", "said"),
    [
        ("①번 출구, ③층, Ⅳ관", "ko", "1번 출구, 3층, 4관"),
        ("Exit ①, Gate Ⅳ, ⅻ", "en", "Exit 1, Gate 4, 12"),
        ("①", "ko", "1"),
        ("㉠ 출구, ㈁항", "ko", "기역 출구, 니은항"),
        ("10⁶", "en", "10 to the 6"),
        ("10⁻³", "ko", "10의 마이너스 3제곱"),
        ("𝐒𝐓𝐎𝐏 Ⓐ 🅲 ㉮ ﬁre", "en", "STOP A C 가 fire"),
        ("20 m², H₂O", "en", "20 square meters, H2O"),
        ("sta\u00adirs, zero\u200bwidth", "en", "stairs, zerowidth"),
        ("ㅋㅋ", "ko", "ㅋㅋ"),
        ("№5", "en", "number 5"),
    ],
)
def test_special_forms_of_letters_and_numbers_are_said(written: str, language: str, said: str) -> None:
    assert normalize(written, language) == said


@pytest.mark.parametrize(
    ("written", "language", "said"),
    [
        ("Exit →", "en", "Exit, right arrow"),
        ("→ 출구", "ko", "오른쪽 화살표, 출구"),
        ("?", "en", "question mark"),
        ("?", "ko", "물음표"),
        ("§", "ko", "기호"),
    ],
)
def test_what_no_voice_says_is_named(written: str, language: str, said: str) -> None:
    assert normalize(written, language) == said


@given(st.text(min_size=1, max_size=20))
def test_nothing_that_is_seen_is_dropped_altogether(text: str) -> None:
    visible = [
        c for c in text if unicodedata.category(c)[0] in "LNSP" and "BOX DRAW" not in unicodedata.name(c, "")
    ]
    assert not visible or any(map(str.isalnum, normalize(text, "en")))
