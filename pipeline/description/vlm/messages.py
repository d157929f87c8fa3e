"""What the describer's child reports about a job, as values."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Piece:
    """More text."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is complete."""

    tokens: int
    cut: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nobody wants the rest."""


Message = Piece | Ended | Failed | Cancelled
Inbox = queue.Queue[Message]


class GarbledError(Exception):
    """A message that means nothing; its sender is not to be trusted any more."""


def parse(message: dict[str, Any]) -> tuple[int, Message]:
    """A message about a job. Raises GarbledError for nonsense."""
    try:
        job_id = int(message["id"])
        if "piece" in message:
            return job_id, Piece(str(message["piece"]))
        if "error" in message:
            return job_id, Failed(str(message["error"]))
        end = message["end"]
        return job_id, Ended(int(end["tokens"]), bool(end["cut"]), float(end["took_s"]))
    except (LookupError, TypeError, ValueError):
        raise GarbledError("the describer's process talks nonsense") from None
