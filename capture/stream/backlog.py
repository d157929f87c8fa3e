"""The packets that have arrived and are not decoded yet, and which of them a slow machine leaves out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

P = TypeVar("P")

_BEHIND_S = 0.3
"""A backlog of more is shortened, to its last key frame if there is one."""
_TOO_FAR_S = 2.0
"""A longer backlog is dropped: only a key frame is worth decoding then."""
_MOST_BYTES = 64 << 20
"""Two seconds of 4K at 250 Mbit/s: what a stalled decoder may cost in memory."""


@dataclass(frozen=True, slots=True)
class Arrived(Generic[P]):
    """A packet, and the time by our clock at which it had arrived whole."""

    packet: P
    at_s: float
    is_key: bool
    """It can be decoded without those before it."""
    size: int
    """Bytes."""
    number: int
    """Counts the packets of the stream, those left out among them."""
    restarts: bool = False
    """Packets before it were left out: the decoder has to forget what it has seen."""


class Backlog(Generic[P]):
    """A queue of packets in the order of arrival. Pure; not for two threads at once.

    A packet other than a key frame needs all packets since the last key frame. So the way to the newest
    picture is to go on at a later key frame, never to leave out a few packets.
    """

    def __init__(self) -> None:
        self._packets: deque[Arrived[P]] = deque()
        self._bytes = 0
        self._needs_key = False
        """Packets were dropped, so those up to the next key frame are useless."""
        self._restarts = False
        """The first packet in the queue does not follow the one taken last."""

    def __len__(self) -> int:
        return len(self._packets)

    def add(self, arrived: Arrived[P]) -> None:
        """Append a packet, unless it cannot be decoded because those before it were left out."""
        if self._bytes + arrived.size > _MOST_BYTES:
            self._drop()
        if self._needs_key and not arrived.is_key:
            return
        self._needs_key = False
        self._packets.append(arrived)
        self._bytes += arrived.size

    def take(self, now: float) -> Arrived[P] | None:
        """Remove and return the packet to decode next; None if there is none, or none that is worth it."""
        if self._packets and now - self._packets[0].at_s > _BEHIND_S:
            self._shorten(now)
        if not self._packets:
            return None
        first = self._packets.popleft()
        self._bytes -= first.size
        restarts, self._restarts = self._restarts, False
        return replace(first, restarts=restarts)

    @property
    def needs_key(self) -> bool:
        """True if it is empty and waits for a key frame."""
        return self._needs_key

    def age_s(self, now: float) -> float:
        """Seconds since the oldest packet arrived; 0 if there is none."""
        return now - self._packets[0].at_s if self._packets else 0.0

    def _shorten(self, now: float) -> None:
        last_key = next((i for i in reversed(range(1, len(self._packets))) if self._packets[i].is_key), None)
        if last_key is not None:
            for _ in range(last_key):
                self._bytes -= self._packets.popleft().size
            self._restarts = True
        elif now - self._packets[0].at_s > _TOO_FAR_S:
            # Decoding is slower than the camera and no key frame came in time: it would fall back further.
            self._drop()

    def _drop(self) -> None:
        self._packets.clear()
        self._bytes = 0
        self._needs_key = self._restarts = True
