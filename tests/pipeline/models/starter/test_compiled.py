"""Networks of several input shapes: compiled when they are needed, given up when they no longer are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.models.starter.compiled import CompiledNetworks
from pipeline.models.starter.heads import read_heads
from pipeline.models.starter.input_size import SIZES, WIDE
from pipeline.models.starter.model import NETWORK_FILE

SQUARE = SIZES[2]


def picture(size: tuple[int, int]) -> Image:
    return np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)


def evidence(networks: CompiledNetworks, size: tuple[int, int]) -> NDArray[np.float32]:
    return networks.run(picture(size))[1].copy()


def test_a_network_that_is_no_longer_used_is_given_up_and_comes_back_equal(
    models: Path, tmp_path: Path
) -> None:
    networks = CompiledNetworks(
        models / "starter" / NETWORK_FILE, read_heads, "CPU", 0, tmp_path, "a", unused_runs=3
    )
    before = evidence(networks, WIDE)
    evidence(networks, SQUARE)
    evidence(networks, WIDE)  # used in turn, both stay
    evidence(networks, SQUARE)
    assert set(networks.sizes) == {WIDE, SQUARE}
    for _ in range(3):
        evidence(networks, SQUARE)
    assert networks.sizes == (SQUARE,)
    assert (evidence(networks, WIDE) == before).all()
    assert set(networks.sizes) == {WIDE, SQUARE}
