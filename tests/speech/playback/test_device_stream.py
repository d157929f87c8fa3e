"""Looking for a loudspeaker that is not there, for hours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.bench.loudspeaker import available

LOOKS = """
import time
from pathlib import Path
from speech.playback.device_stream import DeviceStream
from speech.playback.base import PlayerLostError

def resident_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

def look(times):
    for _ in range(times):
        try:
            DeviceStream("no such loudspeaker", 48000, 0.02, time.monotonic)
        except PlayerLostError:
            continue
        raise SystemExit("found it")

look(20)
before = resident_kb()
look(100)
print(resident_kb() - before)
"""


def test_each_look_leaves_next_to_nothing_behind(tmp_path: Path) -> None:
    """A hundred looks left 1.2 MB behind while ALSA's plug-ins came and went."""
    if not available():
        pytest.skip("needs Debian's packages pulseaudio and libasound2-plugins")
    result = subprocess.run(
        [sys.executable, "-c", LOOKS],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert int(result.stdout) < 400, "KB"


SWALLOWED = """
import time
from speech.playback.device_stream import DeviceStream

stream = DeviceStream("default", 48000, 0.02, time.monotonic)
stream.start(lambda frames, at_s: __import__("numpy").zeros((frames, 2), "int16"))
until_s = time.monotonic() + 5
while stream.trouble() is None and time.monotonic() < until_s:
    assert not stream.plays, "taken for a loudspeaker"
    time.sleep(0.005)
print(stream.trouble())
stream.close()
"""


def test_a_device_that_takes_everything_at_once_is_no_loudspeaker(tmp_path: Path) -> None:
    """ALSA's null device: each sound was taken for heard."""
    if not available():
        pytest.skip("needs Debian's packages pulseaudio and libasound2-plugins")
    config = tmp_path / "alsa.conf"
    config.write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type null }\nctl.!default { type null }\n")
    result = subprocess.run(
        [sys.executable, "-c", SWALLOWED],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HOME": str(tmp_path), "ALSA_CONFIG_PATH": str(config)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "faster than it can be heard" in result.stdout, result.stdout + result.stderr
