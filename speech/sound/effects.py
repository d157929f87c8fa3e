"""Small operations on sound: trim, join, pan, fade."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from speech.sound.audio import Audio

QUIET = 100
"""Samples up to this size count as silence (-50 dBFS)."""
LEAD_S = 0.003
"""Seconds kept before the first loud sample, so that its attack stays."""
FADE_S = 0.005
"""Seconds of every fade: the shortest that does not click."""


def silence(seconds: float, rate: int, channels: int = 1) -> Audio:
    return Audio(np.zeros((round(seconds * rate), channels), np.int16), rate)


def trimmed(audio: Audio, *, lead: bool = True, tail: bool = False) -> Audio:
    """Without the silence before and, if wanted, after; nothing at all if all is silent."""
    # In 32 bits: the absolute value of -32768 does not fit into 16.
    loud = np.flatnonzero(np.abs(audio.samples.astype(np.int32)).max(axis=1) > QUIET)
    if not loud.size:
        return silence(0, audio.rate, audio.channels)
    keep = round(LEAD_S * audio.rate)
    first = max(int(loud[0]) - keep, 0) if lead else 0
    last = int(loud[-1]) + 1 + keep if tail else len(audio.samples)
    # A copy: a view would keep the untrimmed sound in memory.
    return Audio(audio.samples[first:last].copy(), audio.rate)


def joined(parts: Iterable[Audio], rate: int, channels: int) -> Audio:
    """One sound of many, all of that rate and those channels."""
    return Audio(np.concatenate([silence(0, rate, channels).samples, *(p.samples for p in parts)]), rate)


def panned(audio: Audio, pan: float, volume: float = 1.0) -> Audio:
    """Mono to stereo, constant power: the squares of both gains sum to `volume` squared.

    `pan` is -1 left, 0 both, 1 right.
    """
    angle = (min(max(pan, -1.0), 1.0) + 1) * np.pi / 4
    gains = np.array([np.cos(angle), np.sin(angle)]) * volume
    mono = audio.samples[:, :1].astype(np.float64)
    return Audio(np.round(mono * gains).astype(np.int16), audio.rate)


def fade_out(samples: NDArray[np.int16], rate: int) -> NDArray[np.int16]:
    """The first `FADE_S` of samples going down to nothing: the end of a sound that is cut."""
    count = min(round(FADE_S * rate), len(samples))
    return np.round(samples[:count] * fade_curve(count)[:, None]).astype(np.int16)


def fade_curve(count: int) -> NDArray[np.float64]:
    """A raised cosine from 1 down to 0, shape (count,)."""
    # One sample ahead, so that the last one is exactly 0.
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 1) / max(count, 1)), np.float64)
