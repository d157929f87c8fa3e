"""The reports of a describer's child about a job."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TextPiece:
    """More text."""

    text: str


@dataclass(frozen=True, slots=True)
class JobFinished:
    """The answer is complete."""

    tokens: int
    cut: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The answer is complete."""

    reason: str


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The job was cancelled."""


Message = TextPiece | JobFinished | JobFailed | JobCancelled
Inbox = queue.Queue[Message]


class GarbledError(Exception):
    """A message that means nothing; its sender is not to be trusted any more."""


def parse(message: dict[str, Any]) -> tuple[int, Message]:
    """A message about a job. Raises GarbledError for nonsense."""
    try:
        job_id = int(message["id"])
        if "piece" in message:
            return job_id, TextPiece(str(message["piece"]))
        if "error" in message:
            return job_id, JobFailed(str(message["error"]))
        end = message["end"]
        return job_id, JobFinished(int(end["tokens"]), bool(end["cut"]), float(end["took_s"]))
    except (LookupError, TypeError, ValueError):
        raise GarbledError("the describer's process talks nonsense") from None
