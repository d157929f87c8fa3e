"""Reads one line of text: PP-OCRv4's recognition network, whose output is decoded as CTC's best path."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.reading.detection import Quad, normalized
from pipeline.reading.network import Network

HEIGHT = 48
"""Pixels of the network's input."""
WIDTHS = 160
"""Widths are rounded up to a multiple of this, because each new width is compiled once."""
LONGEST = 3200
"""Pixels of the longest input; a longer line is squeezed."""
UPRIGHT = 1.5
"""Height over width from which a line runs downwards and is turned."""
SPACE = 0.1
"""Probability of a space between two letters from which there is one."""


@dataclass(frozen=True, slots=True)
class RecognisedLine:
    """The text of one line, and its mean probability a letter."""

    text: str
    confidence: float


class LineRecognizer:
    """Used by one thread."""

    def __init__(self, network: Path, letters: Path) -> None:
        """`letters`: one in a line, in the network's order. Raises OSError, RuntimeError."""
        self._network = Network(network)
        # The network's first class is the blank, its last the space, neither of which the file has.
        self._letters = ("", *letters.read_text(encoding="utf-8").splitlines(), " ")

    def read(self, line: Image) -> RecognisedLine:
        """Read an upright picture of one line (H, W, 3; BGR)."""
        width = min(LONGEST, max(1, math.ceil(HEIGHT * line.shape[1] / line.shape[0])))
        canvas = np.zeros((1, 3, HEIGHT, max(2 * WIDTHS, math.ceil(width / WIDTHS) * WIDTHS)), np.float32)
        canvas[..., :width] = normalized(np.asarray(cv2.resize(line, (width, HEIGHT)), np.uint8))
        return decode(self._network.run(canvas)[0], self._letters)


def decode(probabilities: NDArray[np.float32], letters: tuple[str, ...]) -> RecognisedLine:
    """The best path of (T, classes) without blanks and repetitions; the last class is the space.

    The network was trained mostly on Chinese, which has no spaces: where there is one, a space is seldom the
    likeliest class, but between the letters of a word its probability is next to nothing.
    """
    best = probabilities.argmax(axis=1)
    space = probabilities.shape[1] - 1
    changes = np.concatenate(([True], best[1:] != best[:-1]))
    at = np.flatnonzero((best != 0) & (best != space) & changes)
    if not len(at):
        return RecognisedLine("", 0.0)
    text = letters[best[at[0]]]
    for before, here in itertools.pairwise(at):
        text += (" " if probabilities[before:here, space].max() >= SPACE else "") + letters[best[here]]
    return RecognisedLine(text, float(probabilities[at, best[at]].mean()))


def crop(image: Image, quad: Quad) -> Image:
    """The upright picture of a line."""
    width = max(1, round(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3]))))
    height = max(1, round(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    straight: Image = np.asarray(
        cv2.warpPerspective(
            image,
            cv2.getPerspectiveTransform(quad, corners),
            (width, height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
    return np.ascontiguousarray(np.rot90(straight)) if height >= UPRIGHT * width else straight
