"""The shape of the starter's input: that of the picture, as nearly as one of a few fixed shapes can be.

A wide picture in a square input leaves 44 % of it grey, and things appear a quarter smaller than they could.
The backbone is fully convolutional, so an input as wide as the picture costs no more. With heads trained on
either, on sources left out (five folds, 5,624 photographs): AUC 0.974 against 0.970, hazards found at 5 %
false alarms 0.900 against 0.886, macro recall 0.771 against 0.736.
"""

from __future__ import annotations

import math

_AREA = 260 * 260
"""Pixels: EfficientNet-Lite2 was trained on 260 by 260."""
_RATIOS = (9 / 16, 3 / 4, 1.0, 4 / 3, 16 / 9)
"""Width over height. Few, because the network is compiled once for each."""


def _size(ratio: float) -> tuple[int, int]:
    return round(math.sqrt(_AREA * ratio)), round(math.sqrt(_AREA / ratio))


SIZES = tuple(map(_size, _RATIOS))
"""Width and height in pixels."""
WIDE = SIZES[-1]


def input_size(width: int, height: int) -> tuple[int, int]:
    """The size whose shape is nearest to that of a picture."""
    # By the logarithm of the ratio: twice too wide is as bad as twice too high.
    return min(SIZES, key=lambda size: abs(math.log(size[0] * height / (size[1] * width))))
