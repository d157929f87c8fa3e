"""Checks of the `[hazards.NAME]` tables beyond their fields: known names, and words or lessons for each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from daemon.config.layers import Layer
from daemon.config.problems import MOST_SHOWN, SettingProblem, layer_of, problem_at, short
from daemon.config.schema import KeyPath
from pipeline import hazards as known_hazards
from pipeline.calibration.few_shot import few_shot_names, forgotten_names
from pipeline.settings import HazardSettings

_LOW, _HIGH = 0.01, 0.999
"""Thresholds from which on a hazard is announced nearly always, and almost never."""


def readable_hazards(layers: tuple[Layer, ...]) -> dict[str, HazardSettings]:
    """The hazards with a valid table, if other settings are wrong. `layers`: lowest first."""
    tables: dict[str, dict[str, Any]] = {}
    # Merged by hand, since the settings as a whole could not be read.
    for layer in layers:
        for name, table in layer.values.get("hazards", {}).items():
            if isinstance(table, Mapping):
                tables.setdefault(name, {}).update(table)
    found = {}
    for name, table in tables.items():
        # Strict JSON, as in `Settings`: the same values are accepted here and there.
        try:
            found[name] = HazardSettings.model_validate_json(json.dumps(table, default=str), strict=True)
        except ValidationError:
            continue
    return found


def without_forgotten(
    hazards: Mapping[str, HazardSettings], state: Path, origins: Mapping[KeyPath, Layer]
) -> tuple[dict[str, HazardSettings], tuple[str, ...]]:
    """The hazards without those that lost their lessons and have no words; a warning for each of those."""
    known = {*few_shot_names(state), *known_hazards.builtin()}
    # A name that was taught again or is built in has a source for its words.
    lost = [name for name in forgotten_names(state) if name in hazards and name not in known]
    lost = [name for name in lost if not hazards[name].prompts]
    layers = {name: layer_of(("hazards", name), origins) for name in lost}
    warnings = tuple(
        f"{layer.where(('hazards', name))}: hazards.{name} is left out: what was taught of it was removed; "
        "remove this section too, add prompts, or teach it again"
        for name, layer in layers.items()
    )
    return {name: one for name, one in hazards.items() if name not in lost}, warnings


def threshold_warnings(
    hazards: Mapping[str, HazardSettings], origins: Mapping[KeyPath, Layer]
) -> tuple[str, ...]:
    """One line for each hazard with a threshold that hardly any picture reaches, or that every one exceeds.

    Such a value is allowed, but mostly meant otherwise: 1 for "warn me", 0 for "off".
    """
    found = []
    for name, hazard in hazards.items():
        if not hazard.enabled or hazard.threshold == "auto" or _LOW < hazard.threshold < _HIGH:
            continue
        effect = (
            "hardly any picture reaches it, so the hazard is almost never announced"
            if hazard.threshold >= _HIGH
            else "nearly every picture exceeds it, so the hazard is announced all the time; enabled = false "
            "leaves it out"
        )
        path = ("hazards", name, "threshold")
        where = layer_of(path, origins).where(path)
        found.append(f"{where}: hazards.{name}.threshold = {hazard.threshold:g}: {effect}")
    return tuple(found)


def hazard_problems(
    hazards: Mapping[str, HazardSettings], origins: Mapping[KeyPath, Layer], taught: Collection[str] = ()
) -> list[SettingProblem]:
    """One problem for each hazard that could not be watched for: misspelt, or new and without words.

    Those that were `taught` by pictures need no words.
    """
    found: list[SettingProblem] = []
    for name, hazard in hazards.items():
        # A hint costs a search: none for lines that are cut off.
        if text := _hazard_problem(name, hazard, taught, hinted=len(found) < MOST_SHOWN):
            path = ("hazards", name)
            layer = layer_of(path, origins)
            found.append(problem_at(layer, path, f"{layer.where(path)}: {text}"))
    return found


def _hazard_problem(
    name: str, hazard: HazardSettings, taught: Collection[str], *, hinted: bool
) -> str | None:
    builtin = known_hazards.builtin()
    if hinted and not hazard.prompts and name not in taught and name not in builtin:
        near = difflib.get_close_matches(name.lower(), builtin, n=1)
        if near:
            return f'hazards.{short(name)}: no hazard known by this name; did you mean "hazards.{near[0]}"?'
    try:
        known_hazards.require_name(name)
        # Enabled, so that a disabled hazard is checked as well: it may be enabled later.
        known_hazards.from_settings({name: hazard.model_copy(update={"enabled": True})}, taught)
    except known_hazards.HazardError as error:
        return str(error)
    return None
