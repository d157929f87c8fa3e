"""The alerts that the last minute would have brought with other thresholds. Pure.

Only the alert policy is run again: alerts depend on nothing else. Each alert counts as spoken at once, in
both runs, so that they can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.core.black_box import Recording
from daemon.core.messages import Assessed
from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold
from pipeline.alerting.rules import builtin_rules
from pipeline.settings import WatchSettings
from pipeline.types import Alert, Assessment, Encoding, Severity

_UNSEEN = Encoding(np.zeros(0, np.float32))
"""The alert policy does not use encodings."""


@dataclass(frozen=True, slots=True, eq=False)
class Minute:
    """The alert policy's inputs of one minute, and its state before."""

    settings: Mapping[str, Any]
    hazards: tuple[HazardThreshold, ...]
    state: Mapping[str, Any]
    times_s: NDArray[np.float64]
    """Shape (T,)."""
    probabilities: NDArray[np.float32]
    """Shape (T, H)."""

    @classmethod
    def of(cls, recording: Recording) -> Minute:
        """Take the minute out of a black box."""
        looks = [entry.input.assessment for entry in recording.entries if isinstance(entry.input, Assessed)]
        hazards = recording.spec.hazards
        return cls(
            recording.spec.watch.model_dump(mode="json"),
            tuple(HazardThreshold(h.name, Severity(h.severity), h.threshold) for h in hazards),
            recording.state["alert_policy"],
            np.array([look.captured_at_s for look in looks], np.float64),
            np.stack([look.probabilities for look in looks])
            if looks
            else np.zeros((0, len(hazards)), np.float32),
        )

    @property
    def seconds(self) -> float:
        """Its duration."""
        return float(self.times_s[-1] - self.times_s[0]) if len(self.times_s) else 0.0

    def encode(self) -> tuple[dict[str, Any], bytes]:
        """Encode it as a JSON header and numbers."""
        hazards = [[h.name, int(h.severity), h.threshold] for h in self.hazards]
        header = {
            "settings": dict(self.settings),
            "hazards": hazards,
            "state": dict(self.state),
            "looks": len(self.times_s),
        }
        return header, self.times_s.tobytes() + np.asarray(self.probabilities, np.float32).tobytes()

    @classmethod
    def decode(cls, header: Mapping[str, Any], numbers: bytes) -> Minute:
        """The inverse of `encode`."""
        hazards = tuple(HazardThreshold(name, Severity(level), on) for name, level, on in header["hazards"])
        looks = header["looks"]
        times_s = np.frombuffer(numbers, np.float64, looks)
        # Times first, then probabilities, as `encode` wrote them.
        probabilities = np.frombuffer(numbers, np.float32, offset=times_s.nbytes).reshape(looks, len(hazards))
        return cls(header["settings"], hazards, header["state"], times_s, probabilities)


def alerts(minute: Minute, thresholds: Mapping[str, float]) -> tuple[Alert, ...]:
    """The alerts of a minute, in order; hazards without an entry in `thresholds` keep theirs."""
    hazards = [
        HazardThreshold(h.name, h.severity, thresholds.get(h.name, h.threshold)) for h in minute.hazards
    ]
    # The rules are the built-in ones in the daemon as well, so they need not be sent.
    policy = AlertPolicy(WatchSettings.model_validate(minute.settings), hazards, builtin_rules())
    policy.restore(minute.state)
    found: list[Alert] = []
    for seq, (now, row) in enumerate(zip(minute.times_s.tolist(), minute.probabilities, strict=True)):
        for event in policy.step(Assessment(seq, now, _UNSEEN, row)):
            if isinstance(event, Alert):
                # Otherwise the policy would retry each alert as unheard.
                policy.mark_spoken(event.id, now)
                found.append(event)
    return tuple(found)


def as_json(raised: Sequence[Alert]) -> list[dict[str, Any]]:
    """Alerts as they are sent to the client."""
    return [
        {
            "t": round(alert.captured_at_s, 3),
            "hazard": alert.hazard,
            "severity": alert.severity.name.lower(),
            "probability": round(alert.probability, 4),
            "escalated": alert.escalated,
            "again": alert.again,
        }
        for alert in raised
    ]
