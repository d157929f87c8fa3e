"""A slot for one item between a fast producer and a slow consumer, with a policy for a full slot."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotPolicy(StrEnum):
    """The behaviour of `put` if the last item has not been taken yet."""

    NEWEST = "newest"
    """Replace the item and count it as skipped; never wait. For live sources."""
    EVERY = "every"
    """Wait until the item is taken. For sources of which every frame must be processed."""


class LatestSlot(Generic[T]):
    """Passes items from one thread to another. Either thread may close it, which ends the waits of both."""

    def __init__(self, policy: SlotPolicy) -> None:
        self.policy = policy
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._skipped = 0

    @property
    def skipped(self) -> int:
        """Number of items that were replaced before they were taken."""
        with self._changed:
            return self._skipped

    @property
    def closed(self) -> bool:
        """True after `close`; the last item can still be taken."""
        with self._changed:
            return self._closed

    def put(self, item: T, timeout_s: float = 0.0) -> bool:
        """Store an item. Returns False if closed, or if the policy is EVERY and the slot stays full for
        `timeout_s`.
        """
        with self._changed:
            if self.policy is SlotPolicy.EVERY:
                self._changed.wait_for(lambda: self._closed or self._item is None, timeout_s)
                if self._item is not None:
                    return False
            # Checked after the wait: another thread may have closed the slot during it.
            if self._closed:
                return False
            self._skipped += self._item is not None
            self._item = item
            # Producer and consumer wait on the same condition; `notify` might wake the wrong one.
            self._changed.notify_all()
            return True

    def pop(self, timeout_s: float) -> T | None:
        """Take the item, waiting for one. Returns None after `timeout_s`, or if closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Accept no more items and wake all waiting threads; a remaining item can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
