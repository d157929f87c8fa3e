"""The state of a describer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pipeline.description.base import DescribeRequest


class Phase(StrEnum):
    """Loading happens once; one that has failed stays failed until it is ready again."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DescriberStatus:
    """Phase, and one line about it: the present activity, or the reason of the failure."""

    phase: Phase
    reason: str = ""


class WatchedDescriber(Protocol):
    """A `Describer` that tells how it is."""

    @property
    def model(self) -> str:
        """Name of the describer that gave the last sentence."""
        ...

    @property
    def status(self) -> DescriberStatus: ...

    @property
    def calls(self) -> int:
        """Views that a model was really shown."""
        ...

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until it is ready or has failed; True if it is ready."""
        ...

    def describe(self, request: DescribeRequest) -> Iterator[str]: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...
