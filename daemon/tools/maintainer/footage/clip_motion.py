"""A still picture as a camera films it: panned, zoomed, shaken, carried at a walk, blurred, exposed anew.

Pure functions of a picture, a drawn motion and the time; the same seed gives the same frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from capture.frame import Image

SIZE = (320, 240)
"""Pixels of a frame, width and height: the pictures have 288 at most."""
_SHARE = (0.72, 0.95)
"""Share of the picture that is in view. A hazard may be at its edge."""
_SHUTTER_S = 0.02
"""Exposure time of one frame in seconds; motion during it is blurred."""
_LEAST_SMEAR = 1.5
"""Pixels below which a smear is not seen."""
_FIELD_MARGIN, _FIELD_SEED = 97, 1


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of the camera over one picture. Lengths are shares of the view's width."""

    share: tuple[float, float] = (0.9, 0.9)
    """Share of the picture in view, at the start and at the end."""
    pan_from: tuple[float, float] = (0.0, 0.0)
    """Start position within the room that is left, -1 to 1 across and down."""
    pan_to: tuple[float, float] = (0.0, 0.0)
    shake: float = 0.0
    walk: float = 0.0
    steps_per_s: float = 1.8
    roll_degrees: float = 0.0
    exposure: float = 0.0
    """Stops of light by which the exposure swings."""
    focus: float = 0.0
    """Pixels of blur at its worst; it comes and goes."""
    noise: float = 0.0
    """Grey levels of the sensor's noise."""
    phase: tuple[float, ...] = (0.0,) * 6
    """Of the swings above, in radians."""


def draw_motion(random: Generator, *, moving: bool) -> Motion:
    """A motion of a worn camera, or of one that hangs still: that has noise and changes of light alone."""
    still = _still(random)
    if not moving:
        return still
    zooms, pans, walks = random.random() < 0.4, random.random() < 0.6, random.random() < 0.6
    end = random.uniform(-1, 1, 2).tolist()
    return replace(
        still,
        share=(still.share[0], float(random.uniform(*_SHARE)) if zooms else still.share[1]),
        pan_to=(end[0], end[1]) if pans else still.pan_from,
        shake=float(random.uniform(0.002, 0.012)),
        walk=float(random.uniform(0.008, 0.025)) if walks else 0.0,
        steps_per_s=float(random.uniform(1.5, 2.1)),
        roll_degrees=float(random.uniform(0, 3)),
        focus=float(random.uniform(1, 3)) if random.random() < 0.25 else 0.0,
    )


def _still(random: Generator) -> Motion:
    share, where = float(random.uniform(*_SHARE)), random.uniform(-1, 1, 2).tolist()
    return Motion(
        share=(share, share),
        pan_from=(where[0], where[1]),
        pan_to=(where[0], where[1]),
        exposure=float(random.uniform(0, 0.5)) if random.random() < 0.4 else 0.0,
        noise=float(random.uniform(0, 6)),
        phase=tuple(random.uniform(0, 2 * math.pi, 6).tolist()),
    )


def frame_at(image: Image, motion: Motion, time_s: float, seconds: float, random: Generator) -> Image:
    """The frame at `time_s` of a shot that lasts `seconds`; `random` draws the sensor's noise."""
    matrix = _view(image, motion, time_s, seconds)
    seen = cv2.warpAffine(image, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    later = _view(image, motion, time_s + _SHUTTER_S, seconds)
    # The shift alone: within one exposure the camera hardly turns or zooms.
    frame = _smeared(np.asarray(seen, np.uint8), (later - matrix)[:, 2])
    # Cubed, so that the picture is sharp most of the time.
    blur = motion.focus * max(0.0, math.sin(2 * math.pi * 0.3 * time_s + motion.phase[4])) ** 3
    if blur > 0.3:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur), np.uint8)
    gain = 2 ** (motion.exposure * math.sin(2 * math.pi * 0.2 * time_s + motion.phase[5]))
    if motion.noise == 0 and gain == 1:
        return frame
    noisy = frame * np.float32(gain)
    if motion.noise:
        field, top, left = _noise_field(), *random.integers(0, _FIELD_MARGIN, 2)
        noisy += field[top : top + SIZE[1], left : left + SIZE[0]] * np.float32(motion.noise)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


@cache
def _noise_field() -> NDArray[np.float32]:
    """Noise larger than a frame: a part of it at a drawn place is as good as drawing every frame's anew."""
    shape = SIZE[1] + _FIELD_MARGIN, SIZE[0] + _FIELD_MARGIN, 3
    return np.random.default_rng(_FIELD_SEED).standard_normal(shape, np.float32)


def _view(image: Image, motion: Motion, time_s: float, seconds: float) -> NDArray[np.float64]:
    """Affine matrix (2, 3) from the picture to the frame; the area beside the picture is mirrored."""
    rows, columns = image.shape[:2]
    done = min(max(time_s / seconds, 0.0), 1.0)
    share = motion.share[0] + done * (motion.share[1] - motion.share[0])
    width = share * max(columns, rows * SIZE[0] / SIZE[1])
    scale = SIZE[0] / width
    across, down = (a + done * (b - a) for a, b in zip(motion.pan_from, motion.pan_to, strict=True))
    sway = _sway(motion, time_s)
    x = columns / 2 + across * max(0.0, columns - width) / 2 + sway[0] * width
    y = rows / 2 + down * max(0.0, rows - SIZE[1] / scale) / 2 + sway[1] * width
    matrix = cv2.getRotationMatrix2D((x, y), sway[2], scale)
    matrix[:, 2] += SIZE[0] / 2 - x, SIZE[1] / 2 - y
    return np.asarray(matrix)


def _sway(motion: Motion, time_s: float) -> tuple[float, float, float]:
    """Shaking hands and steps: shares of the width across and down, and degrees of roll."""
    first, second, third, step = motion.phase[:4]
    turn = 2 * math.pi * time_s
    # Frequencies without a short common period, so that the shake does not repeat within a clip.
    shake_x = math.sin(3.1 * turn + first) + 0.6 * math.sin(5.3 * turn + second)
    shake_y = math.sin(2.7 * turn + third) + 0.6 * math.sin(4.9 * turn + first)
    stride = math.pi * motion.steps_per_s * time_s + step
    across = motion.shake * shake_x + motion.walk * math.sin(stride)
    # The head falls at every step, twice a stride; 0.6 is about the mean of |sin|.
    down = motion.shake * shake_y + motion.walk * (abs(math.sin(stride)) - 0.6)
    return across, down, motion.roll_degrees * math.sin(0.5 * turn + second)


def _smeared(frame: Image, shift: NDArray[np.float64]) -> Image:
    """Smeared along a shift in pixels."""
    length = float(np.hypot(*shift))
    if length < _LEAST_SMEAR:
        return frame
    # Odd, so that the kernel has a middle pixel.
    size = 2 * math.ceil(length / 2) + 1
    kernel = np.zeros((size, size), np.float32)
    middle, half = size // 2, shift / 2
    ends = [[round(middle + sign * float(part)) for part in half] for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(frame, -1, kernel / kernel.sum()), np.uint8)
