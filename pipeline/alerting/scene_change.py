"""Decides that the view has changed enough to be described. A pure state machine over embeddings.

The smoothed embedding is compared (cosine distance) with the one last described. A view is described once it
has settled, not while the camera turns, and not more often than the interval and the budget allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.settings import SceneSettings
from pipeline.types import Embedding

MINUTE_S = 60.0


def cosine_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """1 - cosine similarity, 0 to 2; 1 if either is all zero."""
    # As `numpy.linalg.norm` computes it, but in a third of its time; this runs twice for every frame.
    norm = float(np.sqrt(a.dot(a))) * float(np.sqrt(b.dot(b)))
    return 1.0 if norm == 0 else 1.0 - float(np.dot(a, b)) / norm


class SceneChangeGate:
    """Returns True from `step` for a frame whose view should be described now."""

    def __init__(self, settings: SceneSettings) -> None:
        """Raises ValueError if a distance is still "auto": it must be that of the model."""
        if settings.distance == "auto" or settings.settle_distance == "auto":
            raise ValueError("the distances of the scene gate must be those of a model")
        self._settings = settings
        self._distance, self._settle_distance = settings.distance, settings.settle_distance
        self._smoothed: Embedding | None = None
        self._described: Embedding | None = None
        self._last_s: float | None = None
        self._settled_since_s: float | None = None
        self._opened_s: tuple[float, ...] = ()

    def step(self, embedding: Embedding, now: float, *, unwanted: bool = False) -> bool:
        """Process one frame's embedding. `unwanted`: a description would be useless or is not wanted now."""
        self._follow(embedding, now)
        if unwanted or not self._settled(embedding, now) or not self._changed() or not self._allowed(now):
            return False
        # Recorded for the interval and the budget.
        self._opened_s = (*self._opened_s, now)
        self.mark_described()
        return True

    def mark_described(self) -> None:
        """Record that the present view is described for another reason. Change is measured from it."""
        # The smoothed view and not this frame: a single unusual frame must not become the reference.
        self._described = self._smoothed

    def _follow(self, embedding: Embedding, now: float) -> None:
        tau, last = self._settings.smoothing_s, self._last_s
        if self._smoothed is None or last is None or tau == 0:
            self._smoothed = embedding.copy()
        else:
            weight = np.float32(-math.expm1(-max(now - last, 0.0) / tau))
            self._smoothed = self._smoothed + weight * (embedding - self._smoothed)
        self._last_s = now

    def _settled(self, embedding: Embedding, now: float) -> bool:
        assert self._smoothed is not None
        if cosine_distance(embedding, self._smoothed) > self._settle_distance:
            self._settled_since_s = None
            return False
        if self._settled_since_s is None:
            self._settled_since_s = now
        # With a tolerance: if `settle_s` is a multiple of the frame interval, rounding must not miss it.
        return now - self._settled_since_s >= self._settings.settle_s - 1e-9

    def _changed(self) -> bool:
        assert self._smoothed is not None
        # Nothing described yet: the first settled view is always new.
        if self._described is None:
            return True
        return cosine_distance(self._smoothed, self._described) >= self._distance

    def _allowed(self, now: float) -> bool:
        self._opened_s = tuple(t for t in self._opened_s if now - t < MINUTE_S)
        if self._opened_s and now - self._opened_s[-1] < self._settings.min_interval_s:
            return False
        return len(self._opened_s) < self._settings.budget_per_minute

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "smoothed": None if self._smoothed is None else self._smoothed.tolist(),
            "described": None if self._described is None else self._described.tolist(),
            "last_s": self._last_s,
            "settled_since_s": self._settled_since_s,
            "opened_s": list(self._opened_s),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._smoothed = _array(state["smoothed"])
        self._described = _array(state["described"])
        self._last_s = state["last_s"]
        self._settled_since_s = state["settled_since_s"]
        self._opened_s = tuple(state["opened_s"])


def _array(values: list[float] | None) -> Embedding | None:
    return None if values is None else np.array(values, dtype=np.float32)
