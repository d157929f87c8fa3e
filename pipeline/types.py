"""The values that flow through the core. All frozen; times in monotonic (live) or stream (replay) seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

Embedding = NDArray[np.float32]
"""A picture as the image-text model sees it: float32, shape (D,), unit L2 norm."""
Probabilities = NDArray[np.float32]
"""Calibrated probability of each hazard: float32, shape (H,), in the order of the bound hazards."""


class Severity(IntEnum):
    """Severity of a hazard. Only a higher one interrupts a danger phrase."""

    NOTICE = 1
    WARNING = 2
    CRITICAL = 3


class Direction(StrEnum):
    """Direction as seen by the wearer."""

    LEFT = "left"
    AHEAD = "ahead"
    RIGHT = "right"
    BOTH = "both"
    """Left and right at once."""
    BEHIND = "behind"
    """Only from a camera that faces backwards."""


class Trigger(StrEnum):
    """Why a description is wanted."""

    DANGER = "danger"
    SCENE_CHANGE = "scene_change"
    REQUEST = "request"
    READ = "read"
    """The words in it are to be read."""

    @property
    def asked(self) -> bool:
        """True if a person waits for the answer."""
        return self in (Trigger.REQUEST, Trigger.READ)


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The words each hazard is recognised by, and the safe scenes they are contrasted with.

    Prompts are concrete scenes; models of this kind do not understand negation.
    """

    hazards: tuple[tuple[str, tuple[str, ...]], ...]
    """(name, prompts) in the order of every score and probability vector."""
    contrast: tuple[str, ...]
    """Ordinary scenes without danger."""
    shipped: frozenset[str] = frozenset()
    """The built-in hazards with the words they were shipped with: a model may have been trained for these."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.hazards)


# eq=False here and below: comparing arrays gives an array, which has no truth value.
@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """A picture, or a part of one, as an image-text model sees it."""

    embedding: Embedding
    evidence: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Read only by the prompt banks of the same model: float32, shape (E,); empty if they need none."""
    parts: tuple[Encoding, ...] = ()
    """The left, the middle and the right part of the picture; empty if the model cannot tell them apart."""

    @property
    def whole(self) -> Encoding:
        """The same without its parts."""
        return Encoding(self.embedding, self.evidence)


@dataclass(frozen=True, slots=True, eq=False)
class PartReading:
    """The calibrated probabilities of one part of a frame."""

    direction: Direction
    probabilities: Probabilities


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """The detector's result for one frame; carries no pixels, so that it can be kept and repeated."""

    seq: int
    captured_at_s: float
    encoding: Encoding
    """Without its parts."""
    probabilities: Probabilities
    parts: tuple[PartReading, ...] = ()
    """The parts scored beside this frame while a direction is sought."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A hazard became certain enough to speak of."""

    id: str
    hazard: str
    severity: Severity
    probability: float
    captured_at_s: float
    seq: int
    direction: Direction | None = None
    escalated: bool = False
    """True if it was already known and has come nearer or grown."""
    again: bool = False
    """True if a lasting hazard is said once more, without news."""


@dataclass(frozen=True, slots=True)
class Located:
    """The direction of an alert became known after it was raised."""

    alert_id: str
    hazard: str
    direction: Direction
    captured_at_s: float
    seq: int


@dataclass(frozen=True, slots=True)
class Clear:
    """A hazard is gone."""

    id: str
    hazard: str
    alert_id: str
    captured_at_s: float
    seq: int


@dataclass(frozen=True, slots=True)
class SceneEvent:
    """A view worth describing."""

    id: str
    trigger: Trigger
    captured_at_s: float
    seq: int
    hazard: str | None = None
    cause: str | None = None
    """Id of the alert or request that led to it."""
    question: str | None = None
    """The words of an explicit question."""
    detector_only: bool = False
    """Answer from the detector's report: the full answer was not possible."""


@dataclass(frozen=True, slots=True)
class Description:
    """A describer's answer."""

    id: str
    cause: str
    """Id of the scene event."""
    text: str
    language: str
    model: str
