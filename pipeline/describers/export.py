"""Vision-language models of a hub converted for openvino-genai, with optimum-intel, in a child process."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pipeline.describers.models import OPENVINO_FILE
from pipeline.store.child import StalledError, own_environment, own_module, run_child
from pipeline.store.disk import tree_bytes
from pipeline.store.errors import PrepareError

WEIGHTS = ("int4", "int8", "fp16")
STALL_S = 1800.0
"""Seconds without a byte more on the disk; compressing a large model writes nothing for a while."""


def require_ready() -> None:
    """Raises PrepareError where what converts is missing; before anything is downloaded."""
    if not all(map(importlib.util.find_spec, ("torch", "transformers", "optimum"))):
        raise PrepareError("converting needs optimum-intel; run script/setup --prepare")


def export(source: Path, into: Path, weights: str, log: Path) -> None:
    """Convert the model in `source`; what the tool says goes to `log`. Raises PrepareError."""
    require_ready()
    command = own_module(
        "optimum.commands.optimum_cli",
        *("export", "openvino", "--model", str(source), "--task", "image-text-to-text"),
        *("--weight-format", weights, str(into)),
    )
    try:
        code = run_child(
            command,
            env=own_environment(HF_HUB_OFFLINE="1"),
            log=log,
            measure=lambda: tree_bytes(into),
            on_progress=lambda _bytes: None,
            stall_s=STALL_S,
        )
    except StalledError:
        raise PrepareError(f"the conversion stood still for {STALL_S:.0f} s; see {log}") from None
    if code or not (into / OPENVINO_FILE).is_file():
        raise PrepareError(f"the conversion failed ({_last_line(log)}); see {log}")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
