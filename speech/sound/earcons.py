"""Short sounds that announce the kind of an utterance before its first word.

Sounds of dangers differ in pitch and tempo: a worse danger sounds higher and faster. All end within
0.15 s and stay below 2 kHz, which old people still hear. Rising tones mean ready or listening, falling
tones an end, low tones an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from speech.sound.audio import Audio

EDGE_S = 0.004
"""Seconds of the raised-cosine rise and fall of each tone; without them, a tone clicks."""
GAP_S = 0.04
"""Seconds between an earcon and the words."""
SEVERAL = "several"
"""The earcon of critical dangers that come at once: short, so that all their names are heard soon."""
PEAK = 0.4
"""Peak as a share of full scale: clearly audible beside speech at -18 dBFS, but not startling."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A gliding tone with two overtones, and the silence after it."""

    from_hz: float
    to_hz: float
    duration_s: float
    gap_s: float = 0.0


def _steady(hertz: float, duration_s: float, gap_s: float = 0.0) -> Tone:
    return Tone(hertz, hertz, duration_s, gap_s)


EARCONS: dict[str, tuple[Tone, ...]] = {
    "notice": (_steady(660, 0.09),),
    "warning": (_steady(988, 0.05, 0.03), _steady(988, 0.05)),
    "critical": (_steady(1480, 0.035, 0.02), _steady(1480, 0.035, 0.02), _steady(1480, 0.035)),
    SEVERAL: (_steady(1480, 0.04),),
    "ready": (_steady(523, 0.09, 0.02), _steady(659, 0.09, 0.02), _steady(784, 0.14)),
    "clear": (_steady(784, 0.08, 0.02), _steady(523, 0.12)),
    "listening": (Tone(440, 880, 0.12),),
    "error": (_steady(196, 0.16, 0.06), _steady(165, 0.22)),
    "tick": (_steady(1000, 0.012),),
}
"""Every earcon by name."""


def danger_earcon(severity: int) -> str:
    """Name of the earcon for a severity: up to 1 notice, 2 warning, from 3 critical."""
    return ("notice", "warning", "critical")[min(max(severity, 1), 3) - 1]


def lead_s(name: str | None) -> float:
    """Seconds from the first sample of an utterance to its first word; 0 without an earcon."""
    tones = EARCONS.get(name or "")
    return sum(tone.duration_s + tone.gap_s for tone in tones) + GAP_S if tones else 0.0


@lru_cache(maxsize=32)
def earcon(name: str, rate: int) -> Audio:
    """The sound of that name, mono, at `rate` hertz; the same samples every time. KeyError if unknown."""
    samples = np.concatenate([_render(tone, rate) for tone in EARCONS[name]])
    return Audio(np.round(samples * PEAK * 32767).astype(np.int16)[:, None], rate)


def _render(tone: Tone, rate: int) -> NDArray[np.float64]:
    count = round(tone.duration_s * rate)
    hertz = np.linspace(tone.from_hz, tone.to_hz, count)
    # Phase is the integral of frequency: sin(2 pi f t) with a rising f would rise twice as far.
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    # Overtones carry the pitch through small loudspeakers that lose the fundamental.
    wave = (np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.15 * np.sin(3 * phase)) / 1.3
    return np.concatenate([wave * _envelope(count, rate), np.zeros(round(tone.gap_s * rate))])


def _envelope(count: int, rate: int) -> NDArray[np.float64]:
    edge = min(round(EDGE_S * rate), count // 2)
    # The half sample makes the fall the exact mirror image of the rise.
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / max(edge, 1))
    envelope = np.ones(count)
    envelope[:edge] = ramp
    envelope[count - edge :] = ramp[::-1]
    return envelope
