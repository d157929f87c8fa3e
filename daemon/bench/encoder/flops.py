"""Arithmetic a network does, counted from its OpenVINO graph."""

from __future__ import annotations

from math import prod
from typing import Any


def flops(model: Any) -> int:
    """Floating point operations of one inference: two for each multiply-add of the matrix products and
    convolutions of an `openvino.Model` with static shapes. Other operations are not counted.
    """
    return 2 * sum(_multiply_adds(op) for op in model.get_ordered_ops())


def _multiply_adds(op: Any) -> int:
    kind = op.get_type_name()
    if kind == "MatMul":
        return _size(op.output(0)) * _inner(op)
    if kind == "Convolution":  # weights: out, in, height, width
        return _size(op.output(0)) * _size(op.input_value(1), skip=1)
    if kind == "GroupConvolution":  # weights: groups, out, in, height, width
        return _size(op.output(0)) * _size(op.input_value(1), skip=2)
    if kind == "ScaledDotProductAttention":  # query and key: ..., length, width
        # Two products, of query with key and of weights with value, each of that many multiply-adds.
        return 2 * _size(op.input_value(0)) * int(op.input_value(1).shape[-2])
    return 0


def _inner(op: Any) -> int:
    """Length of the dimension that a matrix product sums over."""
    shape = op.input_value(0).shape
    # A product may read its first input transposed.
    return int(shape[-2] if op.get_attributes()["transpose_a"] else shape[-1])


def _size(output: Any, skip: int = 0) -> int:
    """Number of elements, without the first `skip` dimensions."""
    return prod(int(length) for length in list(output.shape)[skip:])
