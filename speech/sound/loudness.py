"""Makes every phrase equally loud, for any voice and language.

Loudness is measured as ITU-R BS.1770-4 gates it (blocks of 0.4 s overlapping by three quarters, an absolute
gate at -70 dB, a relative one 10 dB below the mean of the blocks that passed), but on plain power without the
K-weighting: all our sounds are speech of one engine, so the weighting would shift them all alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speech.sound.audio import Audio

TARGET_DBFS = -18.0
"""Loudness of speech, in decibels below a full-scale square wave."""
CEILING = 0.89
"""No sample gets larger than this share of full scale (-1 dBFS): loudness yields to it."""
MAX_GAIN_DB = 20.0
"""Near-silence is not blown up into noise."""
BLOCK_S = 0.4
ABSOLUTE_GATE_DB = -70.0
RELATIVE_GATE_DB = -10.0


def loudness_dbfs(audio: Audio) -> float:
    """Gated loudness in dBFS; -inf for silence."""
    power = _block_powers(audio)
    loud = power[power > 10 ** (ABSOLUTE_GATE_DB / 10)]
    if not loud.size:
        return float("-inf")
    loud = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_DB / 10)]
    return float(10 * np.log10(loud.mean()))


def normalize_loudness(audio: Audio) -> Audio:
    """The sound brought to `TARGET_DBFS`, as far as `CEILING` and `MAX_GAIN_DB` allow."""
    loudness = loudness_dbfs(audio)
    if loudness == float("-inf"):
        return audio
    samples = audio.samples.astype(np.float64)
    gain = 10 ** (min(TARGET_DBFS - loudness, MAX_GAIN_DB) / 20)
    gain = min(gain, CEILING * 32767 / np.abs(samples).max())
    return Audio(np.round(samples * gain).astype(np.int16), audio.rate)


def _block_powers(audio: Audio) -> NDArray[np.float64]:
    """Mean power of each block, full scale = 1; a sound shorter than a block is one block."""
    power = np.mean((audio.samples.astype(np.float64) / 32768) ** 2, axis=1)
    if not power.size:
        return np.zeros(1)
    block = min(round(BLOCK_S * audio.rate), power.size)
    # Running sums: blocks overlap, and each sample would otherwise be added four times.
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, power.size - block + 1, max(block // 4, 1))
    return np.asarray((total[starts + block] - total[starts]) / block)
