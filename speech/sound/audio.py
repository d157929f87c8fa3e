"""The type of the sound that synthesisers produce and players play."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """PCM sound with its sample rate."""

    samples: NDArray[np.int16]
    """(frames, channels), read-only."""
    rate: int
    """Sample frames a second."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.int16:
            raise ValueError(
                f"audio is int16 frames x channels, not {self.samples.dtype} {self.samples.shape}"
            )
        if self.rate <= 0:
            raise ValueError(f"audio rate {self.rate} is not positive")
        # Read-only, because sounds are cached and shared by threads.
        self.samples.setflags(write=False)

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        return float(self.samples.shape[0]) / self.rate
