"""Writes sound into files if there is no loudspeaker: bounded, and readable at any time."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from speech.sound.wav_format import HEADER_BYTES, wav_header

LONGEST_GAP_S = 1.0
"""Longer silences are shortened to this."""


class RotatingWavFile:
    """Appends int16 stereo to `path`. After `limit_s` seconds the file is renamed to `NAME.1.wav` and a new
    one begins.

    So the last `limit_s` to `2 * limit_s` seconds are kept. The header is updated with each block. Raises
    OSError if the file cannot be written.
    """

    def __init__(self, path: Path, rate: int, limit_s: float = 600.0) -> None:
        self._path = path
        self._rate = rate
        self._limit = round(limit_s * rate)
        # As if silence had come before, so that no file begins with a second of silence.
        self._silent = round(LONGEST_GAP_S * rate)
        self._frames = 0
        self._file = self._begin()

    @property
    def older(self) -> Path:
        """The file with the sound before that of the current one."""
        return self._path.with_suffix(".1.wav")

    def write(self, block: NDArray[np.int16]) -> None:
        """Append frames x 2 samples."""
        self._silent = 0 if block.any() else self._silent + len(block)
        if self._silent > LONGEST_GAP_S * self._rate:
            return
        if self._frames + len(block) > self._limit:
            self._file.close()
            self._path.replace(self.older)
            self._file = self._begin()
        self._file.write(block.tobytes())
        self._frames += len(block)
        self._file.seek(0)
        self._file.write(wav_header(self._frames, self._rate, 2))
        self._file.seek(0, 2)

    def close(self) -> None:
        self._file.close()

    def _begin(self) -> BinaryIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._frames = 0
        # Unbuffered, so that the file is complete at any time, even after a kill.
        file = self._path.open("wb", buffering=0)
        file.write(wav_header(0, self._rate, 2))
        assert file.tell() == HEADER_BYTES
        return file
