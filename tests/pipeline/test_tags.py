"""The describer that is always there."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.describer import DescribeRequest, Seen
from pipeline.image_text import PromptSet, Scores
from pipeline.tags import PlaceFinder, TagsDescriber, builtin_words
from pipeline.types import Direction, Embedding, Trigger
from tests.fakes import ColourModel

WORDS = builtin_words()
PICTURE = np.zeros((4, 4, 3), np.uint8)


class PlaceBank:
    """The embedding is the list of scores, five too high."""

    fingerprint = "places"

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def scores(self, embedding: Embedding) -> Scores:
        return embedding[: len(self.names)] - 5


class PlaceModel(ColourModel):
    def bind(self, prompts: PromptSet) -> PlaceBank:  # type: ignore[override]
        return PlaceBank(prompts.names)


def tell(
    *seen: Seen, language: str = "en", trigger: Trigger = Trigger.SCENE_CHANGE, place: str | None = None
) -> list[str]:
    embedding = np.zeros(len(WORDS.places), np.float32)
    if place:
        embedding[list(WORDS.places).index(place)] = 9
    request = DescribeRequest("s1", PICTURE, trigger, language, seen, embedding=embedding)
    return list(TagsDescriber(WORDS, PlaceFinder(PlaceModel(), WORDS)).describe(request))


CAR, DOG = Seen("vehicle", 0.9, Direction.LEFT), Seen("dog", 0.8)


def test_it_names_hazards_with_their_side_and_the_place() -> None:
    assert tell(CAR, DOG, place="street") == ["Looks like a street, with vehicles to the left and a dog."]
    assert tell(CAR, DOG, place="street", language="ko") == ["거리 같습니다. 왼쪽에 차가, 개가 있습니다."]


def test_it_says_nothing_where_it_knows_nothing_unless_asked() -> None:
    assert tell() == []
    assert tell(trigger=Trigger.REQUEST) == ["Nothing here that I know."]


def test_a_place_that_does_not_stand_out_is_not_named() -> None:
    assert tell(DOG) == ["I see a dog."]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_names_three_hazards_at_most(language: str) -> None:
    seen = [Seen(name, 0.9, Direction.RIGHT) for name in WORDS.hazards]
    (sentence,) = tell(*seen, language=language)
    assert sentence.count(",") <= 3
    assert len(sentence.split()) <= 24


def test_a_hazard_of_the_users_own_is_named_by_its_name() -> None:
    assert tell(Seen("wet_floor", 0.9)) == ["I see wet floor."]
