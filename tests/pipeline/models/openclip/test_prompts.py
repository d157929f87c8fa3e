"""The shipped texts of dual encoders, and how they are arranged."""

from __future__ import annotations

import re

import pytest

from pipeline.hazards import builtin, builtin_hazards, from_settings, prompt_set
from pipeline.models.openclip.prompts import in_templates, prompt_file, prompt_sides
from pipeline.settings import HazardSettings
from pipeline.types import PromptSet

FILE = prompt_file()


def shipped() -> PromptSet:
    return prompt_set(from_settings({name: HazardSettings(**table) for name, table in builtin().items()}))


def test_every_built_in_hazard_has_texts_and_no_other() -> None:
    assert set(FILE.hazards) == set(builtin_hazards())


def test_no_text_stands_on_both_sides_or_twice() -> None:
    for side in prompt_sides(shipped(), korean=True):
        assert not set(side.own) & set(side.rivals), side.name
        assert len(set(side.own)) == len(side.own)
        assert len(set(side.rivals)) == len(side.rivals)


def test_texts_are_concrete() -> None:
    """Models of this kind do not understand negation."""
    english = [text for text in FILE.texts if text.isascii()]
    assert not [text for text in english if re.search(r"\b(no|not|never|danger|safe|harmless)\b", text)]


def test_the_lists_are_few() -> None:
    sides = prompt_sides(shipped(), korean=False)
    assert max(len(side.own) for side in sides) <= 8
    assert max(len(side.rivals) for side in sides) <= 70


def test_korean_joins_for_models_that_read_it() -> None:
    (english, *_), (both, *_) = (prompt_sides(shipped(), korean=korean) for korean in (False, True))
    assert all(text.isascii() for text in (*english.own, *english.rivals))
    assert set(both.own) > set(english.own)
    assert any(not text.isascii() for text in both.rivals)


def test_words_of_the_settings_are_kept_against_the_whole_contrast() -> None:
    changed = {**builtin(), "ice": {"prompts": ("a frozen puddle",)}}
    changed["fire"] = {**changed["fire"], "prompts": ("a campfire",)}
    prompts = prompt_set(from_settings({name: HazardSettings(**t) for name, t in changed.items()}))
    sides = {side.name: side for side in prompt_sides(prompts, korean=False)}
    assert sides["fire"].own == ("a campfire",)
    assert sides["ice"].own == ("a frozen puddle",)
    assert "a living room with a couch" in sides["ice"].rivals
    assert sides["smoke"].own == FILE.hazards["smoke"].prompts


@pytest.mark.parametrize(
    ("text", "count", "first"),
    [
        ("a black picture", len(FILE.templates), "a photo of a black picture."),
        ("a frozen puddle", 2, "a photo of a frozen puddle."),
        ("a photo of a frozen puddle", 1, "a photo of a frozen puddle"),
        ("a blurry picture of ice", 1, "a blurry picture of ice"),
        ("빈 인도", len(FILE.templates_ko), "빈 인도"),
    ],
)
def test_a_text_stands_in_templates_of_its_language(text: str, count: int, first: str) -> None:
    sentences = in_templates(text)
    assert (len(sentences), sentences[0]) == (count, first)
