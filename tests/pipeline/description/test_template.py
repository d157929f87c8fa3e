"""The describer that is always there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pipeline.description.base import DescribeRequest, DetectedHazard
from pipeline.description.objects import ObjectRecognizer, object_classes
from pipeline.description.template import (
    MOST_WORDS,
    NOT_IN_FULL,
    NOTHING_KNOWN,
    ONLY_NAMES,
    PlaceFinder,
    TemplateDescriber,
    builtin_words,
)
from pipeline.models.base import Scores
from pipeline.types import Direction, Encoding, PromptSet, Trigger
from tests.fakes import ColourModel

WORDS = builtin_words()
PICTURE = np.zeros((4, 4, 3), np.uint8)


class PlaceBank:
    """The embedding is the list of scores, five too high."""

    fingerprint = "places"

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def scores(self, encoding: Encoding) -> Scores:
        return encoding.embedding[: len(self.names)] - 5


class PlaceModel(ColourModel):
    def bind(self, prompts: PromptSet) -> PlaceBank:  # type: ignore[override]
        return PlaceBank(prompts.names)


def tell(
    *seen: DetectedHazard,
    language: str = "en",
    trigger: Trigger = Trigger.SCENE_CHANGE,
    place: str | None = None,
    question: str | None = None,
    detector_only: bool = False,
) -> list[str]:
    embedding = np.zeros(len(WORDS.places), np.float32)
    if place:
        embedding[list(WORDS.places).index(place)] = 9
    request = DescribeRequest(
        "s1",
        PICTURE,
        trigger,
        language,
        seen,
        encoding=Encoding(embedding),
        question=question,
        detector_only=detector_only,
    )
    return list(TemplateDescriber(WORDS, PlaceFinder(PlaceModel(), WORDS)).describe(request))


CAR, DOG = DetectedHazard("vehicle", 0.9, Direction.LEFT), DetectedHazard("dog", 0.8)


def test_it_names_hazards_with_their_side_and_the_place() -> None:
    assert tell(CAR, DOG, place="street") == ["Looks like a street, with vehicles to the left and a dog."]
    assert tell(CAR, DOG, place="street", language="ko") == ["거리로 보입니다. 왼쪽에 차와 개가 있습니다."]


def test_it_says_nothing_where_it_knows_nothing_unless_asked() -> None:
    assert tell() == []
    assert tell(trigger=Trigger.REQUEST) == ["I recognise nothing. That does not mean the way is free."]


def test_a_place_that_does_not_stand_out_is_not_named() -> None:
    assert tell(DOG) == ["I see a dog."]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("place", [None, *WORDS.places])
def test_no_sentence_is_longer_than_twelve_words(language: str, place: str | None) -> None:
    for seen in itertools.permutations(
        (DetectedHazard(name, 0.9, Direction.RIGHT) for name in WORDS.hazards), 3
    ):
        (sentence,) = tell(*seen, language=language, place=place)
        assert len(sentence.split()) <= MOST_WORDS


def test_names_go_before_the_place_and_the_worst_before_all() -> None:
    train = DetectedHazard("train", 0.9, Direction.LEFT)
    assert tell(CAR, train, place="street") == ["I see vehicles to the left and a train to the left."]


def test_a_hazard_of_the_users_own_is_named_by_its_name() -> None:
    assert tell(DetectedHazard("wet_floor", 0.9)) == ["I see wet floor."]


def asked(*seen: DetectedHazard, thing: str, language: str = "en") -> list[str]:
    """With a finder that is sure of one thing; how often it was made is checked too."""
    made: list[None] = []

    def finder() -> ObjectRecognizer:
        made.append(None)
        return ObjectRecognizer(PlaceModel(), KNOWN)

    embedding = np.full(len(KNOWN), -9, np.float32)
    embedding[[known.name for known in KNOWN].index(thing)] = 9
    encoding = Encoding(embedding)
    describer = TemplateDescriber(WORDS, None, finder)
    for trigger in (Trigger.SCENE_CHANGE, Trigger.DANGER):
        list(describer.describe(DescribeRequest("s1", PICTURE, trigger, language, seen, encoding=encoding)))
    assert made == [], "it takes seconds, and nobody asked"
    request = DescribeRequest("s1", PICTURE, Trigger.REQUEST, language, seen, encoding=encoding)
    return list(describer.describe(request))


KNOWN = object_classes()


def test_who_asks_is_told_the_things_that_stand_out() -> None:
    assert asked(thing="chair") == ["I see a chair."]
    assert asked(CAR, thing="chair") == ["I see vehicles to the left and a chair."]
    assert asked(thing="chair", language="ko") == ["의자가 있습니다."]


def test_a_thing_that_is_a_hazard_already_named_is_not_named_twice() -> None:
    car = next(known.name for known in KNOWN if known.hazard == "vehicle")
    assert asked(CAR, thing=car) == ["I see vehicles to the left."]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_question_is_not_answered_by_a_list_that_sounds_like_no(language: str) -> None:
    first, second = tell(language=language, trigger=Trigger.REQUEST, question="Are there cars?")
    assert (first, second) == (ONLY_NAMES[language], NOTHING_KNOWN[language])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_instead_of_a_full_answer_it_says_that_there_is_none_and_no_all_clear(language: str) -> None:
    def instead(*seen: DetectedHazard) -> list[str]:
        asked = "Are there cars?"
        return tell(*seen, language=language, trigger=Trigger.REQUEST, question=asked, detector_only=True)

    assert instead() == [NOT_IN_FULL[language], NOTHING_KNOWN[language]]
    assert instead(CAR) == [NOT_IN_FULL[language], *tell(CAR, language=language)]
