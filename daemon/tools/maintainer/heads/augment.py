"""Pictures as a worn camera might have taken them: cropped, tilted, dark, blurred, squeezed by JPEG.

Pure functions of a picture and a random generator. Every step is drawn anew for each picture; its chance
stands beside it in `STEPS`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from capture.frame import Image

_NIGHT_TINTS = ((0.6, 0.85, 1.2), (1.2, 0.9, 0.7), (1.0, 1.0, 1.0))
"""Gains of blue, green and red: sodium lamps, moonlight, none."""
_BORDERS = (0, 127, 127, 255)
"""Grey levels around a picture that is placed in a larger one."""


def augmented(image: Image, name: str, version: int) -> Image:
    """Always the same picture for the same name and version."""
    # crc32 and not hash(): Python salts the hash of strings in every process.
    random = np.random.default_rng((zlib.crc32(name.encode()), version))
    if random.random() < 0.5:
        image = image[:, ::-1]
    for step, chance in STEPS:
        if random.random() < chance:
            image = np.ascontiguousarray(step(image, random))
    # Flips and crops are views, and OpenCV needs contiguous memory.
    return np.ascontiguousarray(image)


def crop(image: Image, random: Generator) -> Image:
    """A third of the area or more, its shape changed by up to 1.4."""
    rows, columns = image.shape[:2]
    area, ratio = random.uniform(0.35, 1.0), np.exp(random.uniform(-0.35, 0.35))
    height = int(min(rows, max(16, rows * np.sqrt(area / ratio))))
    width = int(min(columns, max(16, columns * np.sqrt(area * ratio))))
    top, left = int(random.integers(0, rows - height + 1)), int(random.integers(0, columns - width + 1))
    return image[top : top + height, left : left + width]


def rotate(image: Image, random: Generator) -> Image:
    """By up to ten degrees, mirrored at the edges."""
    rows, columns = image.shape[:2]
    angle, scale = random.uniform(-10, 10), random.uniform(1.0, 1.15)
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, scale)
    turned = cv2.warpAffine(
        image, turn, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned, np.uint8)


def stretch(image: Image, random: Generator) -> Image:
    rows, columns = image.shape[:2]
    width = max(8, int(columns * np.exp(random.uniform(-0.25, 0.25))))
    return np.asarray(cv2.resize(image, (width, rows)), np.uint8)


def pad(image: Image, random: Generator) -> Image:
    """Somewhere in a larger plain picture, wide or tall: a phone's portrait in a wide frame."""
    rows, columns = image.shape[:2]
    side = max(rows, columns)
    height = int(max(rows, side * random.uniform(0.6, 1.5)))
    width = int(max(columns, side * random.uniform(0.6, 1.5)))
    top, left = int(random.integers(0, height - rows + 1)), int(random.integers(0, width - columns + 1))
    canvas = np.full((height, width, 3), random.choice(_BORDERS), np.uint8)
    canvas[top : top + rows, left : left + columns] = image
    return canvas


def exposure(image: Image, random: Generator) -> Image:
    gamma, gain = np.exp(random.uniform(-0.8, 0.8)), np.exp(random.uniform(-0.5, 0.4))
    curve = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    return np.asarray(curve[image], np.uint8)


def tint(image: Image, random: Generator) -> Image:
    """Another white balance."""
    return _pixels(image * np.exp(random.normal(0, 0.15, 3)))


def saturation(image: Image, random: Generator) -> Image:
    shade = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None].astype(np.float32)
    return _pixels(shade + (image - shade) * random.uniform(0.3, 1.7))


def dark(image: Image, random: Generator) -> Image:
    """An eighth to a half of the light, with the sensor's noise in brightness and colour."""
    light = image.astype(np.float32) * random.uniform(0.12, 0.5)
    if random.random() < 0.5:
        light *= np.array(_NIGHT_TINTS[random.integers(len(_NIGHT_TINTS))], np.float32)
    light += random.normal(0, random.uniform(1, 8), light.shape[:2])[..., None]
    light += random.normal(0, random.uniform(0, 4), light.shape)
    return _pixels(light)


def grey(image: Image, _: Generator) -> Image:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)


def blur(image: Image, random: Generator) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 2.5)), np.uint8)


def motion(image: Image, random: Generator) -> Image:
    """Smeared along a line of 3 to 18 pixels in any direction."""
    length = int(random.integers(3, 19))
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    # Half a pixel less: coordinates name the middles of pixels.
    middle = length / 2 - 0.5
    turn = cv2.getRotationMatrix2D((middle, middle), random.uniform(0, 180), 1)
    line = np.asarray(cv2.warpAffine(line, turn, (length, length)), np.float32)
    # The kernel sums to 1: a smear must not change the brightness.
    return np.asarray(cv2.filter2D(image, -1, line / max(float(line.sum()), 1e-3)), np.uint8)


def noise(image: Image, random: Generator) -> Image:
    return _pixels(image + random.normal(0, random.uniform(2, 14), image.shape))


def coarse(image: Image, random: Generator) -> Image:
    """As from a camera with a quarter to two thirds of the pixels a side."""
    rows, columns = image.shape[:2]
    share = random.uniform(0.25, 0.7)
    size = max(8, int(columns * share)), max(8, int(rows * share))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (columns, rows)), np.uint8)


def jpeg(image: Image, random: Generator) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(12, 60))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _pixels(values: NDArray[Any]) -> Image:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


STEPS: tuple[tuple[Callable[[Image, Generator], Image], float], ...] = (
    (crop, 0.8),
    (rotate, 0.25),
    (stretch, 0.25),
    (pad, 0.2),
    (exposure, 0.5),
    (tint, 0.3),
    (saturation, 0.25),
    (dark, 0.12),
    (grey, 0.08),
    (blur, 0.15),
    (motion, 0.15),
    (noise, 0.15),
    (coarse, 0.2),
    (jpeg, 0.3),
)
"""In the order in which they happen: before the lens, in the sensor, in the file."""
