"""The seam to everything that turns a picture into sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from capture.frame import Image
from common.errors import WatchwordError
from pipeline.types import Direction, Encoding, Trigger


@dataclass(frozen=True, slots=True)
class DetectedHazard:
    """A hazard of the detector, as reported to a describer."""

    hazard: str
    probability: float
    direction: Direction | None = None
    called: str = ""
    """The thing by name, if its name is known better than by its hazard: `a lorry`, not `a vehicle`."""


@dataclass(frozen=True, slots=True, eq=False)
class DescribeRequest:
    """A picture, why it is to be described, and by when."""

    id: str
    image: Image
    trigger: Trigger
    language: str
    seen: tuple[DetectedHazard, ...] = ()
    hazard: str | None = None
    """Which of `seen` the alert was about; None takes the first."""
    question: str | None = None
    known: tuple[str, ...] = ()
    """Other things that the client says are on it, in the client's own words."""
    encoding: Encoding | None = None
    """The detector's encoding of the picture, for describers that need no pixels."""
    detector_only: bool = False
    """Answer from the detector's report, without a model: the full answer was not possible."""
    deadline_s: float = 10.0
    """Seconds from the start of the request after which the answer is worthless."""


class DescribeError(WatchwordError):
    """The describer has no answer; the message says why. Never spoken as a description."""


class Describer(Protocol):
    """Answers one request at a time; `describe` runs in one thread, `cancel` may come from another."""

    @property
    def model(self) -> str: ...

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """Finished sentences in order, ready to be spoken. Raises DescribeError."""
        ...

    def cancel(self) -> None:
        """Let a running `describe` end soon; its remaining sentences are not wanted."""
        ...

    def close(self) -> None: ...
