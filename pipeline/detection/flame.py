"""Flame-coloured spots that come into a view and stay where they are, while it smokes.

A fire far off is too small for an encoder that looks at the whole picture, and cut out it is a red blob
like many others: a jacket, a tail light, a lit sign. But its smoke is large. So the colour alone says
nothing; where smoke is suspected, a new flame-coloured spot that keeps its place makes a fire likelier.
Nothing is found while the camera itself moves.
Colour rules for flames: Chen, Wu and Chiou 2004, "An early fire-detection method based on image processing".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.detection.thumbnail import FINE, Plane, local_change, thumbnail

Mask = NDArray[np.bool_]

RED, OVER_GREEN, OVER_BLUE = 150, 50, 70
"""Grey levels: least red of a flame, and by how much it surpasses the other colours."""
LEAST = 8
"""Points that must have come together and kept their place."""
MOST = 0.1
"""Share of the points that may have turned flame-coloured: more is large enough for the encoder."""
LEVEL = 15.0
"""Grey levels by which a point must differ from the last picture's to have changed."""
MOVED = 0.25
"""Share of the points whose change means that the camera moved, or a cut."""
USUAL = 0.2
"""Share of the time a point may have been flame-coloured before and still count as new."""
ADAPT_S = 30.0
"""Time constant of what is usual: after seven seconds a spot is no longer new."""
STAYED_S = 0.3
"""Seconds after which a spot must still be in its place; a car has moved on."""
HELD_S = 1.0
"""Seconds a glow is believed after it was last in its place: flames flicker and smoke hides them."""
GAP_S = 5.0
"""After so long without a picture what is usual is learnt afresh."""
TRIPLED = math.log(3)
"""Log-odds of fire over those of its smoke where something glows."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    at_s: float
    flames: Mask


class FlameDetector:
    """What is flame-coloured in the view of one camera. Used by one thread; times are those of the frames."""

    def __init__(self) -> None:
        self._usual: Plane | None = None
        self._grey: Plane | None = None
        self._last_s = 0.0
        self._recent: _Look | None = None
        self._earlier: _Look | None = None
        self._seen_s = -math.inf

    def step(self, image: Image, now: float) -> bool:
        """Whether something flame-coloured has come and keeps its place. `image` may be its points."""
        points = thumbnail(image)
        elapsed, self._last_s = now - self._last_s, now
        grey, before = _sparse(points), self._grey
        self._grey = grey
        if before is not None and before.shape == grey.shape and _moved(grey - before):
            return self._forget()
        flames, usual = _flames(points), self._usual
        if usual is None or usual.shape != flames.shape or not 0 <= elapsed <= GAP_S:
            return self._afresh(flames, now)
        new = flames & (cv2.dilate(usual, np.ones((3, 3))) < USUAL)
        if new.mean() > MOST:
            return self._afresh(flames, now)
        self._usual = usual - np.float32(math.expm1(-elapsed / ADAPT_S)) * (flames - usual)
        self._remember(flames, now)
        if self._earlier is not None and new.any() and _together(new & _wider(self._earlier.flames)) >= LEAST:
            self._seen_s = now
        return now - self._seen_s <= HELD_S

    def _forget(self) -> bool:
        self._usual, self._recent, self._earlier, self._seen_s = None, None, None, -math.inf
        return False

    def _afresh(self, flames: Mask, now: float) -> bool:
        self._usual = flames.astype(np.float32)
        self._recent, self._earlier, self._seen_s = _Look(now, flames), None, -math.inf
        return False

    def _remember(self, flames: Mask, now: float) -> None:
        if self._recent is None or now - self._recent.at_s >= STAYED_S:
            self._earlier, self._recent = self._recent, _Look(now, flames)


def boost_fire(fire: float, smoke: float) -> float:
    """Probability of a fire where something glows, from those of fire and its smoke in the whole view."""
    odds = smoke / max(1 - smoke, 1e-6) * math.exp(TRIPLED)
    return max(fire, odds / (1 + odds))


def _sparse(points: Image) -> Plane:
    """Brightness of every fourth point across and down."""
    return cv2.cvtColor(np.ascontiguousarray(points[::FINE, ::FINE]), cv2.COLOR_BGR2GRAY).astype(np.float32)


def _moved(change: Plane) -> bool:
    return bool((local_change(change) > LEVEL).mean() > MOVED)


def _flames(points: Image) -> Mask:
    blue, green, red = cv2.split(points)
    over = (cv2.subtract(red, green) > OVER_GREEN) & (cv2.subtract(red, blue) > OVER_BLUE)
    return np.asarray(over & (red > RED))


def _wider(mask: Mask) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _together(mask: Mask) -> int:
    """Points of the largest connected part."""
    _, _, found, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int(found[1:, cv2.CC_STAT_AREA].max(initial=0))
