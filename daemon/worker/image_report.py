"""The report on an external picture: objects, hazards, and the prompt that fits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from daemon.core.messages import HazardSpec
from pipeline.description.base import DetectedHazard
from pipeline.description.lexicon import HazardLexicon
from pipeline.description.nouns import with_article, without_particle
from pipeline.description.objects import FoundObject, ObjectClass, object_classes
from pipeline.description.template import korean_list
from pipeline.types import Severity, Trigger

TRIGGERS: Mapping[str, Trigger] = {
    "danger": Trigger.DANGER,
    "safe": Trigger.SCENE_CHANGE,
    "question": Trigger.REQUEST,
}
"""The trigger of the description, by the prompt to use."""
MAX_NAMED = 3
"""Objects that are named in one sentence."""


@dataclass(frozen=True, slots=True)
class JudgedHazard:
    """A hazard, how likely it is on the picture, and whether that is dangerous."""

    spec: HazardSpec
    probability: float
    dangerous: bool


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object, named by the request or recognised. `score` is None if the request named it."""

    thing: ObjectClass | str
    score: float | None
    hazard: str | None
    meant: str = ""
    """The word of a hazard that a misspelt name was taken for; empty if the name is none."""

    def noun(self, language: str) -> str:
        """Its name within a sentence; in Korean without a particle."""
        if isinstance(self.thing, str):
            name = self.meant or self.thing
            return with_article(name) if language == "en" else without_particle(name)
        return self.thing.ko if language == "ko" else self.thing.said

    def as_json(self, language: str) -> Mapping[str, Any]:
        name = self.thing if isinstance(self.thing, str) else self.thing.called(language)
        meant = {"meant": self.meant} if self.meant else {}
        return {"name": name, "score": self.score, "hazard": self.hazard, **meant}


@dataclass(frozen=True, slots=True)
class ImageReport:
    """Objects and hazards of one picture."""

    objects: tuple[NamedObject, ...]
    hazards: tuple[JudgedHazard, ...]
    """Likeliest first."""

    @property
    def seen(self) -> tuple[DetectedHazard, ...]:
        """The dangerous hazards, the most severe first."""
        found = sorted(
            (one for one in self.hazards if one.dangerous),
            key=lambda one: (-one.spec.severity, -one.probability),
        )
        return tuple(DetectedHazard(one.spec.name, one.probability) for one in found)

    def seen_in(self, language: str) -> tuple[DetectedHazard, ...]:
        """The same, each called by the name that the request has for it."""
        return tuple(replace(one, called=self._called(one.hazard, language)) for one in self.seen)

    def _called(self, hazard: str, language: str) -> str:
        """The things of this hazard that the request named; "" if it named none."""
        given = [one.noun(language) for one in self.objects if one.hazard == hazard and one.score is None]
        return (" and ", ", ")[language == "ko"].join(given[:MAX_NAMED])

    def prompt(self, question: str | None) -> str:
        """The prompt to use: a question goes first, then danger."""
        if question:
            return "question"
        return "danger" if self.seen else "safe"

    def sentence(self, language: str) -> str:
        """The objects by name; empty if there are none."""
        names = [one.noun(language) for one in self.objects[:MAX_NAMED]]
        if not names:
            return ""
        if language == "ko":
            return korean_list(names) + " 보입니다."
        return f"I see {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}."

    def asks(self, language: str) -> str:
        """The question whether misspelt names were meant so; empty if there are none."""
        words = [one.meant for one in self.objects if one.meant][:MAX_NAMED]
        if not words:
            return ""
        if language == "ko":
            return f"혹시 {', '.join(words)}인가요?"
        return f"Did you mean {' and '.join(words)}?"

    def as_json(self, language: str) -> dict[str, Any]:
        """As it is sent to the client."""
        return {
            "objects": [one.as_json(language) for one in self.objects],
            "hazards": [
                {
                    "hazard": one.spec.name,
                    "probability": one.probability,
                    "threshold": round(one.spec.threshold, 4),
                    "severity": Severity(one.spec.severity).name.lower(),
                    "dangerous": one.dangerous,
                }
                for one in self.hazards
            ],
        }


def make_report(
    specs: Sequence[HazardSpec],
    probabilities: Sequence[float],
    found: Sequence[FoundObject],
    given: Sequence[str],
    words: HazardLexicon,
) -> ImageReport:
    """Report the objects and hazards of a picture.

    `given` objects are believed: a named knife is dangerous, however small it is on the picture, and so is a
    misspelt one. Without them the calibrated detector decides, and adds hazards that the recognizer has no
    object for.
    """
    # A name that the lexicon knows is a hazard, even if the model does not see it.
    named = [one for text in given for one in _given(text, words)]
    given_hazards = {one.hazard for one in named if one.hazard}
    hazards = tuple(
        sorted(
            (
                JudgedHazard(spec, round(p, 4), p >= spec.threshold or spec.name in given_hazards)
                for spec, p in zip(specs, probabilities, strict=True)
            ),
            key=lambda one: -one.probability,
        )
    )
    # The request's own names are taken as complete.
    if not named:
        named = _named(found, hazards)
    return ImageReport(tuple(named), hazards)


def _given(text: str, words: HazardLexicon) -> Iterator[NamedObject]:
    return (NamedObject(one.name, None, one.hazard, one.meant) for one in words.names(text))


def _named(found: Sequence[FoundObject], hazards: Sequence[JudgedHazard]) -> list[NamedObject]:
    named = [NamedObject(one.thing, round(one.share, 4), one.thing.hazard) for one in found]
    # A hazard whose object was recognised is not listed twice.
    known = {one.hazard for one in named}
    named += [
        NamedObject(_object_of(one.spec.name), one.probability, one.spec.name)
        for one in hazards
        if one.dangerous and one.spec.name not in known
    ]
    return sorted(named, key=lambda one: -(one.score or 0.0))


def _object_of(hazard: str) -> ObjectClass | str:
    """The first object class of this hazard; for a user-defined hazard its own name."""
    return next((thing for thing in object_classes() if thing.hazard == hazard), hazard.replace("_", " "))
