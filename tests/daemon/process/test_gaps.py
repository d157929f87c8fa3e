"""Standstills of the process, which are announced once."""

from __future__ import annotations

import pytest

from daemon.process.gaps import GapMonitor
from pipeline.wording import away_phrase


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_standstill_is_reported_once_and_short_ones_are_not() -> None:
    clock = Clock()
    gaps = GapMonitor(clock)
    found = []
    for step_s in (0.25, 5.0, 29.0, 31.0, 0.25, 3600.0):
        clock.now += step_s
        found.append(gaps.step())
    assert found == [0, 0, 0, 31.0, 0, 3600.0]


@pytest.mark.parametrize(
    ("seconds", "words"), [(31, "31 seconds"), (119, "119 seconds"), (3600, "60 minutes")]
)
def test_how_long_is_said_in_words_a_wearer_can_use(seconds: float, words: str) -> None:
    assert words in away_phrase(seconds, "en")
