"""Recognises objects in a picture, harmless and dangerous ones, with the image-text model."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from pipeline.hazards import HazardThing, builtin_hazards
from pipeline.models.base import ImageTextModel, PromptBank
from pipeline.types import Encoding, PromptSet

LEAST_SHARE = 0.1
"""Least softmax share among all known objects at which an object is named."""
MOST_NAMED = 5
"""Most objects named in one picture."""


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """A kind of object that a picture may show."""

    name: str
    """Its English name, such as `car`."""
    ko: str
    """Its Korean name."""
    said: str
    """The English name with its article, for use in a sentence: `a car`."""
    prompts: tuple[str, ...]
    hazard: str | None
    """The hazard that this object indicates; None for a harmless object."""
    also: tuple[str, ...]
    """Other words for it, in either language."""

    def called(self, language: str) -> str:
        """Its name in English or Korean."""
        return self.ko if language == "ko" else self.name


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object in a picture, with its share among all known objects."""

    thing: ObjectClass
    share: float


def object_classes() -> tuple[ObjectClass, ...]:
    """The object classes shipped with the program: first those of the built-in hazards, in their order."""
    table = tomllib.loads(files(__package__).joinpath("objects.toml").read_text("utf-8"))
    harmless = (HazardThing(name=key.replace("_", " "), **row) for key, row in table.items())
    dangers = ((thing, name) for name, hazard in builtin_hazards().items() for thing in hazard.things)
    return tuple(_object(*each) for each in (*dangers, *((thing, None) for thing in harmless)))


def _object(thing: HazardThing, hazard: str | None) -> ObjectClass:
    said = thing.said or f"a {thing.name}"
    return ObjectClass(thing.name, thing.ko, said, thing.prompts or (said,), hazard, thing.also)


class ObjectRecognizer:
    """Recognises objects by comparing the score of each class with all others."""

    def __init__(self, model: ImageTextModel, known: Iterable[ObjectClass]) -> None:
        """Slow: encodes several hundred prompts."""
        self._things = tuple(known)
        prompts = tuple((thing.name, thing.prompts) for thing in self._things)
        # Each class is contrasted with all others, so that the shares of different classes are comparable.
        every = tuple(text for _, own in prompts for text in own)
        self._bank: PromptBank = model.bind(PromptSet(prompts, contrast=every))

    def find(self, encoding: Encoding) -> tuple[FoundObject, ...]:
        """Return the objects in the picture, the likeliest first."""
        # The scores of a bank are log-odds; the logistic function turns them into shares.
        shares = 1 / (1 + np.exp(-self._bank.scores(encoding).astype(np.float64)))
        order = np.argsort(-shares)[:MOST_NAMED].tolist()
        return tuple(
            FoundObject(self._things[i], float(shares[i])) for i in order if shares[i] >= LEAST_SHARE
        )
