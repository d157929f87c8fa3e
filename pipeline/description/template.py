"""The describer that is always there: a sentence built from the detector's report.

No model of its own and no guesses: it names hazards with their side and, where one kind of place clearly
stands out among the places it knows, the place. The answer to a question also names the things that stand
out, and says that the question is not understood.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from pipeline.description.base import DescribeRequest, DetectedHazard
from pipeline.description.objects import ObjectRecognizer
from pipeline.hazards import builtin_hazards
from pipeline.log_odds import logit
from pipeline.models.base import ImageTextModel, PromptBank
from pipeline.types import Direction, Encoding, PromptSet, Trigger
from speech.text.particles import with_particle

CONFIDENT = 0.45
"""Share of the picture, among all places and everything else the model knows, from which a place is named."""

SURE = 0.45
"""Share of the picture, among everything there is a name for, from which a thing is named."""

MOST_NAMED = 3
"""More hazards and things than this are not listed."""

MOST_WORDS = 12
"""Words that a walker can listen to. Of a longer text the least urgent names and the place are dropped."""

WHERE: Mapping[str, Mapping[Direction | None, str]] = {
    "en": {
        None: "",
        Direction.LEFT: " to the left",
        Direction.AHEAD: " ahead",
        Direction.RIGHT: " to the right",
        Direction.BOTH: " on both sides",
        Direction.BEHIND: " behind you",
    },
    "ko": {
        None: "",
        Direction.LEFT: "왼쪽에 ",
        Direction.AHEAD: "앞에 ",
        Direction.RIGHT: "오른쪽에 ",
        Direction.BOTH: "양쪽에 ",
        Direction.BEHIND: "뒤에 ",
    },
}

NOTHING_KNOWN: Mapping[str, str] = {
    "en": "I recognise nothing. That does not mean the way is free.",
    "ko": "알아본 것이 없습니다. 길이 비었다는 뜻은 아닙니다.",
}
"""Ignorance, said as ignorance: the listener must not take it for an all-clear."""

ONLY_NAMES: Mapping[str, str] = {
    "en": "I cannot answer questions, only name what I recognise.",
    "ko": "질문에는 답하지 못하고, 알아본 것만 말합니다.",
}
"""Said before everything else to a question: "nothing here" would be heard as a no."""


NOT_IN_FULL: Mapping[str, str] = {
    "en": "A full answer was not possible.",
    "ko": "자세한 답은 얻지 못했습니다.",
}
"""Said before the detector's report if a model should have answered."""


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of place, with the prompts that recognise it and its names."""

    prompts: tuple[str, ...]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names of hazards and places by language."""

    hazards: Mapping[str, Mapping[str, str]]
    places: Mapping[str, Place]

    def noun(self, hazard: str, language: str) -> str:
        """A hazard's name alone: the Korean words end in the particle of the subject."""
        plain = hazard.replace("_", " ")
        word = self.hazards.get(hazard, {}).get(language, plain)
        return word[:-1] if language == "ko" and word != plain and word[-1] in "이가" else word


def builtin_words() -> Vocabulary:
    """The words shipped with the program."""
    table = tomllib.loads(resources.files(__package__).joinpath("template.toml").read_text("utf-8"))
    places = {
        name: Place(tuple(row["prompts"]), {"en": row["en"], "ko": row["ko"]})
        for name, row in table["places"].items()
    }
    return Vocabulary({name: dict(hazard.noun) for name, hazard in builtin_hazards().items()}, places)


class PlaceFinder:
    """Recognises the kind of place that a picture shows, among those in the vocabulary.

    Each place is compared with all others: a raw score is the log-odds of its own share.
    """

    def __init__(self, model: ImageTextModel, words: Vocabulary) -> None:
        self._names = tuple(words.places)
        prompts = tuple((name, words.places[name].prompts) for name in self._names)
        every = tuple(text for _, own in prompts for text in own)
        self._bank: PromptBank = model.bind(PromptSet(prompts, contrast=every))

    def find(self, encoding: Encoding) -> str | None:
        """The name of the place, None if none stands out."""
        scores = self._bank.scores(encoding)
        best = int(np.argmax(scores))
        return self._names[best] if scores[best] >= logit(CONFIDENT) else None


