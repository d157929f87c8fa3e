"""Word salad is not spoken, and whatever makes sense is."""

from __future__ import annotations

import random

import pytest

from pipeline.description.answer.answer import Answer
from pipeline.description.answer.garble import is_garbled

SCRAPS = (
    *("fontsize", "/login", "COMMON", " enzym", " grande", "CreateInfo", "-terminal", " Sunny", "Harris"),
    *(" 많은", "不间断", "资料", "ס", "ურე", "znač", " нар", "заво", "ليس", "のため", "ứ", "뀔", ".", "\n"),
    *(" the", "FilePath", "(M", " getById", "letcher", " boasted", "olicy", "alarm", " atenção", "0", ","),
)
"""Pieces that language models are made of."""


@pytest.mark.parametrize(
    "sentence",
    [
        "fontsize/loginCOMMON enzym 많은不间断ס愿 Sunny grande 資料第四届ure原著.",
        "A отличía wall.",
        "blowfishmadeupwithoutanyspacebetweenthewords is ahead.",
        "A FilePath with CreateInfo and getById.",
        "יפה ليس there is a wall of the house on the street.",
        "앞에 不间断ס 문이 있습니다.",
    ],
)
def test_salad_is_recognised(sentence: str) -> None:
    assert is_garbled(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "A McDonald's and a YouTube shop on the left.",
        "A sign reads 出口 above the door.",
        "A Japanese sign, ラーメン屋, on the right.",
        "A café, a crêpe stand and a Škoda.",
        "A sign says ВЫХОД.",
        "An antidisestablishmentarianism poster.",
        "Bus 42B stops at 10:30 a.m., 3.5 m ahead.",
        "TV를 보는 사람과 KFC가 보입니다.",
        "2층에 USB포트가 있습니다.",
        "A-ha! Well... a dog-walker's half-open gate.",
        "",
    ],
)
def test_what_makes_sense_is_not(sentence: str) -> None:
    assert not is_garbled(sentence)


def test_hardly_anything_of_a_broken_model_is_spoken() -> None:
    dice = random.Random(4)
    spoken = 0
    for _ in range(100):
        answer = Answer("safe", "Describe what is in view.", "en")
        said = [sentence for _ in range(80) for sentence in answer.feed(dice.choice(SCRAPS))]
        said += answer.finish(cut=True)
        spoken += sum(len(sentence.split()) for sentence in said)
    assert spoken < 200, "two words an answer; all of it would be fifteen"
