"""OpenVINO without its converter: enough to run networks, and the converter can still be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIGHT = """
import sys
import common.telemetry
common.telemetry.switch_off()
from daemon.wiring.light_openvino import import_light
import_light()
import openvino
assert "CPU" in openvino.Core().available_devices
assert "openvino.tools.ovc" not in sys.modules, "it is what takes the time"
assert "openvino.tools" not in sys.modules or sys.modules["openvino.tools"] is not None
import_light()
import openvino.tools.ovc
assert callable(openvino.tools.ovc.convert_model)
"""
WHOLE = """
import common.telemetry
common.telemetry.switch_off()
import openvino
from daemon.wiring.light_openvino import import_light
import_light()
assert callable(openvino.convert_model), "what was imported before stays"
"""


@pytest.mark.parametrize("script", [LIGHT, WHOLE], ids=["first", "imported already"])
def test_the_converter_is_left_out_until_it_is_wanted(script: str) -> None:
    """In a process of its own: an import cannot be taken back."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
