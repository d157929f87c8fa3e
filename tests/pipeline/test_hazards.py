"""The built-in hazards and those of the user."""

from __future__ import annotations

import itertools

import pytest
from pydantic import ValidationError

from pipeline.evaluation.dataset import IGNORE, SAFE, SCENE
from pipeline.hazards import (
    LANGUAGES,
    RESERVED,
    BuiltinHazard,
    HazardError,
    builtin,
    builtin_hazards,
    from_settings,
    look_alikes,
    prompt_set,
    require_name,
)
from pipeline.settings import HazardSettings
from pipeline.types import Severity
from pipeline.wording import WHERE

NAMES = [
    *("fire", "smoke", "knife", "person_with_weapon", "vehicle", "two_wheeler", "train", "stairs", "hole"),
    *("construction", "dog", "dangerous_animal", "stove_hot", "crosswalk_signal"),
]


def shipped() -> dict[str, HazardSettings]:
    return {name: HazardSettings(**raw) for name, raw in builtin().items()}


def test_all_hazards_are_there_with_words_and_prompts() -> None:
    hazards = from_settings(shipped())
    assert [hazard.name for hazard in hazards][: len(NAMES)] == NAMES
    assert all(len(hazard.prompts) >= 3 and hazard.threshold is None for hazard in hazards)


def test_every_phrase_is_short_in_every_direction() -> None:
    for hazard, language in itertools.product(from_settings(shipped()), LANGUAGES):
        text = hazard.say[language]
        assert text.count("{where}") == 1
        for where in WHERE[language].values():
            assert 1 <= len(text.format(where=where).split()) <= 12


def test_no_two_hazards_open_with_the_same_words() -> None:
    for language in LANGUAGES:
        openings = [hazard.say[language].split("!")[0] for hazard in from_settings(shipped())]
        assert len(set(openings)) == len(openings)


def test_what_is_returned_may_be_changed_by_the_caller() -> None:
    builtin()["fire"]["severity"] = "notice"
    assert builtin()["fire"]["severity"] == "critical"


def test_a_disabled_hazard_is_left_out_but_still_a_contrast() -> None:
    settings = shipped()
    settings["dog"] = settings["dog"].model_copy(update={"enabled": False})
    prompts = prompt_set(from_settings(settings))
    assert "dog" not in prompts.names
    assert prompts.contrast == prompt_set(from_settings(shipped())).contrast


def test_a_hazard_of_the_user_changes_no_contrast() -> None:
    settings = {
        **shipped(),
        "ice": HazardSettings(prompts=("an icy pavement",), threshold=0.3, severity="notice"),
    }
    hazards = from_settings(settings)
    assert hazards[-1].threshold == 0.3
    assert hazards[-1].severity is Severity.NOTICE
    assert prompt_set(hazards).contrast == prompt_set(from_settings(shipped())).contrast


def test_only_hazards_with_their_shipped_words_count_as_shipped() -> None:
    settings = {**shipped(), "ice": HazardSettings(prompts=("an icy pavement",))}
    settings["dog"] = settings["dog"].model_copy(update={"prompts": ("a poodle",)})
    assert prompt_set(from_settings(settings)).shipped == set(NAMES) - {"dog"}


def test_without_words_of_its_own_a_hazard_is_called_by_its_name() -> None:
    (hazard,) = from_settings({"wet_floor": HazardSettings(prompts=("a wet floor",), say_en="Wet{where}!")})
    assert hazard.say["en"].format(where=" ahead") == "Wet ahead!"
    assert hazard.say["ko"].format(where=" 정면.") == "위험! wet floor. 정면."


@pytest.mark.parametrize("prompts", [(), ("",), ("  ",)])
def test_a_hazard_without_prompts_is_an_error(prompts: tuple[str, ...]) -> None:
    with pytest.raises(HazardError, match=r"hazards\.ice: no prompts"):
        from_settings({"ice": HazardSettings(prompts=prompts)})


@pytest.mark.parametrize("say", ["Ice{wo}.", "Ice{.", "Ice{0}.", "Ice{where.real}."])
def test_a_wrong_placeholder_is_an_error(say: str) -> None:
    with pytest.raises(ValueError, match=r"only \{where\}"):
        HazardSettings(prompts=("ice",), say_en=say)


def test_every_builtin_hazard_is_complete_and_refers_to_others_that_exist() -> None:
    known = builtin_hazards()
    for name, hazard in known.items():
        assert hazard.things, name
        assert name in look_alikes(name)
    assert look_alikes("fire") == {"fire", "smoke", "stove_hot"}
    assert look_alikes("thin_ice") == frozenset()


def test_a_hazard_without_words_in_one_language_is_refused() -> None:
    table = builtin_hazards()["dog"].model_dump()
    with pytest.raises(ValidationError, match=r"label\n.*needs one value for each of en, ko"):
        BuiltinHazard.model_validate({**table, "label": {"en": "Dog"}})
    with pytest.raises(ValidationError, match="noum"):
        BuiltinHazard.model_validate({**table, "noum": {"en": "a dog", "ko": "개가"}})


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_hazard_is_not_called_like_a_label_of_another_meaning(name: str) -> None:
    with pytest.raises(HazardError, match="name it differently"):
        require_name(name)


def test_the_labels_of_another_meaning_are_those_of_manifests() -> None:
    assert frozenset([SAFE, SCENE, IGNORE]) == RESERVED
