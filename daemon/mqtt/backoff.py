"""How long to wait for another attempt, and how often to complain. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 1.0


@dataclass(slots=True)
class BrokerBackoff:
    """Waits twice as long after each failure, `most_s` at most."""

    most_s: float
    failures: int = 0

    def failed(self) -> float:
        """Seconds until the next attempt."""
        self.failures += 1
        return min(self.most_s, FIRST_S * 2.0 ** min(self.failures - 1, 30))

    def worked(self) -> None:
        self.failures = 0
