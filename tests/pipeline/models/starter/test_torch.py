"""The reader and the network against torch: once, in the full install."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.models.starter.checkpoint import read_checkpoint
from pipeline.models.starter.input_size import SIZES
from pipeline.models.starter.network import build_network
from tests.pipeline.models.starter.files import starter_folder

pytestmark = pytest.mark.prepare


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    loaded: dict[str, Any] = torch.load(starter_folder() / "efficientnet-lite2.pth", weights_only=True)
    return loaded


def test_all_tensors_are_bit_equal(state: dict[str, Any]) -> None:
    ours = read_checkpoint(starter_folder() / "efficientnet-lite2.pth")
    assert len(ours) == 386
    assert list(ours) == list(state)
    for name, tensor in state.items():
        assert ours[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(ours[name], tensor.numpy())


def test_the_network_agrees_with_torch(state: dict[str, Any]) -> None:
    import openvino as ov
    import torch

    timm = pytest.importorskip("timm")
    reference = timm.create_model("tf_efficientnet_lite2", pretrained=False).eval()
    renamed = dict(zip(reference.state_dict(), state.values(), strict=True))
    reference.load_state_dict(renamed)
    tensors = read_checkpoint(starter_folder() / "efficientnet-lite2.pth")
    random = np.random.default_rng(0)
    for width, height in (SIZES[0], SIZES[-1]):  # those between differ in nothing but their numbers
        network = build_network(tensors, (width, height))
        ours = ov.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        picture = random.integers(0, 256, (1, height, width, 3), np.uint8)
        rgb = np.ascontiguousarray(picture[..., ::-1].transpose(0, 3, 1, 2), np.float32)
        with torch.no_grad():
            theirs = reference(torch.from_numpy((rgb - 127) / 128)).softmax(1).numpy()
        np.testing.assert_allclose(ours([picture])[0], theirs, atol=1e-5)
