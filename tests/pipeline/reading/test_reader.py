"""The words of a picture: the networks on rendered signs, and the decisions around them without networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading import korean
from pipeline.reading.detection import Quad, input_size, lines, ordered
from pipeline.reading.korean import parse_tsv
from pipeline.reading.layout import TextLine, in_reading_order
from pipeline.reading.passages import (
    MORE,
    NO_KOREAN,
    NO_TEXT,
    OTHER_SCRIPT,
    Passage,
    ReadText,
    asks_to_read,
    spoken,
)
from pipeline.reading.reader import LONGEST, TextReader, arranged, is_sure
from pipeline.reading.recognition import RecognisedLine, decode
from tests.pipeline.reading.signs import korean_font, model_folder, sign


def quad(left: float, top: float, width: float, height: float) -> Quad:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def line(text: str, left: float, top: float, height: float, language: str = "en") -> TextLine:
    return TextLine(quad(left, top, 0.6 * height * len(text), height), text, language)


def texts(found: ReadText) -> list[tuple[str, str]]:
    return [(one.language, one.text) for one in found.passages]


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader(model_folder())


def test_a_sign_is_read_with_its_spaces_and_the_largest_letters_first(reader: TextReader) -> None:
    found = reader.read(sign(("open daily", 24), ("ROAD CLOSED", 66), ("use the other side", 24)))
    assert texts(found) == [("en", "ROAD CLOSED. open daily. use the other side.")]


def test_a_wall_without_words_has_none(reader: TextReader) -> None:
    generator = np.random.default_rng(1)
    wall = generator.normal(128, 25, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    assert reader.read(wall).passages == ()


@pytest.mark.skipif(not korean.installed(), reason="no tesseract-ocr-kor")
def test_korean_and_english_on_one_sign_are_told_apart(reader: TextReader) -> None:
    found = reader.read(sign(("출입금지", 80), ("NO ENTRY", 48), font=korean_font()))
    assert texts(found) == [("ko", "출입 금지."), ("en", "NO ENTRY.")]


def test_a_row_is_read_from_left_to_right_and_a_block_from_the_top() -> None:
    scattered = [line("D", 200, 60, 20), line("A", 10, 10, 20), line("C", 10, 60, 20), line("B", 25, 12, 20)]
    assert [[one.text for one in block] for block in in_reading_order(scattered)] == [
        ["A", "B"],
        ["C"],
        ["D"],
    ]


def test_the_block_with_the_largest_letters_comes_first() -> None:
    small, large, under = line("small", 10, 10, 12), line("LARGE", 10, 200, 60), line("UNDER", 10, 270, 50)
    assert [[one.text for one in block] for block in in_reading_order([small, under, large])] == [
        ["LARGE", "UNDER"],
        ["small"],
    ]


@given(st.lists(st.tuples(*[st.integers(0, 600)] * 2, st.integers(5, 90)), max_size=12))
def test_no_line_is_lost_or_read_twice(places: list[tuple[int, int, int]]) -> None:
    given_lines = [line(str(n), x, y, height) for n, (x, y, height) in enumerate(places)]
    read = [one.text for block in in_reading_order(given_lines) for one in block]
    assert sorted(read) == sorted(one.text for one in given_lines)


def test_neighbours_of_one_language_are_one_passage() -> None:
    found = arranged(
        [line("EXIT", 10, 10, 60), line("출구", 10, 100, 40, "ko"), line("way out", 10, 200, 20)]
    )
    assert texts(found) == [("en", "EXIT."), ("ko", "출구."), ("en", "way out.")]


def test_a_long_page_ends_with_a_word_that_there_is_more() -> None:
    page = [line("word " * 20, 10, 10 + 100 * n, 20) for n in range(20)]
    found = arranged(page)
    assert found.more and sum(len(one.text) for one in found.passages) <= LONGEST + 20
    assert spoken(found, "en")[-1] == Passage(MORE["en"], "en")


def test_a_script_without_a_voice_is_named_and_not_dropped() -> None:
    found = arranged([line("禁止进入", 10, 10, 40), line("EXIT", 10, 100, 20)])
    assert spoken(found, "en") == (Passage("EXIT.", "en"), Passage(OTHER_SCRIPT["en"], "en"))


def test_without_words_ignorance_is_said_and_the_missing_korean_only_to_who_speaks_it() -> None:
    assert spoken(ReadText(), "en") == (Passage(NO_TEXT["en"], "en"),)
    assert spoken(ReadText(korean=False), "en") == (Passage(NO_TEXT["en"], "en"),)
    assert spoken(ReadText(korean=False), "ko")[1:] == (Passage(NO_KOREAN["ko"], "ko"),)


@pytest.mark.parametrize(
    ("text", "confidence", "sure"),
    [("EXIT", 0.85, True), ("EXIT", 0.7, False), ("A", 0.85, False), ("A", 0.95, True), ("-:", 1.0, False)],
)
def test_what_looks_like_letters_is_not_read(text: str, confidence: float, sure: bool) -> None:
    assert is_sure(RecognisedLine(text, confidence)) is sure


def path(*classes: int, space: tuple[int, float] | None = None) -> np.ndarray:
    """Probabilities (T, 5) whose best path is `classes`; `space` puts some on the last class at a step."""
    found = np.full((len(classes), 5), 0.01, np.float32)
    found[np.arange(len(classes)), classes] = 0.9
    if space:
        found[space[0], 4] = space[1]
    return found


LETTERS = ("", "A", "B", "C", " ")


def test_repetitions_and_blanks_fall_out() -> None:
    assert decode(path(1, 1, 0, 1, 2, 0, 0, 3), LETTERS).text == "AABC"


def test_a_space_needs_no_best_place_on_the_path() -> None:
    assert decode(path(1, 0, 2, 3, space=(1, 0.3)), LETTERS).text == "A BC"
    assert decode(path(1, 4, 4, 2, 4), LETTERS).text == "A B"


def test_nothing_is_no_line() -> None:
    assert decode(path(0, 0, 4), LETTERS) == RecognisedLine("", 0.0)


def test_a_line_in_the_map_is_grown_to_its_full_size() -> None:
    text = np.zeros((320, 320), np.float32)
    text[100:121, 50:251] = 0.9
    (found,) = lines(text)
    grown = 1.6 * 200 * 20 / (2 * 220)
    assert np.allclose(found[0], [50 - grown, 100 - grown], atol=2.5)
    assert np.allclose(found[2], [250 + grown, 120 + grown], atol=2.5)


def test_a_faint_or_tiny_patch_is_no_line() -> None:
    text = np.zeros((320, 320), np.float32)
    text[100:121, 50:251] = 0.4  # over the threshold of a pixel, below that of a line
    text[200:202, 50:90] = 0.9
    assert lines(text) == []


def test_corners_come_in_reading_order() -> None:
    corners = quad(10, 20, 100, 30)
    for turn in range(4):
        assert np.array_equal(ordered(np.roll(corners, turn, axis=0)), corners)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (170, 227), (2000, 40)])
def test_the_input_is_a_multiple_of_the_stride(size: tuple[int, int]) -> None:
    width, height = input_size(*size)
    assert (width % 32, height % 32) == (0, 0) and min(width, height) >= 32


def test_the_table_of_tesseract_becomes_one_line_a_page() -> None:
    header = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    word = "5\t{page}\t1\t1\t1\t1\t0\t0\t9\t9\t{p}\t{text}\n"
    table = header + word.format(page=1, p=90, text="비상") + word.format(page=1, p=70, text="구")
    assert parse_tsv(table + "4\t2\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t\n", 2) == [
        RecognisedLine("비상 구", (0.9 + 0.7) / 2),
        RecognisedLine("", 0.0),
    ]


def test_single_syllables_are_one_word() -> None:
    word = "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t90\t{}\n"
    assert (
        parse_tsv("".join(map(word.format, ["출", "입", "금지", "1", "층"])), 1)[0].text == "출입 금지 1 층"
    )


@pytest.mark.parametrize(
    "question",
    [
        "read",
        "Read this, please",
        "please read the sign",
        "What does the sign say?",
        "What is written there?",
        "읽어",
        "읽어 줘",
        "표지판 읽어주세요",
        "뭐라고 써 있어?",
        "뭐라고 적혀 있나요?",
    ],
)
def test_a_question_for_the_words_is_known(question: str) -> None:
    assert asks_to_read(question)


@pytest.mark.parametrize(
    "question",
    [None, "", "Is the road free?", "Is the dog ready?", "Who is reading?", "What is there?", "뭐가 보여?"],
)
def test_other_questions_are_not_taken_for_one(question: str | None) -> None:
    assert not asks_to_read(question)
