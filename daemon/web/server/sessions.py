"""The access token, and the browser sessions opened with it. Pure: time is passed in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict

MOST_SESSIONS = 64
SESSION_S = 12 * 3600.0
"""Seconds without a request after which a session expires."""


class Token:
    """A secret, kept as its digest and compared in constant time."""

    def __init__(self, secret: str) -> None:
        self._digest = _digest(secret)

    def matches(self, candidate: str) -> bool:
        return hmac.compare_digest(self._digest, _digest(candidate))


class Sessions:
    """Open sessions, at most `most`; held in memory only, so they end with the process."""

    def __init__(self, most: int = MOST_SESSIONS, idle_s: float = SESSION_S) -> None:
        self._most = most
        self._idle_s = idle_s
        self._used_at: OrderedDict[bytes, float] = OrderedDict()

    def open(self, now: float) -> str:
        """Open a session. Returns the cookie's value."""
        id = secrets.token_urlsafe(32)
        # The digest only: memory that leaks holds no valid cookie.
        self._used_at[_digest(id)] = now
        # The session that was unused for the longest time goes first.
        while len(self._used_at) > self._most:
            self._used_at.popitem(last=False)
        return id

    def renew(self, id: str, now: float) -> bool:
        """True if the session is open; restarts its idle time."""
        digest = _digest(id)
        used_at_s = self._used_at.get(digest)
        if used_at_s is None:
            return False
        if now - used_at_s > self._idle_s:
            del self._used_at[digest]
            return False
        self._used_at[digest] = now
        self._used_at.move_to_end(digest)
        return True

    def close(self, id: str) -> None:
        self._used_at.pop(_digest(id), None)


def _digest(text: str) -> bytes:
    # surrogateescape: a header may hold any bytes, and a wrong token must not raise.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
