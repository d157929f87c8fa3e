"""Nouns within a sentence."""

from __future__ import annotations

import pytest

from pipeline.description.nouns import with_article, without_particle


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("knife", "a knife"),
        ("axe", "an axe"),
        ("knives", "knives"),
        ("a lorry", "a lorry"),
        ("two wolves", "two wolves"),
        ("broken glass", "broken glass"),
        ("wine glass", "wine glass"),
        ("bus", "a bus"),
        ("unicycle", "a unicycle"),
        ("scissors", "scissors"),
        ("칼", "칼"),
        ("", ""),
    ],
)
def test_english_nouns_get_the_article_that_fits(noun: str, said: str) -> None:
    assert with_article(noun) == said


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("칼", "칼"),
        ("자동차", "자동차"),
        ("자동차가", "자동차"),
        ("사람들이", "사람들"),
        ("knife", "knife"),
        ("", ""),
    ],
)
def test_korean_nouns_lose_the_particle_that_came_with_them(noun: str, said: str) -> None:
    assert without_particle(noun) == said
