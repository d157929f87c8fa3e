"""EfficientNet-Lite2 as an OpenVINO graph, built from checkpoint tensors.

Architecture: Tan and Le, 2019 (EfficientNet), in the Lite form TensorFlow published in 2020: no
squeeze-and-excite, ReLU6 everywhere, stem and head not scaled. Tensor names are those of the PyTorch port.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from pipeline.models.starter.checkpoint import CheckpointError, Tensors
from pipeline.models.starter.head_graph import head_outputs, linear, pooled_parts
from pipeline.models.starter.heads import CLASSES, FEATURES, Heads
from pipeline.models.starter.input_ranges import InputRanges
from pipeline.models.starter.layers import Layers

_STAGES = ((1, 1), (3, 2), (3, 2), (4, 2), (4, 1), (5, 2), (1, 1))
"""(blocks, stride of the first block) a stage."""
_MEAN, _SCALE = 127.0, 128.0
"""TensorFlow's normalisation of the Lite models, on RGB from 0 to 255."""


def build_network(
    tensors: Tensors, size: tuple[int, int], heads: Heads | None = None, ranges: InputRanges | None = None
) -> ov.Model:
    """Build the graph from uint8 BGR `(1, height, width, 3)`; `size` is width and height in pixels.

    With `ranges` the convolutions compute in 8 bits; classes and heads stay in 32.

    Outputs without heads: class probabilities `(1, 1000)` and pooled features `(1, 1280)`. With heads, of the
    whole picture and its parts: embeddings `(PARTS, 1280)`, and calibrated log-odds of the H heads beside the
    class probabilities `(PARTS, H + 1000)`.

    Raises CheckpointError if a tensor is missing or has the wrong shape.
    """
    try:
        picture, grid = _backbone(Layers(tensors, ranges), size)
        outputs = _outputs(grid, tensors, heads)
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint is not EfficientNet-Lite2 ({error})") from error
    return _with_preprocessing(ov.Model(outputs, [picture], "efficientnet-lite2"))


def _backbone(layers: Layers, size: tuple[int, int]) -> tuple[Any, Any]:
    """The picture's parameter and the last feature map: (1, 1280, height / 32, width / 32), rounded up."""
    width, height = size
    picture = ops.parameter([1, 3, height, width], np.float32, name="picture")
    node = ops.clamp(layers.convolution(picture, "_conv_stem", "_bn0", stride=2), 0.0, 6.0)
    index = 0
    for blocks, first_stride in _STAGES:
        for position in range(blocks):
            node = _block(node, layers, f"_blocks.{index}.", first_stride if position == 0 else 1)
            index += 1
    return picture, ops.clamp(layers.convolution(node, "_conv_head", "_bn1"), 0.0, 6.0)


def _outputs(grid: Any, tensors: Tensors, heads: Heads | None) -> list[Any]:
    weight, bias = tensors["_fc.weight"], tensors["_fc.bias"]
    if weight.shape != (CLASSES, FEATURES):
        raise ValueError(f"_fc.weight has shape {weight.shape}")
    pooled = pooled_parts(grid)
    probabilities = ops.softmax(linear(pooled, weight, bias), 1)
    if heads is None:
        return [ops.slice(rows, [0], [1], [1], [0]) for rows in (probabilities, pooled)]
    return head_outputs(pooled, probabilities, heads)


def _block(node: Any, layers: Layers, prefix: str, stride: int) -> Any:
    """Mobile inverted bottleneck: expand, depthwise, project, and the input added if the shapes allow."""
    entry = node
    # The first stage expands by a factor of 1 and has no such layer.
    if f"{prefix}_expand_conv.weight" in layers.tensors:
        node = ops.clamp(layers.convolution(node, f"{prefix}_expand_conv", f"{prefix}_bn0"), 0.0, 6.0)
    node = layers.convolution(node, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride, depthwise=True)
    node = layers.convolution(ops.clamp(node, 0.0, 6.0), f"{prefix}_project_conv", f"{prefix}_bn2")
    same = stride == 1 and entry.get_output_partial_shape(0) == node.get_output_partial_shape(0)
    return ops.add(entry, node) if same else node


def _with_preprocessing(model: ov.Model) -> ov.Model:
    """Colour order, layout and scaling in the graph; resizing belongs to OpenCV."""
    steps = ov.preprocess.PrePostProcessor(model)
    picture = steps.input()
    picture.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    picture.tensor().set_color_format(ov.preprocess.ColorFormat.BGR)
    picture.preprocess().convert_element_type(ov.Type.f32)
    picture.preprocess().convert_color(ov.preprocess.ColorFormat.RGB)
    picture.preprocess().mean(_MEAN).scale(_SCALE)
    picture.model().set_layout(ov.Layout("NCHW"))
    return steps.build()
