"""Where text is cut before it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.text.clauses import LONGEST, LONGEST_OTHER, clauses


def pieces(text: str, language: str = "en") -> list[str]:
    return [clause.text for clause in clauses(text, language)]


def test_sentences_are_cut_apart_but_numbers_are_not() -> None:
    assert pieces("It is 3.5 m away. Careful!  Go\nleft") == ["It is 3.5 m away.", "Careful!", "Go", "left"]


def test_english_keeps_its_commas_and_korean_is_cut_there() -> None:
    assert pieces("A dog, on the left.") == ["A dog, on the left."]
    assert pieces("개가, 왼쪽에 있습니다.", "ko") == ["개가,", "왼쪽에 있습니다."]


def test_the_last_piece_has_no_pause_and_a_sentence_pauses_longer_than_a_comma() -> None:
    comma, sentence, last = (clause.pause_s for clause in clauses("개가, 있습니다. 네", "ko"))
    assert sentence > comma > last == 0


@given(st.text(max_size=800), st.sampled_from(["en", "ko"]))
def test_pieces_are_short_and_lose_no_letter(text: str, language: str) -> None:
    found = pieces(text, language)
    assert all(len(piece) <= LONGEST.get(language, LONGEST_OTHER) for piece in found)
    assert all(any(c.isalnum() for c in piece) for piece in found)


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"]), max_size=500))
def test_letters_and_digits_all_arrive(text: str) -> None:
    import unicodedata

    assert "".join(pieces(text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["", " \n ", "...", "— – !"])
def test_nothing_to_say(text: str) -> None:
    assert pieces(text) == []
