"""What has come into a view that stands still: found by comparing with how the view usually looks.

A thing that fills a tenth of the picture is a spot to an encoder that looks at the whole; looked at alone it
is large. So the part that differs from a running background is cut out, and what did not change in it is
levelled to its mean colour: a car parked behind a passer-by is no arrival. Nothing is found while the camera
itself moves, while things change in many places, where the change is scattered or slender, or where something
has left (the place is plainer than before). What has come and stays becomes background within half a minute;
the whole view goes on seeing it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.detection.thumbnail import FINE, Plane, coarse_grid, local_change, thumbnail
from pipeline.models.preprocess import fitted, resize

Mask = NDArray[np.bool_]
Grey = NDArray[np.uint8]

ADAPT_S = 10.0
"""Time constant of the background."""
GAP_S = 5.0
"""After so long without a picture the background is learnt afresh."""
LEVEL = 14.0
"""Grey levels by which a cell must differ, in any colour."""
MOVED = 0.5
"""Share of cells whose change means that the camera moved, or a cut."""
LEAST = 0.01
"""Share of the cells that a thing must cover to be worth a look."""
ELSEWHERE = 0.1
"""Share of the cells that may change outside it."""
POINT_LEVEL = 15.0
"""Grey levels by which a point must differ from the last picture's."""
UNSTEADY = 0.1
"""Share of the blocks of two by two cells away from the thing in which a point may differ."""
MARGIN = 1.25
"""Side of the square around it, in its own longer sides."""
FILL = 0.15
"""Share of that square that it must cover: a car does from any side, a walker or a lamp post does not."""
SOLID = 0.5
"""Share of its own upright rectangle that it must cover: one thing does, several near each other do not."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A square part of a picture, in cells, and the changed cells of the whole picture."""

    left: float
    top: float
    width: float
    height: float
    changed: Mask

    def cut(self, image: Image, width: int, height: int) -> Image:
        """The part scaled to fit `width` x `height`, what did not change in it levelled."""
        rows, columns = image.shape[:2]
        across, down = columns / self.changed.shape[1], rows / self.changed.shape[0]
        x0, x1 = int(self.left * across), math.ceil((self.left + self.width) * across)
        y0, y1 = int(self.top * down), math.ceil((self.top + self.height) * down)
        square = image[y0:y1, x0:x1]
        part = resize(square, *fitted(square, width, height)).astype(np.float32)
        return _levelled(part, self._weights(part.shape[1], part.shape[0]))

    def _weights(self, width: int, height: int) -> Plane:
        """1 on changed cells and the two around them, 0 elsewhere, soft between: (height, width, 1)."""
        wide = cv2.dilate(self.changed.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
        x = self.left - 0.5 + (np.arange(width, dtype=np.float32) + 0.5) * (self.width / width)
        y = self.top - 0.5 + (np.arange(height, dtype=np.float32) + 0.5) * (self.height / height)
        across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        soft = cv2.remap(wide, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(soft, np.float32)[..., None]


def _levelled(part: Plane, weights: Plane) -> Image:
    rest = 1 - weights
    mean = (part * rest).sum((0, 1)) / max(1.0, float(rest.sum()))
    return np.asarray(part * weights + mean * rest, np.float32).astype(np.uint8)


class NewObjectDetector:
    """The running background of one camera. Used by one thread; times are those of the frames."""

    def __init__(self) -> None:
        self._background: Plane | None = None
        self._points: Grey | None = None
        self._last_s = 0.0

    def find(self, image: Image, now: float) -> Region | None:
        """The part where something has come, if there is one thing that has. `image` may be its points."""
        fine = thumbnail(image)
        cells, points = coarse_grid(fine).astype(np.float32), _grey(fine)
        usual, elapsed = self._background, now - self._last_s
        self._last_s, self._points, last = now, points, self._points
        if usual is None or usual.shape != cells.shape or not 0 <= elapsed <= GAP_S:
            self._background = cells
            return None
        changed = _changed(cells, usual)
        moved = changed.mean() > MOVED
        thing = None if moved else _largest(changed)
        if moved or (thing is not None and thing.mean() > MOVED):
            self._background = cells
            return None
        self._background = usual - np.float32(math.expm1(-elapsed / ADAPT_S)) * (cells - usual)
        if thing is None:
            return None
        if _busyness(cells, thing) < _busyness(usual, thing):
            self._background = np.where(thing[..., None], cells, self._background)
            return None
        alone = (changed & ~thing).mean() <= ELSEWHERE
        return _part(thing) if alone and last is not None and _steady(points, last, thing) else None


def _grey(points: Image) -> Grey:
    return np.asarray(cv2.cvtColor(points, cv2.COLOR_BGR2GRAY), np.uint8)


def _steady(points: Grey, last: Grey, thing: Mask) -> bool:
    """Whether hardly anything has changed since the last picture, the thing and its surroundings aside.

    Edges give even a slow turn of the camera away, which the cells are too coarse to show at once.
    """
    change = np.asarray(cv2.subtract(points, last, dtype=cv2.CV_32F), np.float32)
    moved = (local_change(change, FINE) > POINT_LEVEL).astype(np.float32)
    blocks = thing.shape[1] // 2, thing.shape[0] // 2
    around = cv2.dilate(thing.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(np.float32)
    away = cv2.resize(around, blocks, interpolation=cv2.INTER_AREA) == 0
    busy = cv2.resize(moved, blocks, interpolation=cv2.INTER_AREA) > 0
    return bool((busy & away).sum() <= UNSTEADY * max(1, away.sum()))


def _changed(cells: Plane, usual: Plane) -> Mask:
    planes = cv2.split(cells - usual)
    blue, green, red = (local_change(np.asarray(plane, np.float32), 2) for plane in planes)
    return np.asarray(np.maximum(np.maximum(blue, green), red) > LEVEL)


def _largest(changed: Mask) -> Mask | None:
    """The largest connected part of the change, where it is large enough."""
    closed = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, labels, found, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    sizes = found[1:, cv2.CC_STAT_AREA]
    if not len(sizes) or sizes.max() < LEAST * changed.size:
        return None
    return np.asarray(labels == 1 + int(sizes.argmax()))


def _busyness(cells: Plane, inside: Mask) -> float:
    """How much brightness varies from cell to cell."""
    grey = cells.mean(2)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return float((np.abs(across) + np.abs(down))[inside].sum())


def _part(thing: Mask) -> Region | None:
    """The square around a thing, moved inside the picture, where the thing fills it."""
    (rows, columns), (y, x) = thing.shape, np.nonzero(thing)
    left, top, wide, high = x.min(), y.min(), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1
    side = MARGIN * max(wide, high)
    width, height = min(side, columns), min(side, rows)
    if len(x) < max(FILL * width * height, SOLID * wide * high):
        return None
    return Region(
        left=float(np.clip(left + (wide - width) / 2, 0, columns - width)),
        top=float(np.clip(top + (high - height) / 2, 0, rows - height)),
        width=float(width),
        height=float(height),
        changed=thing,
    )
