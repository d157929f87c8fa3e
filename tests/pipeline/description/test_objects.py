"""Things by name, in two languages, and which hazard a word means."""

from __future__ import annotations

import pytest

from pipeline.description.objects import HazardLexicon, object_classes
from pipeline.hazards import builtin

WORDS = HazardLexicon(builtin().keys(), object_classes())


@pytest.mark.parametrize(
    ("word", "hazard"),
    [
        ("knife", "knife"),
        ("a kitchen knife", "knife"),
        ("Knives", None),
        ("칼", "knife"),
        ("부엌칼", "knife"),
        ("car", "vehicle"),
        ("two red sports cars", "vehicle"),
        ("자동차", "vehicle"),
        ("buses", "vehicle"),
        ("car park", None),
        ("a hot-dog", "dog"),
        ("person_with_weapon", "person_with_weapon"),
        ("traffic-light", "crosswalk_signal"),
        ("cup", None),
        ("의자", None),
        ("", None),
        ("🙂", None),
    ],
)
def test_words_mean_hazards(word: str, hazard: str | None) -> None:
    assert WORDS.hazard(word) == hazard


def test_a_hazard_that_is_not_watched_for_is_none_and_ones_own_is_known_by_name() -> None:
    own = HazardLexicon(["knife", "thin_ice"], object_classes())
    assert own.hazard("car") is None
    assert own.hazard("thin ice") == "thin_ice"


def test_the_table_is_whole() -> None:
    known = object_classes()
    names = [thing.name for thing in known]
    assert len(set(names)) == len(names) > 100
    assert {thing.hazard for thing in known} - {None} == set(builtin())
    said: dict[str, str | None] = {}
    for thing in known:
        assert thing.ko
        assert thing.prompts
        for word in (thing.name, thing.ko, *thing.also):
            assert said.setdefault(word, thing.hazard) == thing.hazard, f"{word} is two hazards"
