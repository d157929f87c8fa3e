"""The matrix products of a network alone, as a graph of their own: the rate that an encoder could reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.models.openclip.precision import hint
from pipeline.models.precision import Precision

_STEP = 4.0 / 128
"""Of the activations, which are about normal."""


def bare_products(graph: Any, precision: Precision, threads: int) -> tuple[Callable[[], object], int]:
    """A function that runs them all once, and its floating point operations.

    Each product with constant weights of `graph`, in order, with random weights of the same shape. A product
    reads the columns that it needs of the one before.
    """
    import openvino as ov
    from openvino import opset13 as ops

    shapes = product_shapes(graph)
    random = np.random.default_rng(0)
    rows = max(rows for rows, _, _ in shapes)
    given = ops.parameter([rows, shapes[0][1]], ov.Type.f32)
    node: Any = given
    for _, inner, outer in shapes:
        # Scaled so that activations keep their size from layer to layer: denormal numbers compute slowly.
        weights = random.normal(0, inner**-0.5, (inner, outer)).astype(np.float32)
        node = _product(_columns(node, inner), weights, precision)
    model = ov.Model([ops.result(_columns(node, 1))], [given])
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", **hint(precision)}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
    first = random.normal(size=(rows, shapes[0][1])).astype(np.float32)
    return lambda: request.infer([first]), sum(2 * rows * inner * outer for _, inner, outer in shapes)


def product_shapes(graph: Any) -> list[tuple[int, int, int]]:
    """Rows, inner and outer length of every product with constant weights; the first is no layer's."""
    shapes = []
    for op in graph.get_ordered_ops():
        if op.get_type_name() != "MatMul" or not _is_constant(op.input_value(1).get_node()):
            continue
        out, given = list(op.output(0).shape), list(op.input_value(0).shape)
        rows = int(np.prod(out[:-1]))
        # A single row is the projection of the pooled vector, which takes no time.
        if rows > 1:
            shapes.append((rows, int(given[-1]), int(out[-1])))
    return shapes


def _is_constant(node: Any) -> bool:
    """Through the conversions and quantisation that stand between a constant and its product."""
    while node.get_type_name() in ("Convert", "FakeQuantize", "Multiply", "Subtract", "Reshape", "Transpose"):
        node = node.input_value(0).get_node()
    return bool(node.get_type_name() == "Constant")


def _columns(node: Any, count: int) -> Any:
    """The first columns; as many as are wanted by repeating them if there are too few."""
    from openvino import opset13 as ops

    have = int(node.get_output_shape(0)[1])
    if have < count:
        node = ops.concat([node] * -(-count // have), 1)
        have *= -(-count // have)
    if have == count:
        return node
    whole = np.array([0, 0], np.int64), np.array([node.get_output_shape(0)[0], count], np.int64)
    return ops.slice(node, *(ops.constant(a) for a in (*whole, np.array([1, 1], np.int64))))


def _product(node: Any, weights: Any, precision: Precision) -> Any:
    from openvino import opset13 as ops

    constant: Any = ops.constant(weights)
    if precision is Precision.INT8:
        # Ranges as nncf sets them: only these are computed in 8 bits, any other in floats.
        node = _quantised(node, -128 * _STEP, 127 * _STEP, 256)
        top = float(np.abs(weights).max())
        constant = _quantised(constant, -top, top, 255)
    return ops.matmul(node, constant, False, False)


def _quantised(node: Any, lowest: float, highest: float, levels: int) -> Any:
    from openvino import opset13 as ops

    low, high = (ops.constant(np.float32(value)) for value in (lowest, highest))
    return ops.fake_quantize(node, low, high, low, high, levels)
