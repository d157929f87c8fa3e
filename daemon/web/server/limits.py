"""How much one client may ask, and who has shown the token. Pure: time is passed in."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections import OrderedDict
from dataclasses import dataclass

MOST_CLIENTS = 1024
MOST_SESSIONS = 64
SESSION_S = 12 * 3600.0
"""Seconds after the last request until the token is asked for again."""


@dataclass(slots=True)
class TokenBucket:
    tokens: float
    at_s: float


class RateLimiter:
    """Token buckets by client; of too many clients the one longest unheard is forgotten, and full again."""

    def __init__(self, per_s: float, burst: float, most: int = MOST_CLIENTS) -> None:
        self._per_s = per_s
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """0 where it may, else seconds until it may."""
        bucket = self._at(client, now)
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return 0.0
        return (1.0 - bucket.tokens) / self._per_s

    def empty(self, client: str, now: float) -> float:
        """As `take`, without taking."""
        bucket = self._at(client, now)
        return 0.0 if bucket.tokens >= 1.0 else (1.0 - bucket.tokens) / self._per_s

    def _at(self, client: str, now: float) -> TokenBucket:
        bucket = self._buckets.setdefault(client, TokenBucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.at_s) * self._per_s)
        bucket.at_s = now
        self._buckets.move_to_end(client)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket


class Token:
    """Compared in constant time, whatever is shown."""

    def __init__(self, secret: str) -> None:
        self._digest = _digest(secret)

    def is_shown(self, shown: str) -> bool:
        return hmac.compare_digest(self._digest, _digest(shown))


class Sessions:
    """Browsers that have shown the token; forgotten with the process."""

    def __init__(self, most: int = MOST_SESSIONS, idle_s: float = SESSION_S) -> None:
        self._most = most
        self._idle_s = idle_s
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def open(self, now: float) -> str:
        """The cookie's value."""
        id = secrets.token_urlsafe(32)
        self._seen[_digest(id)] = now
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return id

    def known(self, id: str, now: float) -> bool:
        digest = _digest(id)
        seen_s = self._seen.get(digest)
        if seen_s is None:
            return False
        if now - seen_s > self._idle_s:
            del self._seen[digest]
            return False
        self._seen[digest] = now
        self._seen.move_to_end(digest)
        return True

    def close(self, id: str) -> None:
        self._seen.pop(_digest(id), None)


def whole_seconds(wait_s: float) -> int:
    """For `Retry-After`."""
    return max(1, math.ceil(wait_s))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
