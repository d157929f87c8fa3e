"""The 44 bytes in front of 16-bit PCM in a WAV file."""

from __future__ import annotations

HEADER_BYTES = 44
LONGEST_BYTES = 2**32 - 2**16
"""The largest length that a WAV file's 32-bit fields can hold."""


def wav_header(frames: int, rate: int, channels: int) -> bytes:
    """RIFF header for that many sample frames of 16-bit PCM."""
    align = 2 * channels
    size = frames * align
    return b"".join(
        [
            *(b"RIFF", _number(36 + size, 4), b"WAVE"),
            *(b"fmt ", _number(16, 4), _number(1, 2), _number(channels, 2)),
            *(_number(rate, 4), _number(rate * align, 4), _number(align, 2), _number(16, 2)),
            *(b"data", _number(size, 4)),
        ]
    )


def _number(value: int, length: int) -> bytes:
    return value.to_bytes(length, "little")
