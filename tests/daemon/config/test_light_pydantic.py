"""pydantic-settings without asyncio: the settings are read all the same, and asyncio can still be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIGHT = """
import sys
from daemon.config.settings import Settings
assert "asyncio" not in sys.modules, "it is what takes the time"
assert Settings().log.level == "info"
import asyncio
assert asyncio.run(asyncio.sleep(0, "done")) == "done"
"""
WHOLE = """
import asyncio
from daemon.config.settings import Settings
import sys
assert sys.modules["asyncio"] is asyncio, "what was imported before stays"
assert Settings().log.level == "info"
"""


@pytest.mark.parametrize("script", [LIGHT, WHOLE], ids=["first", "imported already"])
def test_asyncio_is_left_out_until_it_is_wanted(script: str) -> None:
    """In a process of its own: an import cannot be taken back."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
