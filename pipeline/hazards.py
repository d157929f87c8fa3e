"""The hazards: built-in ones, and those that users add in their settings."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from common.errors import WatchwordError
from pipeline.settings import HazardSettings
from pipeline.types import PromptSet, Severity

LANGUAGES = ("en", "ko")
T = TypeVar("T")


def _in_both(values: dict[str, T]) -> dict[str, T]:
    if set(values) != set(LANGUAGES):
        raise ValueError(f"needs one value for each of {', '.join(LANGUAGES)}")
    return values


InBoth = Annotated[dict[str, T], AfterValidator(_in_both)]
"""One value for each language."""
_PLAIN_SAY = {"en": "Careful! {name}{{where}}.", "ko": "위험! {name}.{{where}}"}
"""The spoken text of a hazard that has none of its own."""


class HazardError(WatchwordError):
    """A hazard in the settings cannot be used; the message names it and the cure."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard, with its prompts and its spoken text."""

    name: str
    severity: Severity
    prompts: tuple[str, ...]
    """Empty if it was taught by pictures alone."""
    threshold: float | None
    """Probability from 0 to 1; None takes the calibration's."""
    say: Mapping[str, str]
    """Spoken text by language; `{where}` is replaced by the direction."""
    call: Mapping[str, str] = field(default_factory=dict)
    """By language, its name alone, for when several come at once; without one it is taken from `say`."""
    rank: int = 0
    """Which of several hazards of one severity is said first: the higher. 0 for those that users add."""


