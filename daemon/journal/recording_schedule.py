"""Decides when the next black box is saved: some seconds after an alert, and not too often. Pure."""

from __future__ import annotations

NEVER_S = float("inf")


class RecordingSchedule:
    """Times are the clock's. A box holds every alert of the last minute, so one covers several."""

    def __init__(self, *, after_s: float, every_s: float) -> None:
        self._after_s = after_s
        self._every_s = every_s
        self._saved_s = -NEVER_S
        self.due_s = NEVER_S

    @property
    def pending(self) -> bool:
        """True if an alert has no black box yet."""
        return self.due_s < NEVER_S

    def on_alert(self, now: float) -> None:
        """An alert was raised."""
        # The earliest alert decides: later ones are in the same box.
        self.due_s = min(self.due_s, max(now + self._after_s, self._saved_s + self._every_s))

    def cancel(self) -> None:
        """Drop the wish for a black box of past alerts."""
        self.due_s = NEVER_S

    def on_saved(self, now: float) -> None:
        """A box has been saved."""
        self._saved_s, self.due_s = now, NEVER_S
