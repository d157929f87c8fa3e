"""Decides how many frames a second are assessed, so that a describer has processor time left, and a hot
processor cools down. Pure.
"""

from __future__ import annotations

from typing import Literal

from common.processor_heat import HOT_C

MIN_FPS = 8.0
"""Frames a second that are never left out: an alert needs several frames within half a second."""
_HOT_SHARE = 0.5
"""Part of the time that assessing may take while the processor is hot."""
_COOLED_C = 5.0
"""Degrees below the limit at which it counts as cooled down."""
_SMOOTHING = 0.1
"""Weight of the newest duration in the mean."""


class FrameBudget:
    """Chooses the frames to assess, evenly. Nothing is left out while a hazard is suspected."""

    def __init__(
        self, max_fps: float | Literal["auto"], share: float | Literal["auto"], *, describes: bool
    ) -> None:
        """`share`: part of the time that assessing may take, in which it keeps every core of its own busy.

        With `auto` a limit holds only if `describes`: otherwise no describer needs the time.
        """
        self._max_fps = max_fps
        if share == "auto":
            share = 0.5 if describes else 1.0
        self._share = share if share < 1.0 else float("inf")
        self._hot = False
        self._took_s = 0.0
        self._due_s: float | None = None

    @property
    def limit_fps(self) -> float:
        """Frames a second at most; infinite without a limit."""
        share = min(self._share, _HOT_SHARE) if self._hot else self._share
        by_share = share / self._took_s if self._took_s > 0 else float("inf")
        by_rate = float("inf") if self._max_fps == "auto" else self._max_fps
        return max(MIN_FPS, min(by_share, by_rate))

    @property
    def hot(self) -> bool:
        """True while the processor is too hot."""
        return self._hot

    def on_temperature(self, celsius: float | None) -> None:
        """Take in the processor's temperature; None if nothing measures it."""
        # Two limits, or the rate would change with every degree.
        limit_c = HOT_C - _COOLED_C if self._hot else HOT_C
        self._hot = celsius is not None and celsius >= limit_c

    def on_assessed(self, took_s: float) -> None:
        """Take in the seconds that a frame took."""
        # The first duration is taken whole; a mean that starts at 0 would overstate the rate for a while.
        weight = _SMOOTHING if self._took_s else 1.0
        self._took_s += weight * (took_s - self._took_s)

    def wants(self, at_s: float, *, suspected: bool) -> bool:
        """True if the frame captured at `at_s` is to be assessed."""
        interval_s = 1 / self.limit_fps
        if self._due_s is not None and self._due_s - at_s > 1.0:
            self._due_s = None  # the source has started counting again
        # Half an interval of tolerance: a camera's frames do not come exactly evenly.
        if not suspected and self._due_s is not None and at_s < self._due_s - interval_s / 2:
            return False
        # From this frame if it is late, so that a pause is not made up for by a burst of frames.
        behind = self._due_s is None or at_s - self._due_s > interval_s
        self._due_s = interval_s + (at_s if behind or self._due_s is None else self._due_s)
        return True
