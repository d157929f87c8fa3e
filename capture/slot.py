"""The one place between a fast producer and a slow consumer: room for one item, and a named policy."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotPolicy(StrEnum):
    """The behaviour of `put` while the last item has not been taken."""

    NEWEST = "newest"
    """Replace it and count it as skipped; never wait. For live sources."""
    EVERY = "every"
    """Wait until it is taken. For sources of which nothing may be missed."""


class LatestSlot(Generic[T]):
    """Hands items from one thread to another; close it from any side to end both."""

    def __init__(self, policy: SlotPolicy) -> None:
        self.policy = policy
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._skipped = 0

    @property
    def skipped(self) -> int:
        """Items replaced before anyone took them."""
        with self._changed:
            return self._skipped

    @property
    def closed(self) -> bool:
        """True once closed; the last item may still be there to take."""
        with self._changed:
            return self._closed

    def put(self, item: T, timeout_s: float = 0.0) -> bool:
        """Leave an item; False if it was not accepted (closed, or `every` and still full in time)."""
        with self._changed:
            if self.policy is SlotPolicy.EVERY:
                self._changed.wait_for(lambda: self._closed or self._item is None, timeout_s)
                if self._item is not None:
                    return False
            # After the wait, during which it may have been closed.
            if self._closed:
                return False
            self._skipped += self._item is not None
            self._item = item
            # Producer and consumer wait on the same condition; `notify` might wake the wrong one.
            self._changed.notify_all()
            return True

    def pop(self, timeout_s: float) -> T | None:
        """The item, as soon as there is one; None after `timeout_s`, or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Accept nothing more and wake everyone; a remaining item may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
