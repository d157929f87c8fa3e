"""How long to wait before the next try. Pure."""

from __future__ import annotations

FIRST_S = 0.5
LONGEST_S = 60.0


class RestartBackoff:
    """Waits that double from `first_s` to `longest_s`; a success starts them anew."""

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    @property
    def failures(self) -> int:
        """In a row."""
        return self._failures

    def failed(self) -> float:
        """Count a failure; seconds to wait before the next try."""
        wait_s = min(self._first_s * 2.0 ** min(self._failures, 32), self._longest_s)
        self._failures += 1
        return wait_s

    def succeeded(self) -> None:
        self._failures = 0