class TemplateDescriber:
    """Template sentences, English and Korean, at once and without a picture model."""

    model = "tags"

    def __init__(
        self,
        words: Vocabulary,
        places: PlaceFinder | None = None,
        things: Callable[[], ObjectRecognizer] | None = None,
    ) -> None:
        """`things` is only called at the first question, since it takes seconds; it remembers its answer."""
        self._words = words
        self._places = places
        self._things = things

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """One sentence; empty if nothing is known, unless it answers a question. The answer to a question
        begins with what it lacks.
        """
        asked = request.trigger is Trigger.REQUEST
        if asked and request.question:
            yield (NOT_IN_FULL if request.detector_only else ONLY_NAMES)[request.language]
        place = None
        if self._places is not None and request.encoding is not None:
            place = self._places.find(request.encoding)
        names = [self._name(seen, request.language) for seen in request.seen]
        names += self._things_in(request) if asked else []
        if names or place:
            yield self._shortened(names[:MOST_NAMED], place, request.language)
        elif asked:
            yield NOTHING_KNOWN[request.language]

    def _things_in(self, request: DescribeRequest) -> list[str]:
        """The most prominent things, apart from the hazards."""
        if self._things is None or request.encoding is None:
            return []
        hazards = {seen.hazard for seen in request.seen}
        found = [f.thing for f in self._things().find(request.encoding) if f.share >= SURE]
        fresh = [thing for thing in found if thing.hazard not in hazards]
        return [thing.ko if request.language == "ko" else thing.said for thing in fresh]

    def cancel(self) -> None:
        """Answers at once, so there is nothing to cancel."""

    def close(self) -> None:
        """Holds nothing."""

    def _shortened(self, names: Sequence[str], place: str | None, language: str) -> str:
        """The most that fits into MOST_WORDS: as many names as possible, then the place."""
        many = range(len(names), 0, -1)
        tries = [(names[:n], kept) for n in many for kept in dict.fromkeys((place, None))] or [((), place)]
        sentences = [self._sentence(*each, language) for each in tries]
        return next((s for s in sentences if len(s.split()) <= MOST_WORDS), sentences[-1])

    def _sentence(self, names: Sequence[str], place: str | None, language: str) -> str:
        where = self._words.places[place].names[language] if place else ""
        return _korean(names, where) if language == "ko" else _english(names, where)

    def _name(self, seen: DetectedHazard, language: str) -> str:
        where = WHERE[language][seen.direction]
        if language == "ko":
            return where + (seen.called or self._words.noun(seen.hazard, language))
        known = self._words.hazards.get(seen.hazard, {}).get(language, seen.hazard.replace("_", " "))
        return (seen.called or known) + where


def _english(names: Sequence[str], place: str) -> str:
    listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    if listed and place:
        return f"Looks like {place}, with {listed}."
    if listed:
        return f"I see {listed}."
    return f"Looks like {place}."


def _korean(names: Sequence[str], place: str) -> str:
    """One particle of the subject for the whole list; the last two of it are joined."""
    found = f"{with_particle(place, '으로/로')} 보입니다." if place else ""
    if not names:
        return found
    listed = korean_list(names)
    return f"{found} {listed} 있습니다." if found else f"{listed} 있습니다."


def korean_list(names: Sequence[str]) -> str:
    """Names as a subject: the last two joined, one particle for all."""
    *first, last = names
    joined = [*first[:-1], f"{with_particle(first[-1], '과/와')} {last}"] if first else [last]
    return with_particle(", ".join(joined), "이/가")
