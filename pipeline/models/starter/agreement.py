"""Compares what two models see in test pictures: one of them may be on another device or in other bits."""

from __future__ import annotations

import numpy as np

from capture.frame import Image
from pipeline.models.base import ImageTextModel


def agreement(model: ImageTextModel, reference: ImageTextModel) -> float:
    """The smallest cosine between two models' embeddings of test pictures."""
    pairs = ((model.encode(image), reference.encode(image)) for image in test_pictures())
    return min(float(ours.embedding @ theirs.embedding) for ours, theirs in pairs)


def test_pictures() -> tuple[Image, ...]:
    """Soft shapes, the same everywhere."""
    y, x = np.mgrid[0:240, 0:320].astype(np.float32) / 50
    waves = np.stack([np.sin(x * y), np.sin(x + 2 * y), np.cos(3 * x - y)], axis=-1)
    # Three different pictures: a single one could agree by chance.
    picture = np.asarray(127 + 120 * waves, np.uint8)
    return picture, np.ascontiguousarray(picture[::-1]), np.ascontiguousarray(picture.transpose(1, 0, 2))