RESERVED = frozenset(["safe", "scene", "ignore"])
"""Labels of a manifest that mean something else (`pipeline.evaluation.dataset`)."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def require_name(name: str) -> None:
    """Raises HazardError if a hazard cannot be called so, in settings, files and topics alike."""
    if name in RESERVED:
        raise HazardError(
            f"hazards.{name}: manifests of pictures use this word otherwise; name it differently"
        )
    if not _NAME.fullmatch(name):
        meant = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
        hint = f'; did you mean "{meant}"?' if _NAME.fullmatch(meant) else ", such as wet_floor"
        # Shortened and as JSON: a wrong name may be anything, also control characters, and this is one line.
        shown = json.dumps(name[:40], ensure_ascii=False)
        raise HazardError(f"hazards.{shown}: a name is up to 40 small letters, digits and _{hint}")


class HazardThing(BaseModel, frozen=True, extra="forbid"):
    """Something that a picture of a hazard shows."""

    name: str
    ko: str
    said: str = ""
    prompts: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


class BuiltinHazard(BaseModel, frozen=True, extra="forbid"):
    """One table of hazards.toml, which explains its keys."""

    severity: str
    rank: int = Field(ge=1)
    say_en: str
    say_ko: str
    call: InBoth[str] = {}
    prompts: tuple[str, ...] = Field(min_length=1)
    label: InBoth[str]
    noun: InBoth[str]
    group: str
    icon: str = Field(pattern=r"^mdi:[a-z0-9-]+$")
    device_class: str = "safety"
    yields_to: dict[str, Annotated[float, Field(ge=0)]] = {}
    vote_factor: float = Field(1.0, ge=1)
    denied_as: InBoth[tuple[str, ...]]
    shown_by: InBoth[tuple[str, ...]]
    things: tuple[HazardThing, ...] = ()


@cache
def builtin_hazards() -> Mapping[str, BuiltinHazard]:
    """All that is known of each built-in hazard, by name, in the order of the file."""
    return {name: BuiltinHazard.model_validate(table) for name, table in _shipped()["hazards"].items()}


def builtin() -> dict[str, dict[str, Any]]:
    """The built-in hazards as raw settings tables: the lowest layer of `[hazards.NAME]`."""
    return {
        name: {key: value for key, value in table.items() if key in HazardSettings.model_fields}
        for name, table in _shipped()["hazards"].items()
    }


def yields_to() -> Mapping[str, Mapping[str, float]]:
    """The built-in hazards that leave the word to clearer rivals, each with the lead of these in log-odds."""
    return {name: one.yields_to for name, one in builtin_hazards().items() if one.yields_to}


def vote_factors() -> Mapping[str, float]:
    """The built-in hazards that need more votes than others, and how many times as many seconds."""
    return {name: one.vote_factor for name, one in builtin_hazards().items() if one.vote_factor != 1}


def look_alikes(hazard: str) -> frozenset[str]:
    """The built-in hazards of the same group, itself included; empty for a hazard of the user."""
    known = builtin_hazards()
    if hazard not in known:
        return frozenset()
    return frozenset(name for name, one in known.items() if one.group == known[hazard].group)


def from_settings(settings: Mapping[str, HazardSettings], taught: Collection[str] = ()) -> tuple[Hazard, ...]:
    """The enabled hazards, in the order of the settings; those `taught` may lack prompts.

    Raises HazardError.
    """
    return tuple(_hazard(name, one, name in taught) for name, one in settings.items() if one.enabled)


def prompt_set(hazards: Iterable[Hazard]) -> PromptSet:
    """The prompts of these hazards, contrasted with safe scenes and with every built-in hazard.

    The contrast does not depend on which hazards are enabled or added, so neither do the scores
    of the others. A bank leaves a hazard's own prompts out of its contrast. Hazards without prompts are left
    out.
    """
    chosen = tuple((hazard.name, hazard.prompts) for hazard in hazards if hazard.prompts)
    shipped = {name: tuple(table["prompts"]) for name, table in builtin().items()}
    # A built-in hazard whose words the user has changed stands against the others with its new words.
    world = {**shipped, **{name: prompts for name, prompts in chosen if name in shipped}}
    return PromptSet(
        hazards=chosen,
        contrast=(*_shipped()["contrast"], *(text for prompts in world.values() for text in prompts)),
        shipped=frozenset(name for name, prompts in chosen if shipped.get(name) == prompts),
    )


def shipped_prompts() -> PromptSet:
    """The built-in hazards with the words they were shipped with."""
    return prompt_set(from_settings({name: HazardSettings(**table) for name, table in builtin().items()}))


def _hazard(name: str, settings: HazardSettings, taught: bool) -> Hazard:
    prompts = tuple(text.strip() for text in settings.prompts if text.strip())
    if not prompts and not taught:
        raise HazardError(
            f'hazards.{name}: no prompts; add some, for example prompts = ["a photo of ..."], or show '
            f"pictures of it with `watchword teach {name}`"
        )
    given = {"en": settings.say_en, "ko": settings.say_ko}
    return Hazard(
        name=name,
        severity=Severity[settings.severity.upper()],
        prompts=prompts,
        threshold=None if settings.threshold == "auto" else settings.threshold,
        say={language: _spoken(name, language, given[language]) for language in LANGUAGES},
        call=_calls(name, given),
        # By name alone: a built-in hazard keeps its place among the others if its words are changed.
        rank=_rank(name),
    )


def _calls(name: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """The short names of a built-in hazard, in the languages in which it keeps its shipped words."""
    known = builtin_hazards().get(name)
    if known is None:
        return {}
    shipped = {"en": known.say_en, "ko": known.say_ko}
    # Words of the user's own must not be followed by a name that is not in them.
    return {language: call for language, call in known.call.items() if given[language] == shipped[language]}


def _rank(name: str) -> int:
    known = builtin_hazards().get(name)
    return 0 if known is None else known.rank


def _spoken(name: str, language: str, text: str) -> str:
    return text.strip() or _PLAIN_SAY[language].format(name=name.replace("_", " "))


@cache
def _shipped() -> dict[str, Any]:
    return tomllib.loads(files("pipeline").joinpath("hazards.toml").read_text(encoding="utf-8"))
