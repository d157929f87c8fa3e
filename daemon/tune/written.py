"""Writes a plan into the overrides, and takes it back.

`tune.json` beside the overrides holds the written values and those from before, so that `--undo` can restore
them. A setting that was changed by another hand since is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from common import atomic_file
from daemon.config.layers import Layer, leaves, read_file
from daemon.config.overrides import Drop, edited, keep
from daemon.config.schema import dotted
from daemon.config.settings import Loaded, Settings
from daemon.errors import CommandError
from daemon.tune.proposals import PlannedSetting

RECORD = "tune.json"
Value = str | int | float | bool


class TuneRecord(BaseModel, frozen=True, extra="forbid"):
    """The settings that `watchword tune` wrote."""

    version: Literal[1] = 1
    written: dict[str, Value]
    before: dict[str, Value | None]
    """The overrides in its place; None if there was none."""


@dataclass(frozen=True, slots=True)
class Undone:
    """The outcome of `undo`."""

    restored: tuple[str, ...]
    kept: tuple[str, ...]
    """Settings that were changed since, and left alone."""


def record_path(overrides: Path) -> Path:
    """The record's file, beside the overrides."""
    return overrides.with_name(RECORD)


def read_record(overrides: Path) -> TuneRecord | None:
    """None if nothing was written. Raises CommandError if the file is damaged."""
    path = record_path(overrides)
    try:
        return TuneRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        why = str(error).splitlines()[0]
        raise CommandError(
            f"{path} cannot be read ({why}); remove it, and use `watchword config reset KEY`"
        ) from None


def untuned(loaded: Loaded) -> Loaded:
    """The settings as they would be without a plan: a measurement must not depend on the last plan."""
    taken_back = _taken_back(loaded.overrides)[0]
    return loaded.again(edited(loaded.overrides, taken_back)) if taken_back else loaded


def changes(planned: Iterable[PlannedSetting], settings: Settings) -> dict[str, Value]:
    """The planned settings that differ from those in force."""
    present = {dotted(path): value for path, value in leaves(settings.model_dump(mode="json"))}
    return {one.key: one.value for one in planned if present[one.key] != one.value}


def write(loaded: Loaded, planned: Iterable[PlannedSetting]) -> tuple[str, ...]:
    """Write a plan in place of the last one; returns the settings for which a stronger layer wins.

    Raises ConfigError if the settings would not hold; nothing is written then. Raises OSError, CommandError.
    """
    taken_back = _taken_back(loaded.overrides)[0]
    wanted = changes(planned, untuned(loaded).settings)
    values = {**taken_back, **wanted}
    changed = loaded.again(edited(loaded.overrides, values))
    before = {key: taken_back.get(key, _override(loaded.overrides, key)) for key in wanted}
    record = TuneRecord(written=wanted, before={k: None if v is Drop.IT else v for k, v in before.items()})
    # First: a record of what was not written does no harm, but without it nothing could be taken back.
    record_path(loaded.overrides).parent.mkdir(parents=True, exist_ok=True)
    atomic_file.write(record_path(loaded.overrides), record.model_dump_json(indent=1) + "\n")
    keep(loaded.overrides, values)
    weak = (key for key in wanted if _layer(changed, key).name != "overrides")
    return tuple(f"{key}: {_layer(changed, key).where(tuple(key.split('.')))}" for key in weak)


def undo(overrides: Path) -> Undone:
    """Take the last plan back. Raises CommandError if there is none, OSError, ConfigError."""
    if read_record(overrides) is None:
        raise CommandError("watchword tune has written nothing that could be taken back")
    taken_back, kept = _taken_back(overrides)
    keep(overrides, taken_back)
    record_path(overrides).unlink(missing_ok=True)
    return Undone(tuple(taken_back), kept)


def _taken_back(overrides: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The overrides that take the last plan back, and the settings that were changed since."""
    record = read_record(overrides)
    if record is None:
        return {}, ()
    own = {key for key, value in record.written.items() if _override(overrides, key) == value}
    back = {key: Drop.IT if (old := record.before.get(key)) is None else old for key in record.written}
    return {k: v for k, v in back.items() if k in own}, tuple(k for k in record.written if k not in own)


def _override(overrides: Path, key: str) -> Any:
    """The override of a setting; `Drop.IT` if there is none."""
    layer = read_file(overrides, "overrides")
    found: Mapping[tuple[str, ...], Any] = dict(leaves(layer.values)) if layer else {}
    return found.get(tuple(key.split(".")), Drop.IT)


def _layer(loaded: Loaded, key: str) -> Layer:
    return loaded.origins.get(tuple(key.split(".")), Layer("default", {}))
