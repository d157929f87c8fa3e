"""Makes a clip of still pictures as a carried camera would take it: it sways, drifts, cuts and turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from capture.image_file import load_image
from daemon.bench.peers.outcome import ChangeKind

SIZE = (640, 360)
"""Width and height in pixels."""
TURN_S = 0.6
"""Seconds of a turn from one view to the next: a head turns a quarter in about as long."""
_ROOM = 1.25
"""The picture is that many times as large as the view, which sways within it."""
_STEPS_HZ = 1.8
_SWAY = 6.0
"""Pixels; a walker's step moves the view up and down by so much."""
_NOISE = 2.0
"""Grey levels; standard deviation of an ordinary camera's noise."""
_NOISES = 16
"""Frames after which the noise repeats."""
_MAX_SIDE = 1280


def made_frames(
    pictures: Sequence[Path], seconds: float, rate: float, seed: int
) -> Iterator[tuple[float, Image, ChangeKind | None]]:
    """Time, picture and change of each frame; every second change is a turn. Raises CameraUnusable."""
    random = np.random.default_rng(seed)
    number, before = 0, None
    for place, path in enumerate(pictures):
        ground = _ground(path)
        drift = random.uniform(-1.0, 1.0)
        turned = before is not None and place % 2 == 0
        change: ChangeKind | None = None if before is None else "turn" if turned else "cut"
        for step in range(round(seconds * rate)):
            now_s = step / rate
            view = view_at(ground, now_s, drift * now_s / seconds)
            if turned and before is not None and now_s < TURN_S:
                view = turn_at(before, view, now_s / TURN_S)
            yield number / rate, _noisy(view, number), change
            number, change = number + 1, None
        before = view_at(ground, seconds, drift)


def view_at(ground: Image, at_s: float, drift: float) -> Image:
    """The view of SIZE in a larger picture: it drifts sideways, -1 to 1, and sways with each step."""
    spare_x, spare_y = ground.shape[1] - SIZE[0], ground.shape[0] - SIZE[1]
    sway = _SWAY * math.sin(2 * math.pi * _STEPS_HZ * at_s)
    left = min(max(round(spare_x * (0.5 + 0.4 * drift)), 0), spare_x)
    top = min(max(round(spare_y / 2 + sway), 0), spare_y)
    return ground[top : top + SIZE[1], left : left + SIZE[0]]


def turn_at(before: Image, after: Image, share: float) -> Image:
    """Both views side by side, seen by a camera that has turned by `share`, 0 to 1, from one to the other."""
    # It speeds up and slows down, as a head does.
    left = round(SIZE[0] * (3 - 2 * share) * share**2)
    both = np.concatenate((before, after), axis=1)
    return both[:, left : left + SIZE[0]]


def _ground(path: Path) -> Image:
    """The picture, cut and scaled to _ROOM times the view."""
    image, _ = load_image(path, _MAX_SIDE)
    return covering(image, round(SIZE[0] * _ROOM), round(SIZE[1] * _ROOM))


def covering(image: Image, width: int, height: int) -> Image:
    """The picture scaled until it covers that size, and the middle of it."""
    scale = max(width / image.shape[1], height / image.shape[0])
    size = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    large = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return large[top : top + height, left : left + width]


@cache
def _noise() -> tuple[NDArray[np.int16], ...]:
    """Drawn once: drawing it for every frame would take longer than all rules together."""
    random = np.random.default_rng(0)
    shape = (SIZE[1], SIZE[0], 3)
    return tuple(np.rint(random.normal(0, _NOISE, shape)).astype(np.int16) for _ in range(_NOISES))


def _noisy(view: Image, number: int) -> Image:
    return np.asarray(np.clip(view + _noise()[number % _NOISES], 0, 255), np.uint8)
