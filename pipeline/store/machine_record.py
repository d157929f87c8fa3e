"""What was measured of a model on this machine: one file for each model and kind, in the state folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from common import atomic_file

log = logging.getLogger(__name__)

FOLDER = "models"


class MachineRecord(BaseModel, frozen=True, extra="forbid"):
    """A measurement that holds for one machine and one pull of a model."""

    version: Literal[1] = 1
    model: str
    installed: str
    """The time of the pull: after another pull it is measured again."""
    machine: str
    """Whatever of the machine and the settings the measurement depends on."""


Record = TypeVar("Record", bound=MachineRecord)


def record_path(state: Path, model: str, kind: str) -> Path:
    """The file of a model's record."""
    return state / FOLDER / f"{model}.{kind}.json"


def read_record(path: Path, record: type[Record], then: str) -> Record | None:
    """None if there is none, or if it cannot be read (logged, with the consequence `then`)."""
    try:
        return record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("%s cannot be read (%s); %s", path, str(error).splitlines()[0], then)
        return None


def write_record(path: Path, record: MachineRecord, then: str) -> None:
    """Replace the file. One that cannot be written is logged, with the consequence `then`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(path, record.model_dump_json(indent=1) + "\n")
    except OSError as error:
        log.warning("%s cannot be written (%s); %s", path, error.strerror, then)
