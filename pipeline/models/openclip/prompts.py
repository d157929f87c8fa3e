"""The texts that dual encoders compare a picture with: own words for the built-in hazards, in templates."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, Field

from pipeline.models.prompts import contrast_prompts, digest
from pipeline.types import PromptSet

_HANGUL = re.compile("[\uac00-\ud7a3]")
_PHOTO = re.compile(r"^\s*(an?|the)\s+(\w+\s+)?(photo|picture|image) of\b", re.IGNORECASE)
_GIVEN_TEMPLATES = 2
"""Templates of a text that is not in the file. Few, because there may be hundreds of such texts."""


class HazardTexts(BaseModel, frozen=True, extra="forbid"):
    """One table of prompts.toml, which explains its keys."""

    prompts: tuple[str, ...] = Field(min_length=1)
    near: tuple[str, ...] = Field(min_length=1)
    ko: tuple[str, ...] = Field(min_length=1)
    near_ko: tuple[str, ...] = Field(min_length=1)


class PromptFile(BaseModel, frozen=True, extra="forbid"):
    """prompts.toml."""

    templates: tuple[str, ...] = Field(min_length=1)
    templates_ko: tuple[str, ...] = Field(min_length=1)
    contrast: tuple[str, ...] = Field(min_length=1)
    contrast_ko: tuple[str, ...] = Field(min_length=1)
    hazards: Mapping[str, HazardTexts]

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text, without templates."""
        own = (text for one in self.hazards.values() for text in (*one.prompts, *one.near))
        korean = (text for one in self.hazards.values() for text in (*one.ko, *one.near_ko))
        return (*self.contrast, *own, *self.contrast_ko, *korean)


@dataclass(frozen=True, slots=True)
class PromptSides:
    """The texts for one hazard, and the texts against it; none stands on both sides."""

    name: str
    own: tuple[str, ...]
    rivals: tuple[str, ...]


@cache
def prompt_file() -> PromptFile:
    """The shipped file."""
    text = files(__package__).joinpath("prompts.toml").read_text(encoding="utf-8")
    return PromptFile.model_validate(tomllib.loads(text))


@cache
def prompt_file_digest() -> str:
    """Part of a model's fingerprint: other texts give other scores."""
    return digest(prompt_file().model_dump(mode="json"))


def prompt_sides(prompts: PromptSet, *, korean: bool) -> tuple[PromptSides, ...]:
    """Both sides of every hazard, in order. `korean`: the model reads Korean.

    A built-in hazard with the words it was shipped with gets those of the file. Any other keeps its own
    words, against the contrast of `prompts`.
    """
    file = prompt_file()
    return tuple(
        _shipped(name, file, korean)
        if name in prompts.shipped and name in file.hazards
        else PromptSides(name, tuple(dict.fromkeys(own)), contrast_prompts(own, prompts.contrast))
        for name, own in prompts.hazards
    )


def _shipped(name: str, file: PromptFile, korean: bool) -> PromptSides:
    texts = file.hazards[name]
    own, rivals = texts.prompts, (*file.contrast, *texts.near)
    if korean:
        own, rivals = (*own, *texts.ko), (*rivals, *file.contrast_ko, *texts.near_ko)
    return PromptSides(name, own, contrast_prompts(own, rivals))


@cache
def _file_texts() -> frozenset[str]:
    return frozenset(prompt_file().texts)


def in_templates(text: str) -> tuple[str, ...]:
    """The sentences whose mean embedding represents a text."""
    file = prompt_file()
    # A whole sentence already: a template would make it "a photo of a photo of".
    if _PHOTO.match(text):
        return (text,)
    templates = file.templates_ko if _HANGUL.search(text) else file.templates
    if text not in _file_texts():
        templates = templates[:_GIVEN_TEMPLATES]
    return tuple(template.replace("{}", text) for template in templates)
