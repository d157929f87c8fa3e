"""The checkpoint reader: what it accepts, and everything it must refuse."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.starter.checkpoint import CheckpointError, read_checkpoint
from tests.pipeline.models.starter.files import starter_folder

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Named:
    """Stands for a global of torch while pickling."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Rebuilt:
    """A tensor as torch pickles it."""

    def __init__(
        self, key: str, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], numel: int
    ) -> None:
        self.arguments = (("storage", "FloatStorage", key, "cpu", numel, None), offset, shape, stride)


def pickled_state(tensors: dict[str, Rebuilt], rebuilder: str = "torch._utils _rebuild_tensor_v2") -> bytes:
    """A state dict in pickle's own language, so that the test needs no torch."""
    out = [b"\x80\x02ccollections\nOrderedDict\n)R("]
    for name, tensor in tensors.items():
        storage, offset, shape, stride = tensor.arguments
        out.append(text(name) + b"c" + rebuilder.replace(" ", "\n").encode() + b"\n((")
        out.append(text("storage") + b"ctorch\nFloatStorage\n" + text(str(storage[2])) + text("cpu"))
        out.append(number(int(str(storage[4]))) + b"NtQ" + number(offset) + numbers(shape) + numbers(stride))
        out.append(b"\x89NtR")
    return b"".join([*out, b"u."])


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + len(raw).to_bytes(4, "little") + raw


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(number(value) for value in values) + b"t"


def checkpoint(state: bytes, storages: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """The whole stream around a pickled state dict."""
    facts = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"int": 4}}
    head = [pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, facts)]
    raw = [len(array).to_bytes(8, "little") + array.tobytes() for array in storages.values()]
    return b"".join([*head, state, pickle.dumps(list(storages), protocol=2), *raw])


VALUES = np.arange(6, dtype="<f4")
WHOLE = {"w": Rebuilt("0", 0, (2, 3), (3, 1), 6)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.pth"


def test_a_plain_state_dict_is_read(path: Path) -> None:
    path.write_bytes(checkpoint(pickled_state(WHOLE), {"0": VALUES}))
    tensors = read_checkpoint(path)
    assert list(tensors) == ["w"]
    np.testing.assert_array_equal(tensors["w"], VALUES.reshape(2, 3))


def test_strides_and_offsets_are_followed(path: Path) -> None:
    state = pickled_state({"t": Rebuilt("0", 0, (3, 2), (1, 3), 6), "tail": Rebuilt("0", 4, (2,), (1,), 6)})
    path.write_bytes(checkpoint(state, {"0": VALUES}))
    tensors = read_checkpoint(path)
    np.testing.assert_array_equal(tensors["t"], VALUES.reshape(2, 3).T)
    np.testing.assert_array_equal(tensors["tail"], VALUES[4:])


@pytest.mark.parametrize(
    "tensor",
    [
        Rebuilt("0", 0, (2, 4), (4, 1), 6),
        Rebuilt("0", 5, (2,), (1,), 6),
        Rebuilt("0", -1, (2,), (1,), 6),
        Rebuilt("0", 0, (2, 3), (-3, 1), 6),
        Rebuilt("0", 0, (2, 3), (3,), 6),
        Rebuilt("0", 0, (1_000_000,), (0,), 6),
        Rebuilt("0", 0, (6,), (1,), 7),
    ],
    ids=["larger", "beyond", "before", "backwards", "ragged", "inflated", "miscounted"],
)
def test_a_tensor_outside_its_storage_is_refused(path: Path, tensor: Rebuilt) -> None:
    path.write_bytes(checkpoint(pickled_state({"w": tensor}), {"0": VALUES}))
    with pytest.raises(CheckpointError, match=r"net\.pth: not an intact checkpoint"):
        read_checkpoint(path)


class Attack:
    """Pickles to a call of os.system."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._proof}",)


def test_a_pickle_that_calls_the_shell_is_refused_and_runs_nothing(path: Path) -> None:
    proof = path.with_name("proof")
    for stream in (
        pickle.dumps(Attack(proof)),
        checkpoint(pickle.dumps(OrderedDict(w=Attack(proof))), {"0": VALUES}),
    ):
        path.write_bytes(stream)
        with pytest.raises(CheckpointError, match="has no need of"):
            read_checkpoint(path)
    assert not proof.exists()


@pytest.mark.parametrize("name", ["builtins eval", "torch._utils _rebuild_parameter", "torch load"])
def test_other_globals_are_refused(path: Path, name: str) -> None:
    path.write_bytes(checkpoint(pickled_state(WHOLE, name), {"0": VALUES}))
    with pytest.raises(CheckpointError, match="has no need of"):
        read_checkpoint(path)


@given(cut=st.integers(0, 10_000))
def test_every_truncation_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    whole = checkpoint(pickled_state(WHOLE), {"0": VALUES})
    path = tmp_path_factory.mktemp("cut") / "net.pth"
    path.write_bytes(whole[: cut % len(whole)])
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_bytes_after_the_end_are_refused(path: Path) -> None:
    path.write_bytes(checkpoint(pickled_state(WHOLE), {"0": VALUES}) + b"x")
    with pytest.raises(CheckpointError, match="after the last"):
        read_checkpoint(path)


@given(noise=st.binary(max_size=200))
def test_noise_gives_one_clear_error(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "net.pth"
    path.write_bytes(noise)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"net\.pth: cannot be read"):
        read_checkpoint(path)


def test_the_real_checkpoint_truncated_is_refused(path: Path) -> None:
    whole = (starter_folder() / "efficientnet-lite2.pth").read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(CheckpointError, match="truncated"):
        read_checkpoint(path)
