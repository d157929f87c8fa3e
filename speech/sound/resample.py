"""Change of sample rate by a windowed-sinc polyphase filter.

Done once for each phrase, so a table of numpy's is enough and spares a compiled dependency. The method
is the textbook one (J. O. Smith, "Digital Audio Resampling"): a sinc under a Kaiser window, one set of
taps for each phase.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from speech.sound.audio import Audio

HALF_TAPS = 24
"""Zero crossings of the sinc on each side: passband to 0.9 of the lower Nyquist frequency."""
BETA = 9.0
"""Kaiser window: stopband below -80 dB."""
BLOCK = 8192
"""Output samples computed at a time, which bounds the memory."""


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate; the very same object if it has that rate already."""
    if audio.rate == rate:
        return audio
    common = gcd(audio.rate, rate)
    up, down = rate // common, audio.rate // common
    channels = [_convert(audio.samples[:, c].astype(np.float64), up, down) for c in range(audio.channels)]
    samples = np.clip(np.round(np.stack(channels, axis=1)), -32768, 32767)
    return Audio(samples.astype(np.int16), rate)


def _convert(samples: NDArray[np.float64], up: int, down: int) -> NDArray[np.float64]:
    bank = _bank(up, down)
    taps = bank.shape[1]
    padded = np.concatenate([np.zeros(taps // 2 - 1), samples, np.zeros(taps)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps)
    result = np.empty(-(-len(samples) * up // down))
    for start in range(0, len(result), BLOCK):
        position = np.arange(start, min(start + BLOCK, len(result))) * down
        result[start : start + BLOCK] = np.einsum(
            "nt,nt->n", windows[position // up], bank[position % up], optimize=False
        )
    return result


@lru_cache(maxsize=8)
def _bank(up: int, down: int) -> NDArray[np.float64]:
    """Taps for each of the `up` phases, shape (up, taps); each row sums to 1, so no phase is louder."""
    cutoff = min(1.0, up / down)
    half = int(np.ceil(HALF_TAPS / cutoff))
    offsets = np.arange(-half + 1, half + 1)[None, :] - np.arange(up)[:, None] / up
    window = np.i0(BETA * np.sqrt(np.clip(1 - (offsets / half) ** 2, 0, None))) / np.i0(BETA)
    # 0.94: the window widens the edge of the filter, which must end below the Nyquist frequency.
    bank = cutoff * np.sinc(cutoff * 0.94 * offsets) * window
    bank /= bank.sum(axis=1, keepdims=True)
    # The cache hands out the same array each time.
    bank.setflags(write=False)
    return np.asarray(bank, np.float64)
