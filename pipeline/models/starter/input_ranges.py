"""Ranges of the values that enter each convolution of the backbone, by which it computes in 8 bits.

They were measured on training pictures; the file is made by `script/train_starter`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import WatchwordError

RANGES_FILE = Path(__file__).with_name("input_ranges.npz")
"""The shipped ranges."""
_LONGEST_FILE = 1_000_000
"""Bytes; the shipped file has about a tenth of it."""


class InputRangesError(WatchwordError):
    """The file is not an intact file of ranges; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class InputRange:
    """The input of one convolution, over many pictures."""

    low: float
    """The smallest value of a picture, in the mean; a single odd picture must not stretch the range."""
    high: float
    """The largest, likewise."""
    mean: NDArray[np.float32]
    """(C,): the mean of each channel."""

    def __post_init__(self) -> None:
        numbers = np.array([self.low, self.high, *self.mean])
        if self.mean.ndim != 1 or not np.isfinite(numbers).all() or self.high <= max(self.low, 0.0):
            raise ValueError(f"a range from {self.low} to {self.high} with means of shape {self.mean.shape}")


InputRanges = Mapping[str, InputRange]
"""By the name of the convolution in the checkpoint."""


def read_input_ranges(path: Path = RANGES_FILE) -> InputRanges:
    """The ranges in a file written by `input_ranges_bytes`. Raises InputRangesError."""
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise InputRangesError(f"{path}: larger than any file of ranges")
        with np.load(path, allow_pickle=False) as arrays:
            # The two limits, then the means of the channels.
            return {
                name: InputRange(float(row[0]), float(row[1]), np.asarray(row[2:], np.float32))
                for name, row in arrays.items()
            }
    except OSError as error:
        raise InputRangesError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputRangesError(f"{path}: not an intact file of ranges ({error})") from error


def input_ranges_bytes(ranges: InputRanges) -> bytes:
    """A file of ranges: a plain npz of float32; the same ranges give the same bytes."""
    arrays: dict[str, NDArray[Any]] = {
        name: np.array([one.low, one.high, *one.mean], np.float32) for name, one in ranges.items()
    }
    stream = io.BytesIO()
    # numpy stamps every entry with the same date, so that equal arrays give equal files.
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()
