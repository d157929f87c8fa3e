"""The trained heads as part of the OpenVINO graph, so that one inference gives everything a frame needs.

The mean over the whole feature map scores the whole picture; the means over its left, middle and right
columns score these parts. They cost a few matrix rows; crops would cost an inference each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import opset13 as ops

from pipeline.models.starter.heads import EVIDENCE_FLOOR, FEATURES, SMALLEST_LENGTH, Heads

PARTS = 4
"""Rows of every output: the whole picture, then its left, middle and right part."""
_PARTS = ((0.0, 1.0), (0.0, 5 / 9), (2 / 9, 7 / 9), (4 / 9, 1.0))
"""First and last column of each part as shares of the width. Halves that overlap, so that no border cuts
through a thing in every part.
"""


def pooled_parts(grid: Any) -> Any:
    """Mean of the feature map over each part: (1, D, rows, columns) to (PARTS, D)."""
    columns = grid.get_output_shape(0)[3]
    weights = np.zeros((PARTS, columns), np.float32)
    for row, (first, last) in enumerate(_PARTS):
        inside = slice(round(first * columns), round(last * columns))
        weights[row, inside] = 1 / (inside.stop - inside.start)
    mean = ops.squeeze(ops.reduce_mean(grid, [2], keep_dims=False), [0])
    return ops.matmul(ops.constant(weights), mean, False, True)


def head_outputs(pooled: Any, probabilities: Any, heads: Heads) -> list[Any]:
    """`Heads.embeddings` (N, D), then `Heads.scores` beside the class probabilities (N, H + CLASSES)."""
    unit = _unit(pooled)
    embeddings = _unit(ops.subtract(unit, ops.constant(heads.centre[None])))
    return [embeddings, ops.concat([_scores(unit, probabilities, heads), probabilities], 1)]


def linear(node: Any, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> Any:
    """A fully connected layer: (N, D) to (N, K)."""
    return ops.add(ops.matmul(node, ops.constant(weight), False, True), ops.constant(bias[None]))


def _scores(unit: Any, probabilities: Any, heads: Heads) -> Any:
    # As `heads.scaled`, on which the weights were trained.
    scaled = ops.multiply(unit, np.float32(np.sqrt(FEATURES)))
    hidden = ops.relu(linear(scaled, heads.hidden_weight, heads.hidden_bias))
    seen = linear(hidden, heads.output_weight, heads.output_bias)
    share = ops.matmul(probabilities, ops.constant(heads.classes), False, True)
    share = ops.clamp(share, EVIDENCE_FLOOR, 1 - EVIDENCE_FLOOR)
    log_odds = ops.subtract(ops.log(share), ops.log(ops.subtract(np.float32(1), share)))
    return ops.add(seen, ops.multiply(log_odds, ops.constant(heads.class_slope[None])))


def _unit(rows: Any) -> Any:
    length = ops.sqrt(ops.reduce_sum(ops.multiply(rows, rows), [1], keep_dims=True))
    return ops.divide(rows, ops.maximum(length, np.float32(SMALLEST_LENGTH)))
