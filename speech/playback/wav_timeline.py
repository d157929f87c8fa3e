"""A WAV file as a loudspeaker on stream time: the sound that a listener would have heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech.playback.base import PlayerUnusableError
from speech.sound.audio import Audio
from speech.sound.effects import fade_out
from speech.sound.resample import resample
from speech.sound.wav_format import HEADER_BYTES, LONGEST_BYTES, wav_header

SILENCE_BLOCK = 65536
"""Frames of silence written at a time."""


class WavTimeline:
    """Writes int16 stereo to a file as time goes on; holds no more than the one sound being played.

    Times are seconds from the start of the file and do not go backwards: an earlier one counts as the
    latest that was given.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self._rate = rate
        self._written = 0
        self._sounding: NDArray[np.int16] = np.zeros((0, 2), np.int16)
        self._path = path
        try:
            self._file = path.open("wb")
            self._file.write(wav_header(0, rate, 2))
        except OSError as error:
            raise self._unusable(error) from None

    @property
    def seconds(self) -> float:
        """Seconds written so far."""
        return self._written / self._rate

    def place(self, audio: Audio, at_s: float) -> None:
        """Play it from then on; the present sound is cut. Raises PlayerUnusableError (disk full)."""
        self.cut(at_s)
        self._sounding = _stereo(resample(audio, self._rate).samples)

    def cut(self, at_s: float) -> None:
        """End the present sound within 5 ms. Raises PlayerUnusableError (disk full)."""
        self._advance(at_s)
        self._write(fade_out(self._sounding, self._rate))
        self._sounding = self._sounding[:0]

    def close(self, at_s: float) -> None:
        """Fill up to then, let the present sound end, and finish the file. Raises PlayerUnusableError."""
        self._advance(at_s)
        self._write(self._sounding)
        self._sounding = self._sounding[:0]
        try:
            self._file.seek(0)
            self._file.write(wav_header(self._written, self._rate, 2))
            self._file.close()
        except OSError as error:
            raise self._unusable(error) from None

    def _advance(self, at_s: float) -> None:
        """Write the samples until then: the sound, then silence."""
        # From the start of the file each time, so that rounding does not add up over hours.
        wanted = round(at_s * self._rate) - self._written
        heard = self._sounding[: max(wanted, 0)]
        self._sounding = self._sounding[len(heard) :]
        self._write(heard)
        for rest in range(wanted - len(heard), 0, -SILENCE_BLOCK):
            self._write(np.zeros((min(rest, SILENCE_BLOCK), 2), np.int16))

    def _write(self, samples: NDArray[np.int16]) -> None:
        if HEADER_BYTES + self._written * 4 + samples.nbytes > LONGEST_BYTES:
            raise PlayerUnusableError(f"{self._path} has reached 4 GiB, all a WAV file can hold")
        try:
            self._file.write(samples.tobytes())
        except OSError as error:
            raise self._unusable(error) from None
        self._written += len(samples)

    def _unusable(self, error: OSError) -> PlayerUnusableError:
        return PlayerUnusableError(f"cannot write sound to {self._path}: {error.strerror}")


def _stereo(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    return samples if samples.shape[1] == 2 else np.repeat(samples[:, :1], 2, axis=1)
