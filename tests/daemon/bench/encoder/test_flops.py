"""Counting arithmetic in small networks whose count is known."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from daemon.bench.encoder.flops import flops


def _zeros(*shape: int) -> ov.Node:
    return ops.constant(np.zeros(shape, np.float32))


def test_a_matrix_product() -> None:
    given = ops.parameter([5, 7], np.float32)
    assert flops(ov.Model([ops.matmul(given, _zeros(7, 3), False, False)], [given])) == 2 * 5 * 7 * 3
    turned = ops.parameter([7, 5], np.float32)
    assert flops(ov.Model([ops.matmul(turned, _zeros(3, 7), True, True)], [turned])) == 2 * 5 * 7 * 3


@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution(groups: int) -> None:
    given = ops.parameter([1, 8, 10, 10], np.float32)
    space = {"strides": [2, 2], "pads_begin": [1, 1], "pads_end": [1, 1], "dilations": [1, 1]}
    if groups == 1:
        node = ops.convolution(given, _zeros(16, 8, 3, 3), **space)
    else:
        node = ops.group_convolution(given, _zeros(groups, 16 // groups, 8 // groups, 3, 3), **space)
    assert flops(ov.Model([node], [given])) == 2 * (16 * 5 * 5) * (8 // groups * 3 * 3)


def test_attention_is_two_matrix_products() -> None:
    query, key = ops.parameter([1, 2, 6, 4], np.float32), ops.parameter([1, 2, 9, 4], np.float32)
    model = ov.Model([ops.scaled_dot_product_attention(query, key, key)], [query, key])
    assert flops(model) == 2 * 2 * (2 * 6 * 9 * 4)


def test_the_rest_counts_as_nothing() -> None:
    given = ops.parameter([5, 7], np.float32)
    assert flops(ov.Model([ops.relu(given)], [given])) == 0
