"""Turning, mirroring and bounding pictures: the only changes made to a camera's pictures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from capture.downscale import halve
from capture.frame import Frame, Image
from capture.settings import CaptureSettings

# (degrees clockwise, mirrored afterwards) -> one pass over the picture instead of two.
_TURNS: dict[tuple[int, bool], Callable[[Image], cv2.typing.MatLike]] = {
    (0, True): lambda image: cv2.flip(image, 1),
    (90, False): lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    # Rotating clockwise and then swapping left and right is a transposition.
    (90, True): lambda image: cv2.transpose(image),
    (180, False): lambda image: cv2.flip(image, -1),
    (180, True): lambda image: cv2.flip(image, 0),
    (270, False): lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
    (270, True): lambda image: cv2.flip(cv2.transpose(image), -1),
}


def limited_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Width and height scaled down so that neither exceeds `max_side`; small ones are left as they are."""
    longest = max(width, height)
    if longest <= max_side:
        return width, height
    # At least 1: the short side of a long thin picture would be rounded to 0.
    return max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))


def limit_size(image: Image, max_side: int) -> Image:
    """The picture scaled down to `max_side` pixels; the same array if it already fits."""
    height, width = image.shape[:2]
    size = limited_size(width, height, max_side)
    if size == (width, height):
        return image
    near = halve(image, *size)
    # What is left after a halving is less than two to one: linear interpolation does, at half the cost.
    method = cv2.INTER_AREA if near is image else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(near, size, interpolation=method), dtype=np.uint8)


def rotated(image: Image, rotate: int, mirror: bool) -> Image:
    """Rotate clockwise by 0, 90, 180 or 270 degrees, then swap left and right if `mirror`."""
    if rotate == 0 and not mirror:
        return image
    return np.asarray(_TURNS[rotate, mirror](image), dtype=np.uint8)


def orient(image: Image, *, rotate: int, mirror: bool, max_side: int) -> Image:
    """Bound first (fewer pixels to move), then turn.

    Takes and returns BGR uint8 height x width x 3; the result is contiguous and may be `image` itself.
    """
    return np.ascontiguousarray(rotated(limit_size(image, max_side), rotate, mirror))


def make_frame(
    image: Image,
    settings: CaptureSettings,
    *,
    seq: int,
    at_s: float,
    source: str,
    source_size: tuple[int, int] | None = None,
    source_time_s: float | None = None,
    damaged: bool = False,
) -> Frame:
    """A frame of a picture as its source delivered it; `source_size` if it has been scaled since."""
    height, width = image.shape[:2]
    upright = orient(image, rotate=settings.rotate, mirror=settings.mirror, max_side=settings.max_side)
    return Frame(upright, source_size or (width, height), seq, at_s, source, source_time_s, damaged)
