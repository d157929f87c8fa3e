"""Waiting for what no event tells of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def eventually(true: Callable[[], bool], timeout_s: float) -> bool:
    """Look now and then; False if it does not come true in time."""
    until_s = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.05)
    return True
