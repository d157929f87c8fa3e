"""Korean particles after whatever a name may end in."""

from __future__ import annotations

import pytest

from speech.text.particles import with_particle


@pytest.mark.parametrize(
    ("word", "pair", "said"),
    [
        ("차", "이/가", "차가"),
        ("불", "이/가", "불이"),
        ("계단", "과/와", "계단과"),
        ("0.42", "이/가", "0.42가"),
        ("0.50", "이/가", "0.50이"),
        ("3", "을/를", "3을"),
        ("scooter", "이/가", "scooter가"),
        ("stop", "은/는", "stop은"),
        ("CCTV", "이/가", "CCTV가"),
        ("ATM", "이/가", "ATM이"),
        ("서울", "으로/로", "서울로"),
        ("거리", "으로/로", "거리로"),
        ("사무실", "으로/로", "사무실로"),
        ("공원", "으로/로", "공원으로"),
        ("7", "으로/로", "7로"),
        ("차 (왼쪽)", "이/가", "차 (왼쪽)이"),
    ],
)
def test_the_particle_follows_the_sound_before_it(word: str, pair: str, said: str) -> None:
    assert with_particle(word, pair) == said
