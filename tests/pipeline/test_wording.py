"""What is said of dangers: short, different from each other, in both languages."""

from __future__ import annotations

import itertools

import pytest

from pipeline import hazards as tables
from pipeline import wording
from pipeline.description.template import builtin_words
from pipeline.sentence_hazards import named_hazards
from pipeline.settings import HazardSettings
from pipeline.types import Direction
from speech.sound.earcons import EARCONS

LANGUAGES = ("en", "ko")


def phrases(language: str) -> dict[tuple[str, Direction | None], str]:
    settings = {
        name: HazardSettings.model_validate(table, strict=False) for name, table in tables.builtin().items()
    }
    return {
        (hazard.name, direction): wording.danger_phrase(hazard.say[language], direction, language)
        for hazard in tables.from_settings(settings)
        for direction in (None, *Direction)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_danger_takes_twelve_words_at_most_and_no_two_are_alike(language: str) -> None:
    said = phrases(language)
    assert len(said) == (1 + len(Direction)) * len(tables.builtin())
    assert len(set(said.values())) == len(said)
    assert all(1 <= len(text.split()) <= 12 for text in said.values()), said
    assert not any("{" in text for text in said.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_hazard_opens_with_its_own_word_or_two(language: str) -> None:
    """The first words tell hazards apart before the name is heard."""
    openings = {text.split("!")[0] for (_, direction), text in phrases(language).items() if direction is None}
    assert len(openings) >= len(tables.builtin()) - 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_said_of_a_hazard_is_prepared(language: str) -> None:
    say = "Stop! Fire{where}."
    prepared = set(wording.danger_phrases(say, language))
    for direction, escalated in itertools.product((None, *Direction), (False, True)):
        assert wording.danger_phrase(say, direction, language, escalated=escalated) in prepared
    assert set(wording.ONLY_WHERE[language].values()) <= prepared


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hazard_has_a_name_for_descriptions(language: str) -> None:
    assert set(builtin_words().hazards) == set(tables.builtin())


@pytest.mark.parametrize("language", LANGUAGES)
def test_mute_is_confirmed_in_words(language: str) -> None:
    texts = {
        wording.mute_phrase(0, language, danger=False),
        wording.mute_phrase(60, language, danger=False),
        wording.mute_phrase(61, language, danger=False),
        wording.mute_phrase(61, language, danger=True),
    }
    assert len(texts) == 4


def test_an_unknown_reason_of_an_component_has_words_too() -> None:
    assert wording.health_phrase("camera", "on fire", "en") == "Camera lost. I see nothing."


def test_both_languages_have_words_for_the_same_things() -> None:
    for table in (
        wording.VOLUME,
        wording.RATE,
        wording.NOT_KEPT,
        wording.NOT_NOTED,
        wording.NO_ANSWER,
        wording.NOT_CHANGED,
        wording.NOT_POSSIBLE,
        wording.FALSE_ALARM,
        wording.NO_ALARM,
        wording.WELL,
        wording.STILL_WATCHING,
        wording.NO_PICTURES,
    ):
        assert set(table) == set(LANGUAGES)
    assert wording.FURTHEST["en"].keys() == wording.FURTHEST["ko"].keys()
    assert wording.EARCONS["en"].keys() == wording.EARCONS["ko"].keys() == EARCONS.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_hand_turns_is_answered_shortly(language: str) -> None:
    assert "70" in wording.volume_phrase(0.7, language)
    assert "200" in wording.rate_phrase(200, language)
    texts = [wording.volume_phrase(0.7, language), *wording.FURTHEST[language].values()]
    assert all(len(text.split()) <= 5 for text in texts)


def test_a_false_alarm_is_named_without_its_call_for_action() -> None:
    assert wording.false_alarm_phrase("Wait! Vehicle{where}.", "en") == "False alarm noted: Vehicle."
    assert wording.false_alarm_phrase("Fire{where}! Stop!", "en") == "False alarm noted: Fire."
    assert wording.false_alarm_phrase("불!{where} 멈추세요!", "ko").endswith(" 불.")
    assert wording.false_alarm_phrase("Mind the step{where}.", "en").endswith("Mind the step.")
    assert "자동차" in wording.false_alarm_phrase("기다리세요! {where}자동차.", "ko")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_parts_of_an_alert_are_prepared_for_several_at_once(language: str) -> None:
    for hazard in tables.from_settings({n: HazardSettings(**t) for n, t in tables.builtin().items()}):
        say, call = hazard.say[language], hazard.call.get(language, "")
        prepared = set(wording.danger_phrases(say, language, call))
        advice = wording.advice(say)
        assert {wording.name_call(say, call), *filter(None, [advice])} <= prepared
        # The whole is made of its parts: nothing is lost if they are said one by one.
        assert wording.danger_phrase(say, None, language).endswith(advice)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hazard_is_called_by_a_noun_that_it_is_known_by(language: str) -> None:
    """Said alone, "Armed!" names no thing."""
    for hazard in tables.from_settings({n: HazardSettings(**t) for n, t in tables.builtin().items()}):
        name = wording.name_call(hazard.say[language], hazard.call.get(language, ""))
        assert named_hazards(name, language, [hazard.name]), name


@pytest.mark.parametrize(
    ("say", "name", "advice"),
    [
        ("Fire{where}! Stop!", "Fire!", "Stop!"),
        ("Careful! Broken glass{where}.", "Broken glass!", ""),
        ("불!{where} 멈추세요!", "불!", "멈추세요!"),
        ("공사장!{where} 우회하세요.", "공사장!", "우회하세요."),
        ("위험! 킥보드.{where}", "킥보드!", ""),
        ("Wet floor!", "Wet floor!", ""),
        ("{where} a loose dog!", "a loose dog!", ""),
    ],
)
def test_the_name_and_the_advice_are_taken_from_the_text(say: str, name: str, advice: str) -> None:
    assert wording.name_call(say) == name
    assert wording.advice(say) == advice


def test_words_of_the_users_own_are_called_by_their_own_name() -> None:
    settings = {n: HazardSettings(**t) for n, t in tables.builtin().items()}
    settings["vehicle"] = settings["vehicle"].model_copy(update={"say_en": "Lorry{where}!"})
    vehicle = next(h for h in tables.from_settings(settings) if h.name == "vehicle")
    assert vehicle.call == {"ko": "차!"}
