"""The describer that is always there: a sentence made of what the detector reports.

No model of its own and no guesses: it names hazards with their side and, where one kind of place clearly
stands out among the places it knows, the place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from pipeline.describer import DescribeRequest, Seen
from pipeline.image_text import ImageTextModel, PromptSet, TextBank
from pipeline.types import Direction, Embedding, Trigger

CONFIDENT = 0.45
"""Share of the picture, among all places and everything else the model knows, from which a place is named."""

MOST_NAMED = 3
"""More hazards than this are not listed: twelve words at most."""

WHERE: Mapping[str, Mapping[Direction | None, str]] = {
    "en": {
        None: "",
        Direction.LEFT: " to the left",
        Direction.AHEAD: " ahead",
        Direction.RIGHT: " to the right",
    },
    "ko": {None: "", Direction.LEFT: "왼쪽에 ", Direction.AHEAD: "앞에 ", Direction.RIGHT: "오른쪽에 "},
}

NOTHING_KNOWN: Mapping[str, str] = {"en": "Nothing here that I know.", "ko": "아는 것이 보이지 않습니다."}


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of place: how it is recognised and how it is named."""

    prompts: tuple[str, ...]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TagWords:
    """Names of hazards and places by language."""

    hazards: Mapping[str, Mapping[str, str]]
    places: Mapping[str, Place]


def builtin_words() -> TagWords:
    """The words shipped with the program."""
    table = tomllib.loads(resources.files("pipeline").joinpath("tags.toml").read_text("utf-8"))
    places = {
        name: Place(tuple(row["prompts"]), {"en": row["en"], "ko": row["ko"]})
        for name, row in table["places"].items()
    }
    return TagWords(table["hazards"], places)


class PlaceFinder:
    """Which kind of place an embedding shows, if any of those we have words for.

    Each place is told from all others: a raw score is the log-odds of its own share.
    """

    def __init__(self, model: ImageTextModel, words: TagWords) -> None:
        self._names = tuple(words.places)
        prompts = tuple((name, words.places[name].prompts) for name in self._names)
        every = tuple(text for _, own in prompts for text in own)
        self._bank: TextBank = model.bind(PromptSet(prompts, contrast=every))

    def find(self, embedding: Embedding) -> str | None:
        """The name of the place, None where none stands out."""
        scores = self._bank.scores(embedding)
        best = int(np.argmax(scores))
        return self._names[best] if scores[best] >= np.log(CONFIDENT / (1 - CONFIDENT)) else None


class TagsDescriber:
    """Template sentences, English and Korean, at once and without a picture model."""

    model = "tags"

    def __init__(self, words: TagWords, places: PlaceFinder | None = None) -> None:
        self._words = words
        self._places = places

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """One sentence; none where nothing is known, unless somebody asked."""
        place = None
        if self._places is not None and request.embedding is not None:
            place = self._places.find(request.embedding)
        seen = request.seen[:MOST_NAMED]
        if seen or place:
            yield self._sentence(seen, place, request.language)
        elif request.trigger is Trigger.REQUEST:
            yield NOTHING_KNOWN[request.language]

    def cancel(self) -> None:
        """Answers at once, so there is nothing to cancel."""

    def close(self) -> None:
        """Holds nothing."""

    def _sentence(self, seen: Sequence[Seen], place: str | None, language: str) -> str:
        names = [self._name(s, language) for s in seen]
        where = self._words.places[place].names[language] if place else ""
        return _korean(names, where) if language == "ko" else _english(names, where)

    def _name(self, seen: Seen, language: str) -> str:
        name = self._words.hazards.get(seen.hazard, {}).get(language, seen.hazard.replace("_", " "))
        where = WHERE[language][seen.direction]
        return where + name if language == "ko" else name + where


def _english(names: Sequence[str], place: str) -> str:
    listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    if listed and place:
        return f"Looks like {place}, with {listed}."
    if listed:
        return f"I see {listed}."
    return f"Looks like {place}."


def _korean(names: Sequence[str], place: str) -> str:
    listed = ", ".join(names)
    if listed and place:
        return f"{place} 같습니다. {listed} 있습니다."
    if listed:
        return f"{listed} 보입니다."
    return f"{place} 같습니다."
