"""Names the things in a picture, harmless and dangerous ones, with the image-text model."""

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
"""Smallest share of the picture, among all known things, at which a thing is named."""
MOST_NAMED = 5
"""Things named in one picture at most."""


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """A kind of thing that a picture may show."""

    name: str
    """Its English name, such as `car`."""
    ko: str
    """Its Korean name."""
    said: str
    """The name as a part of an English sentence: `a car`."""
    prompts: tuple[str, ...]
    hazard: str | None
    """The hazard that it is a sign of; None for a harmless thing."""
    also: tuple[str, ...]
    """Other words for it, in either language."""

    def called(self, language: str) -> str:
        """Its name in English or Korean."""
        return self.ko if language == "ko" else self.name


@dataclass(frozen=True, slots=True)
class FoundObject:
    """A thing in a picture, with its share among all known things."""

    thing: ObjectClass
    share: float


def object_classes() -> tuple[ObjectClass, ...]:
    """The things shipped with the program: first those of the built-in hazards, in their order."""
    table = tomllib.loads(files(__package__).joinpath("objects.toml").read_text("utf-8"))
    harmless = (HazardThing(name=key.replace("_", " "), **row) for key, row in table.items())
    dangers = ((thing, name) for name, hazard in builtin_hazards().items() for thing in hazard.things)
    return tuple(_object(*each) for each in (*dangers, *((thing, None) for thing in harmless)))


def _object(thing: HazardThing, hazard: str | None) -> ObjectClass:
    said = thing.said or f"a {thing.name}"
    return ObjectClass(thing.name, thing.ko, said, thing.prompts or (said,), hazard, thing.also)


class ObjectRecognizer:
    """Names the things in a picture by comparing each with all others."""

    def __init__(self, model: ImageTextModel, known: Iterable[ObjectClass]) -> None:
        """Slow: binds some hundreds of words."""
        self._things = tuple(known)
        prompts = tuple((thing.name, thing.prompts) for thing in self._things)
        # Each thing stands against all others, so that shares of different things can be compared.
        every = tuple(text for _, own in prompts for text in own)
        self._bank: PromptBank = model.bind(PromptSet(prompts, contrast=every))

    def find(self, encoding: Encoding) -> tuple[FoundObject, ...]:
        """Return the things in the picture, the likeliest first."""
        # A bank's scores are log-odds of a share.
        shares = 1 / (1 + np.exp(-self._bank.scores(encoding).astype(np.float64)))
        order = np.argsort(-shares)[:MOST_NAMED].tolist()
        return tuple(
            FoundObject(self._things[i], float(shares[i])) for i in order if shares[i] >= LEAST_SHARE
        )
