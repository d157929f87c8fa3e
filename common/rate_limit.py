"""Rate limits by token buckets. Pure: time is passed in."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

MOST_CLIENTS = 1024
"""Clients remembered by default, so that forged addresses cannot fill the memory."""


@dataclass(slots=True)
class TokenBucket:
    """Tokens left at `at_s`, in seconds of the caller's clock."""

    tokens: float
    at_s: float


class RateLimiter:
    """One token bucket per client. Beyond `most` clients the least recently used bucket is dropped."""

    def __init__(self, per_s: float, burst: float, most: int = MOST_CLIENTS) -> None:
        self._per_s = per_s
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Take one token. Returns 0 if there was one, else the seconds until there will be."""
        bucket = self._at(client, now)
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return 0.0
        return (1.0 - bucket.tokens) / self._per_s

    def wait_s(self, client: str, now: float) -> float:
        """As `take`, but leaves the token."""
        bucket = self._at(client, now)
        return 0.0 if bucket.tokens >= 1.0 else (1.0 - bucket.tokens) / self._per_s

    def _at(self, client: str, now: float) -> TokenBucket:
        bucket = self._buckets.setdefault(client, TokenBucket(self._burst, now))
        # Refilled when asked, so that no timer is needed. A clock that went back adds nothing.
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.at_s) * self._per_s)
        bucket.at_s = now
        self._buckets.move_to_end(client)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket


def whole_seconds(wait_s: float) -> int:
    """Rounded up, at least 1, as `Retry-After` wants it."""
    return max(1, math.ceil(wait_s))
