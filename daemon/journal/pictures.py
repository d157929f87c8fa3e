"""Pictures as they are stored: small, and coarse if people must not be recognisable."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from capture.frame import Frame, Image
from daemon.config.sections import JournalSettings

THUMBNAIL_QUALITY = 75


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture ready to be written."""

    jpeg: bytes
    pixelated: bool
    seq: int
    """Of the frame."""


def kept(frame: Frame, settings: JournalSettings) -> KeptPicture | None:
    """The picture as the settings want it; None if none is kept."""
    if settings.pictures == "off":
        return None
    image = frame.image
    coarse = settings.pictures == "pixelated"
    small = pixelated(image, settings.pixel_blocks) if coarse else image
    jpeg = _encoded(_bounded(small, settings.picture_side), settings.picture_quality)
    return KeptPicture(jpeg, coarse, frame.seq)


def thumbnail(jpeg: bytes, side: int) -> bytes:
    """A kept picture with `side` pixels along its longer side at most; unchanged if it cannot be decoded."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return jpeg if image is None else _encoded(_bounded(np.asarray(image, np.uint8), side), THUMBNAIL_QUALITY)


def pixelated(image: Image, blocks: int) -> Image:
    """So many blocks along the longer side, each its mean colour; at most the size of the original.

    Only the means are kept: the content of a block cannot be restored.
    """
    height, width = image.shape[:2]
    share = min(1.0, blocks / max(height, width))
    columns, rows = max(1, round(width * share)), max(1, round(height * share))
    # INTER_AREA averages all pixels of a block, and the JPEG holds nothing but these averages.
    means = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    # Enlarged to at most 16 pixels a block: the file stays small, and a viewer shows squares.
    side = max(1, min(width // columns, height // rows, 16))
    large = cv2.resize(means, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)


def _bounded(image: Image, side: int) -> Image:
    height, width = image.shape[:2]
    share = side / max(height, width)
    if share >= 1:
        return image
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(image: Image, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be encoded")
    return data.tobytes()
