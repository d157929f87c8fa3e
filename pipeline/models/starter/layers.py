"""The backbone's convolutions as OpenVINO nodes, in 32 or in 8 bits; batch normalisation is folded in.

In 8 bits the input of a convolution is rounded to 256 levels of its range and the kernel to 255 levels an
output channel. OpenVINO's processor plug-in computes what stands between such roundings in integers.
Rounding a kernel shifts the mean of its output; the shift is known from the mean input and taken off the bias
(Nagel et al., 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import opset13 as ops

from pipeline.models.starter.checkpoint import Tensors
from pipeline.models.starter.input_ranges import InputRange, InputRanges

_BATCH_NORM_EPSILON = 1e-3
_INPUT_LEVELS, _KERNEL_LEVELS = 256, 255
"""One fewer for kernels: as many below zero as above."""
_SMALLEST_KERNEL = 1e-8
"""The range of a channel whose weights are all zero must not be empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Builds convolutions from a checkpoint's tensors; in 8 bits if the ranges of their inputs are given."""

    tensors: Tensors
    ranges: InputRanges | None = None

    def convolution(self, node: Any, name: str, norm: str, stride: int = 1, depthwise: bool = False) -> Any:
        """Convolution, batch normalisation and bias. Raises KeyError, ValueError."""
        kernel, bias = _fold(self.tensors, name, norm)
        if self.ranges is None:
            weights = ops.constant(_shaped(kernel, depthwise))
        else:
            inputs = self.ranges[name]
            node, weights = _rounded_input(node, inputs), _rounded_kernel(kernel, depthwise)
            bias = bias + _mean_shift(kernel, inputs, depthwise)
        convolve = ops.group_convolution if depthwise else ops.convolution
        # `same_upper` as TensorFlow pads: with a stride of 2 the odd pixel is added at the end, and padding
        # both ends alike would shift the picture. It overrides the pads, which the function demands.
        pads: dict[str, Any] = {"pads_begin": [0, 0], "pads_end": [0, 0], "auto_pad": "same_upper"}
        node = convolve(node, weights, strides=[stride] * 2, dilations=[1, 1], **pads)
        # By this name its input is found when ranges are measured.
        node.set_friendly_name(name)
        return ops.add(node, ops.constant(bias[None, :, None, None]))


def _fold(tensors: Tensors, name: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Convolution and batch normalisation as one kernel (O, I, h, w) and one bias, computed in float64."""
    gamma, beta, mean, variance = (
        tensors[f"{norm}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    gain = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    kernel = tensors[f"{name}.weight"] * gain[:, None, None, None]
    return kernel.astype(np.float32), (beta - mean * gain).astype(np.float32)


def _shaped(kernel: NDArray[Any], depthwise: bool) -> NDArray[Any]:
    """As OpenVINO wants it: one group for each channel of a depthwise convolution."""
    return kernel[:, None] if depthwise else kernel


def _rounded_input(node: Any, inputs: InputRange) -> Any:
    if inputs.low >= 0:
        return _rounded(node, np.float32(0), np.float32(inputs.high), _INPUT_LEVELS)
    # Zero lies on a level: the padding around a picture must stay zero.
    step = max(-inputs.low / 128, inputs.high / 127)
    return _rounded(node, np.float32(-128 * step), np.float32(127 * step), _INPUT_LEVELS)


def _largest(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each output channel, (O, 1, 1, 1)."""
    top = np.abs(kernel).max((1, 2, 3), keepdims=True)
    return np.asarray(np.maximum(top, _SMALLEST_KERNEL), np.float32)


def _levels(kernel: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The kernel in whole steps, and the step of each output channel (O, 1, 1, 1)."""
    step = np.asarray(_largest(kernel) / (_KERNEL_LEVELS // 2), np.float32)
    return np.round(kernel / step).astype(np.int8), step


def _rounded_kernel(kernel: NDArray[np.float32], depthwise: bool) -> Any:
    """In the form of a compressed model, which compiles faster than weights that are yet to be rounded."""
    levels, step = (_shaped(array, depthwise) for array in _levels(kernel))
    return ops.multiply(ops.convert(ops.constant(levels), "f32"), ops.constant(step))


def _rounded(node: Any, low: Any, high: Any, levels: int) -> Any:
    bounds = ops.constant(low), ops.constant(high)
    return ops.fake_quantize(node, *bounds, *bounds, levels)


def _mean_shift(kernel: NDArray[np.float32], inputs: InputRange, depthwise: bool) -> NDArray[np.float32]:
    """What rounding the kernel takes from the mean of each output channel, (O,)."""
    levels, step = _levels(kernel)
    lost = (kernel - levels * step).sum((2, 3))
    shift = lost[:, 0] * inputs.mean if depthwise else lost @ inputs.mean
    return np.asarray(shift, np.float32)
