"""How far two words are apart, and which differences count as a mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.misspelling import edits, is_misspelling, meant_word

WORD = st.text("abc", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("", "", 0),
        ("car", "car", 0),
        ("cra", "car", 1),
        ("ca", "car", 1),
        ("bycicle", "bicycle", 2),
        ("ab", "cd", 2),
    ],
)
def test_known_distances(one: str, other: str, apart: int) -> None:
    assert edits(one, other, 9) == apart


def plain_edits(one: str, other: str) -> int:
    """The same by its recursive definition."""
    if not one or not other:
        return len(one) + len(other)
    best = min(
        plain_edits(one[:-1], other) + 1,
        plain_edits(one, other[:-1]) + 1,
        plain_edits(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    )
    if one[-2:] == other[-2:][::-1] and len(one) > 1 and len(other) > 1:
        best = min(best, plain_edits(one[:-2], other[:-2]) + 1)
    return best


@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 6))
def test_distances_are_those_of_the_definition_up_to_the_limit(one: str, other: str, limit: int) -> None:
    expected = plain_edits(one, other)
    assert edits(one, other, limit) == expected if expected <= limit else edits(one, other, limit) > limit


@given(WORD, WORD)
def test_distances_are_symmetric_and_zero_for_the_same(one: str, other: str) -> None:
    assert edits(one, other, 20) == edits(other, one, 20)
    assert (edits(one, other, 20) == 0) == (one == other)


@given(WORD, WORD)
def test_a_word_is_no_mistake_for_itself_nor_a_short_one_for_another(one: str, other: str) -> None:
    assert not is_misspelling(one, one)
    if len(other) < 4:
        assert not is_misspelling(one, other) or sorted(one) == sorted(other)


def test_the_nearest_word_is_meant() -> None:
    assert meant_word("trukc", ["trunk", "truck"]) == "truck"
    assert meant_word("house", ["truck"]) is None
