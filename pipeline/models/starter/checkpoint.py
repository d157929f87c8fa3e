"""Reads tensors out of torch's legacy checkpoint stream without torch and without running any code in it.

The stream is four pickles (magic number, protocol, system facts, the state dict), the pickled list of storage
keys, then each storage as a little-endian int64 element count and its raw elements. The format is that of
`torch.save(..., _use_new_zipfile_serialization=False)`; the unpickler here knows nothing but an ordered dict,
the two tensor rebuilders and the names of the storages, so nothing else can be called.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from common.errors import WatchwordError

Tensors = dict[str, NDArray[Any]]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class CheckpointError(WatchwordError):
    """The file is not a checkpoint we read; the message says why."""


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    numel: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    """In elements, as torch counts."""


def read_checkpoint(path: Path) -> Tensors:
    """All tensors of a state dict by name, as arrays in C order.

    Raises CheckpointError if the file is missing, truncated, tampered with or holds anything but tensors.
    """
    try:
        stream = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return _read(stream)
    except Exception as error:  # a hostile pickle can raise anything; nothing of it may pass as a traceback
        raise CheckpointError(f"{path}: not an intact checkpoint ({error})") from error


def _read(stream: io.BytesIO) -> Tensors:
    _expect(_unpickle(stream) == _MAGIC, "wrong magic number")
    _expect(_unpickle(stream) == _PROTOCOL, "unknown protocol")
    facts = _unpickle(stream)
    _expect(isinstance(facts, dict) and facts.get("little_endian") is True, "not little-endian")
    state = _unpickle(stream)
    _expect(isinstance(state, OrderedDict) and len(state) > 0, "no state dict")
    storages = _storages_of(state)
    keys = _unpickle(stream)
    _expect(isinstance(keys, list) and sorted(keys) == sorted(storages), "storages do not match the tensors")
    raw = {key: _raw(stream, storages[key]) for key in keys}
    _expect(not stream.read(1), "bytes after the last storage")
    return {name: _view(tensor, raw[tensor.storage.key]) for name, tensor in state.items()}


def _storages_of(state: Mapping[Any, Any]) -> dict[str, _Storage]:
    storages: dict[str, _Storage] = {}
    for name, tensor in state.items():
        _expect(isinstance(name, str) and isinstance(tensor, _Tensor), f"{name!r} is not a tensor")
        known = storages.setdefault(tensor.storage.key, tensor.storage)
        _expect(known == tensor.storage, f"storage {known.key} is declared twice")
    return storages


def _raw(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    dtype = np.dtype(storage.dtype)
    count = int.from_bytes(stream.read(8), "little", signed=True)
    _expect(count == storage.numel, f"storage {storage.key} has another length than declared")
    data = stream.read(count * dtype.itemsize)
    _expect(len(data) == count * dtype.itemsize, f"truncated in storage {storage.key}")
    return np.frombuffer(data, dtype)


def _view(tensor: _Tensor, raw: NDArray[Any]) -> NDArray[Any]:
    """The tensor in C order; `_rebuild` has checked that it lies within its storage."""
    bytes_a_step = [step * raw.itemsize for step in tensor.stride]
    view = np.lib.stride_tricks.as_strided(raw[tensor.offset :], tensor.shape, bytes_a_step, writeable=False)
    # Reshaped: `ascontiguousarray` turns a scalar into an array of one dimension.
    return np.ascontiguousarray(view).reshape(tensor.shape)


def _rebuild(storage: object, offset: object, shape: object, stride: object, *_: object) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    if not isinstance(offset, int) or not _naturals(shape) or not _naturals(stride):
        raise pickle.UnpicklingError("a tensor with a malformed shape")
    _expect(
        len(shape) == len(stride) and math.prod(shape) <= storage.numel, "a tensor larger than its storage"
    )
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    _expect(offset >= 0 and 0 not in shape and last < storage.numel, "a tensor beyond its storage")
    return _Tensor(storage, offset, shape, stride)


def _naturals(value: object) -> TypeGuard[tuple[int, ...]]:
    # Not isinstance: a bool would pass as an int.
    return isinstance(value, tuple) and all(type(item) is int and item >= 0 for item in value)


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise pickle.UnpicklingError(otherwise)


class _Unpickler(pickle.Unpickler):
    """Knows the five names a plain state dict needs, and refuses every other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a checkpoint has no need of")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, numel, view = pid
        known = kind == "storage" and dtype in _STORAGES.values() and view is None
        _expect(known and isinstance(key, str) and type(numel) is int and numel >= 0, "an unknown storage")
        return _Storage(key, dtype, numel)


def _unpickle(stream: io.BytesIO) -> Any:
    return _Unpickler(stream).load()
