"""An ear that compares: log-mel pictures of sound, and how far one is from others by time warping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speech.sound.audio import Audio
from speech.sound.effects import trimmed

BANDS = 32
WINDOW_S, HOP_S = 0.04, 0.02
LOWEST_HZ, HIGHEST_HZ = 80.0, 8000.0
FLOOR_DB = 60.0
"""What is this far below the loudest moment counts as silence: an ear would not hear it either."""

Picture = NDArray[np.float32]
"""Shape (frames, bands), decibels around their mean, so that level and side do not matter."""


def log_mel(audio: Audio) -> Picture:
    """The picture of a sound, without the silence around it. Mel scale after O'Shaughnessy (1987)."""
    mono = trimmed(audio, tail=True).samples.astype(np.float64).sum(axis=1)
    size, hop = round(WINDOW_S * audio.rate), round(HOP_S * audio.rate)
    mono = np.pad(mono, (0, size))
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ _bands(size, audio.rate).T
    decibels = 10 * np.log10(np.maximum(power, power.max() * 10 ** (-FLOOR_DB / 10)))
    return np.asarray(decibels - decibels.mean(), np.float32)


def distances(heard: Picture, known: Sequence[Picture]) -> NDArray[np.float64]:
    """Decibels a frame and band by which `heard` differs from each, at the best warping of time.

    Dynamic time warping after Sakoe and Chiba (1978), symmetric steps with the diagonal counted twice, cost
    over the sum of both lengths. All of `known` go along one diagonal after the other together.
    """
    costs = _costs(heard, known)
    count, rows, columns = costs.shape
    best = np.full((count, rows + 1, columns + 1), np.inf, np.float32)
    best[:, 0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        i = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        j = diagonal - i
        cost = costs[:, i, j]
        straight = np.minimum(best[:, i, j + 1], best[:, i + 1, j]) + cost
        best[:, i + 1, j + 1] = np.minimum(straight, best[:, i, j] + 2 * cost)
    lengths = np.array([len(picture) for picture in known])
    return np.asarray(best[np.arange(count), rows, lengths] / (rows + lengths), np.float64)


def _costs(heard: Picture, known: Sequence[Picture]) -> NDArray[np.float32]:
    """Root mean square difference of every frame with every frame, shape (known, frames, frames)."""
    padded = np.zeros((len(known), max(map(len, known)), BANDS), np.float32)
    for row, picture in zip(padded, known, strict=True):
        row[: len(picture)] = picture
    squares = (heard**2).sum(1)[None, :, None] + (padded**2).sum(2)[:, None, :]
    products = np.matmul(heard[None], padded.transpose(0, 2, 1))
    return np.asarray(np.sqrt(np.maximum(squares - 2 * products, 0) / BANDS), np.float32)


def _bands(size: int, rate: int) -> NDArray[np.float64]:
    """Triangles evenly spaced in mel, shape (bands, bins)."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, min(HIGHEST_HZ, rate / 2)))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(size, 1 / rate)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(np.minimum(rising, falling), 0.0)
