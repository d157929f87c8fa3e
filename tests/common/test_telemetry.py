"""No library that we import calls home: shown by an audit hook in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOOK = """
import sys
def hook(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        print(event, args[0], flush=True)
    elif event == "socket.connect" and isinstance(args[1], tuple):
        print(event, args[1][0], flush=True)
sys.addaudithook(hook)
"""


def _run(code: str, home: Path) -> str:
    """What the hook has seen while `code` ran, and a second longer: telemetry is sent by a thread."""
    env = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"{HOOK}\n{code}\nimport time; time.sleep(1)"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=100, check=True).stdout


def test_the_hook_sees_a_look_up(tmp_path: Path) -> None:
    code = "import socket\ntry: socket.getaddrinfo('x.invalid', 1)\nexcept OSError: pass"
    assert "x.invalid" in _run(code, tmp_path)


@pytest.mark.parametrize("room", ["pipeline", "daemon"])
def test_openvino_calls_nobody_when_it_is_imported_after_a_room_of_ours(room: str, tmp_path: Path) -> None:
    code = f"import {room}\nimport openvino\nimport openvino_genai\nimport openvino.tools.ovc"
    assert _run(code, tmp_path) == ""
    assert not (tmp_path / "intel").exists()
