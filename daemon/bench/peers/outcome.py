"""Figures of a rule over clips: descriptions a minute, and the share of scene changes it answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.evaluation.clip_counts import SCENE_TOLERANCE_S

ChangeKind = Literal["cut", "turn"]
"""From one frame to the next, or as a camera turns from one view to another."""
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class SceneChange:
    """The true start of another scene, in seconds of its clip."""

    at_s: float
    kind: ChangeKind = "cut"


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """One rule's descriptions of one clip."""

    seconds: float
    changes: tuple[SceneChange, ...]
    described_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule's descriptions of all clips."""

    minutes: float
    described: int
    answered: dict[ChangeKind, int]
    changes: dict[ChangeKind, int]

    @property
    def per_minute(self) -> float:
        return self.described / self.minutes if self.minutes else 0.0

    @property
    def recall(self) -> float | None:
        """None if no change can be judged."""
        total = sum(self.changes.values())
        return sum(self.answered.values()) / total if total else None

    @property
    def f1(self) -> float:
        """Of changes answered (recall) and descriptions that answer one (precision); 0 without any."""
        total = sum(self.changes.values()) + self.described
        return 2 * sum(self.answered.values()) / total if total else 0.0

    def __str__(self) -> str:
        kinds = ", ".join(
            f"{self.answered.get(kind, 0)} of {count} {kind}s" for kind, count in sorted(self.changes.items())
        )
        return f"{kinds or 'no changes'} answered within {SCENE_TOLERANCE_S:g} s; {self.minutes:.1f} minutes"


def total(clips: Iterable[ClipOutcome]) -> RuleOutcome:
    """The sum over clips."""
    minutes, described = 0.0, 0
    answered: dict[ChangeKind, int] = {}
    changes: dict[ChangeKind, int] = {}
    for clip in clips:
        minutes += clip.seconds / 60
        described += len(clip.described_s)
        judged = [one for one in clip.changes if is_judged(one, clip.seconds)]
        for change, hit in zip(judged, are_answered(judged, clip.described_s), strict=True):
            changes[change.kind] = changes.get(change.kind, 0) + 1
            answered[change.kind] = answered.get(change.kind, 0) + hit
    return RuleOutcome(minutes, described, answered, changes)


def is_judged(change: SceneChange, seconds: float) -> bool:
    """False so close to the end of the clip that an answer might have come after it."""
    return change.at_s <= seconds - SCENE_TOLERANCE_S + _ROUNDING_S


def are_answered(changes: Sequence[SceneChange], described_s: Sequence[float]) -> tuple[bool, ...]:
    """Whether a description follows each change within SCENE_TOLERANCE_S. It answers one change at most."""
    waiting = sorted(described_s)
    hits = []
    for change in changes:
        end_s = change.at_s + SCENE_TOLERANCE_S + _ROUNDING_S
        hit = next((at_s for at_s in waiting if change.at_s - _ROUNDING_S <= at_s <= end_s), None)
        if hit is not None:
            waiting.remove(hit)
        hits.append(hit is not None)
    return tuple(hits)
