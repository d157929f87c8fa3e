"""Convolutions in 8 bits beside the same in 32."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset13 as ops

from pipeline.models.starter.input_ranges import InputRange
from pipeline.models.starter.layers import Layers
from tests.pipeline.models.starter.files import require_exact_products

CHANNELS, SIDE = 8, 6


def tensors(depthwise: bool) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(3)
    shape = (CHANNELS, 1, 3, 3) if depthwise else (CHANNELS, CHANNELS, 1, 1)
    norm: dict[str, NDArray[Any]] = {f"n.{part}": np.ones(CHANNELS) for part in ("weight", "running_var")}
    norm |= {f"n.{part}": random.normal(size=CHANNELS) for part in ("bias", "running_mean")}
    return {"c.weight": random.normal(size=shape).astype(np.float32), **norm}


@pytest.fixture(autouse=True)
def exact_products() -> None:
    require_exact_products()


def output(layers: Layers, picture: NDArray[np.float32], depthwise: bool) -> NDArray[np.float32]:
    given = ops.parameter(list(picture.shape), np.float32)
    model = ov.Model([layers.convolution(given, "c", "n", depthwise=depthwise)], [given])
    options = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    return np.array(ov.Core().compile_model(model, "CPU", options)([picture])[0])


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("low", [0.0, -3.0])
def test_8_bits_lie_close_to_32_and_keep_the_mean(depthwise: bool, low: float) -> None:
    random = np.random.default_rng(5)
    picture = random.uniform(low, 4, (1, CHANNELS, SIDE, SIDE)).astype(np.float32)
    inputs = InputRange(float(picture.min()), float(picture.max()), picture.mean((0, 2, 3)))
    exact = output(Layers(tensors(depthwise)), picture, depthwise)
    small = output(Layers(tensors(depthwise), {"c": inputs}), picture, depthwise)
    spread = exact.std()
    assert np.abs(small - exact).max() < 0.06 * spread
    assert np.abs(small - exact).max() > 0
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))  # padding lies outside the mean
    shift = (small - exact)[inner].mean((0, 2, 3))
    assert np.abs(shift).max() < 0.01 * spread


def test_the_mean_is_off_without_the_means_of_the_input() -> None:
    picture = np.full((1, CHANNELS, SIDE, SIDE), 3.9, np.float32)
    known = InputRange(0.0, 3.9, np.full(CHANNELS, 3.9, np.float32))
    unknown = InputRange(0.0, 3.9, np.zeros(CHANNELS, np.float32))
    exact = output(Layers(tensors(False)), picture, False)
    with_means, without = (
        np.abs(output(Layers(tensors(False), {"c": one}), picture, False) - exact).max()
        for one in (known, unknown)
    )
    assert with_means < 1e-3 < without


def test_padding_stays_zero() -> None:
    picture = np.zeros((1, CHANNELS, SIDE, SIDE), np.float32)
    inputs = InputRange(-1.0, 3.0, np.zeros(CHANNELS, np.float32))
    exact = output(Layers(tensors(True)), picture, True)
    assert output(Layers(tensors(True), {"c": inputs}), picture, True) == pytest.approx(exact, abs=1e-5)
