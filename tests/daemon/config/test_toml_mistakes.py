"""Mistakes in TOML: the line is named, the cure is given, and reading goes on where it can."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config.toml_mistakes import MOST, parse


@pytest.mark.parametrize(
    ("line", "said", "meant"),
    [
        ("a = ko", 'text wants quotes; write a = "ko"', "ko"),
        ("a = /dev/video0", 'text wants quotes; write a = "/dev/video0"', "/dev/video0"),
        ("a = ~/my clip.mp4 # mine", 'write a = "~/my clip.mp4"', "~/my clip.mp4"),
        ("a = rtsp://me:secret@h/p", 'write a = "rtsp://***@h/p"', "rtsp://me:secret@h/p"),
        ("a = 1280x720", 'write a = "1280x720"', "1280x720"),
        ("a = 0,5", "a decimal point is a point; write a = 0.5", 0.5),
        ("a = .5", "write a = 0.5", 0.5),
        ("a = 5.", "write a = 5.0", 5.0),
        ("a = 007", "no leading zeros; write a = 7", 7),
        ("a = 80%", "without its unit; write a = 80", 80),
        ("a = 2 s", "without its unit; write a = 2", 2),
        ("a = 0.5;", "without a comma or semicolon; write a = 0.5", 0.5),
        ('a = "x",  # y', 'without a comma or semicolon; write a = "x"', "x"),
        ("a = true,", "without a comma or semicolon; write a = true", True),
        ("a = [1, 2];", "without a comma or semicolon; write a = [1, 2]", [1, 2]),
        ("a = True", "true or false; write a = true", True),
        ("a = no", "true or false; write a = false", False),
        ('a = "x', 'the closing quote is missing; write a = "x"', "x"),
        ("a = 'x # y", "the closing quote is missing; write a = 'x'", "x"),
        ("a = \"x'", "the closing quote is missing", "x"),
        ("a = “x”", 'only straight quotes are quotes; write a = "x"', "x"),
        (r'a = "C:\Users\x"', r"write a = 'C:\Users\x'", r"C:\Users\x"),
        (
            "a = [b, c]",
            'each text in a list wants quotes, and a comma between; write a = ["b", "c"]',
            ["b", "c"],
        ),
        ('a = ["b", "c"', 'the list is not closed; write a = ["b", "c"]', ["b", "c"]),
        ("a: ko", 'write = behind the name: a = "ko"', "ko"),
        ("a 5", "write = behind the name: a = 5", 5),
        ("a == 5", "one = is enough; write a = 5", 5),
        ("a ＝ 5", "contains the sign U+FF1D; write the ordinary sign", 5),
        ("a = 5\x00", "contains the sign U+0000; remove it", 5),
        ("a =", "a value is missing behind =", None),
        ("a = # later", "a value is missing behind =", None),
        ("a = 1 b = 2", "each setting wants a line of its own", None),
        ('a = "x" y', "one text in one pair of quotes, and nothing behind it", None),
        ("a = {b", "a table in one line", None),
        ("음량 = 3", "small English letters", None),
        ("my key = 3", "no spaces", None),
        ("// a = 3", "a comment begins with #", None),
        ("some words without meaning", "is no [section], no setting", None),
    ],
)
def test_a_line_is_told_with_its_cure_and_read_as_it_was_meant(line: str, said: str, meant: object) -> None:
    values, mistakes = parse(f"before = 1\n{line}\nbehind = 2\n")
    assert [mistake.line for mistake in mistakes] == [2]
    assert said in mistakes[0].message
    assert "secret" not in mistakes[0].message
    assert values == {"before": 1, "behind": 2} | ({} if meant is None else {"a": meant})


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[speech\n", 1, "a section is written as [speech]"),
        ("[speech]]\n", 1, "a section is written as [speech]"),
        ("a = 1\nb = 2\na = 3\n", 3, "this is set in line 1 already"),
        ("[s]\na = 1\n[t]\n[s]\nb = 2\n", 4, "this section begins in line 1 already; move its lines there"),
        ('p = [\n "a",\n "b"\nq = 1\n', 1, "the list is not closed; write ] at its end"),
        ('p = [\n "a"\n "b",\n]\n', 3, "a comma is missing in the list"),
        ('a = """x\nb = 1\n', 1, "the text is not closed; write its three quotes"),
        ("a.b = 1\na = 2\n", 2, "this is set above already"),
    ],
)
def test_a_mistake_over_several_lines_is_told_where_it_begins(text: str, line: int, said: str) -> None:
    _, (mistake, *_) = parse(text)
    assert mistake.line == line
    assert said in mistake.message


@pytest.mark.parametrize(
    "text",
    [
        "a = b\n" * 100_000,
        "k" * 900_000,
        "a = [\n" * 100_000,
        'x = "' + "\\" * 900_000,
        "a" + ".a" * 300_000 + " = 1",
        '"' * 300_000,
        "a=[" * 100_000,
    ],
    ids=["lines", "word", "lists", "backslashes", "dots", "quotes", "nesting"],
)
def test_a_hostile_file_is_soon_told_of(text: str) -> None:
    began_s = time.monotonic()
    _, mistakes = parse(text)
    assert 1 <= len(mistakes) <= MOST
    assert all(len(mistake.message) < 300 for mistake in mistakes)
    assert time.monotonic() - began_s < 30


@settings(deadline=None)
@given(st.text(alphabet="ab=\"'[]{}#.,:\n 0-“\\", max_size=60))
def test_any_text_is_read_or_told_of(text: str) -> None:
    values, mistakes = parse(text)
    assert isinstance(values, dict)
    assert all(0 <= mistake.line <= text.count("\n") + 1 for mistake in mistakes)
