"""The messages to a describer's child process, and the seam to the text generator there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from capture.frame import Image
from common.errors import WatchwordError

Emit = Callable[[str], bool]
"""Receives the next piece of text. Returns False if no more is wanted."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model to load, and how. No secrets: a key is named by its file."""

    backend: str
    model: str
    """The name used in events; that of the server if there is one."""
    folder: str = ""
    device: str = "auto"
    cache: str = ""
    """Folder for compiled models and golden answers."""
    template: str = ""
    """Prompt format of a model that brings none, with {system} and {user}."""
    square: bool = False
    """The model looks at the middle square only: pictures are padded to one."""
    url: str = ""
    key_file: str = ""
    connect_s: float = 5.0
    load_s: float = 600.0
    """Seconds that a server may take to load its model."""
    keep_alive_s: float = 0.0
    """Seconds without a question after which a server is asked one, so that it keeps its model; 0 never."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of each request to a server."""
    warm: tuple[str, ...] = ()
    """Instructions to have computed before the first question, if the backend keeps them."""
    idle: bool = True
    """Run at idle priority. On a machine that is always busy it never runs."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class GenerationJob:
    """One picture and the instructions for its description."""

    id: int
    image: Image
    system: str
    user: str
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    deadline_s: float = 10.0

    def header(self) -> dict[str, Any]:
        """Everything but the pixels."""
        height, width = self.image.shape[:2]
        return {
            "do": "describe",
            "id": self.id,
            "size": [height, width],
            "system": self.system,
            "user": self.user,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "deadline_s": self.deadline_s,
        }


def job_from(header: dict[str, Any], pixels: bytes) -> GenerationJob:
    """Return the job that `header` and the picture's bytes encode."""
    fields = {key: value for key, value in header.items() if key not in ("do", "size")}
    return GenerationJob(image=np.frombuffer(pixels, np.uint8).reshape(*header["size"], 3), **fields)


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """Figures about one answer."""

    tokens: int
    cut: bool
    """It ended because the limit of tokens was reached."""
    note: str = ""


class GenerateError(WatchwordError):
    """This answer could not be had; the next may be. One clear line."""


class ModelLoadError(WatchwordError):
    """The model cannot be used here; one line with the cure."""


class Generator(Protocol):
    """Writes text about pictures, one job at a time."""

    device: str

    def generate(self, job: GenerationJob, emit: Emit) -> GenerationStats:
        """Raises GenerateError."""
        ...

    def interrupt(self) -> None:
        """From another thread: give up waiting, if this generator waits for something."""
        ...
