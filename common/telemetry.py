"""Switches off the telemetry of the libraries in use, before any of them is imported.

`import openvino` loads `openvino_telemetry`, which posts to an analytics server and writes a folder `intel`
into the home. A module that stands as None in `sys.modules` cannot be imported; OpenVINO then takes its own
stub without a network. The clients of model hubs read their switches from the environment, which children
inherit.
"""

from __future__ import annotations

import os
import sys

_SWITCHES = {"HF_HUB_DISABLE_TELEMETRY": "1", "DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""Of huggingface_hub, of diffusers and transformers, and the convention of consoledonottrack.com."""


def switch_off() -> None:
    """Keep OpenVINO's telemetry from being imported, and tell hub clients to send none."""
    # The same assignment again is harmless; a module that was imported already is left to its user.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    os.environ.update(_SWITCHES)
