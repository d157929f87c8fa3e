"""The file of the ranges by which convolutions compute in 8 bits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from pipeline.models.starter.checkpoint import read_checkpoint
from pipeline.models.starter.input_ranges import (
    InputRange,
    InputRangesError,
    input_ranges_bytes,
    read_input_ranges,
)
from pipeline.models.starter.model import NETWORK_FILE


def test_a_file_holds_what_was_written_and_always_the_same_bytes(tmp_path: Path) -> None:
    ranges = {"stem": InputRange(-1.5, 2.25, np.array([0.5, -0.25], np.float32))}
    file = tmp_path / "ranges.npz"
    file.write_bytes(input_ranges_bytes(ranges))
    read = read_input_ranges(file)["stem"]
    assert (read.low, read.high, read.mean.tolist()) == (-1.5, 2.25, [0.5, -0.25])
    assert input_ranges_bytes(ranges) == file.read_bytes()


def test_the_shipped_file_knows_every_convolution(models: Path) -> None:
    tensors = read_checkpoint(models / "starter" / NETWORK_FILE)
    convolutions = {name.removesuffix(".weight") for name in tensors if "conv" in name and "weight" in name}
    assert read_input_ranges().keys() == convolutions


def _npz(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no npz",
        _npz(stem=np.array([0.0])),
        _npz(stem=np.array(1.0)),
        _npz(stem=np.array([2.0, 1.0, 0.0])),
        _npz(stem=np.array([0.0, np.inf, 0.0])),
        _npz(stem=np.array(["a", "b", "c"])),
        _npz(stem=np.zeros(300_000)),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ranges.npz"
    file.write_bytes(content)
    with pytest.raises(InputRangesError, match=r"ranges\.npz"):
        read_input_ranges(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRangesError, match=r"ranges\.npz: cannot be read"):
        read_input_ranges(tmp_path / "ranges.npz")
