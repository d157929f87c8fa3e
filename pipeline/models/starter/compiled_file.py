"""The compiled network in a file of the cache: read in a third of the time that compiling 8 bits takes.

The file holds OpenVINO's export and a digest over it, so that a file which a power cut left incomplete is
never read: OpenVINO does not check what it imports. Its name holds a digest of all that shaped the network,
the processor included.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from common import atomic_file
from pipeline.models.prompts import digest

log = logging.getLogger(__name__)

_MARK = b"watchword network1"
_DIGEST_BYTES = 32
_FLAGS = ("flags", "Features")
"""Of /proc/cpuinfo, on Intel's and on ARM's processors."""


def processor_mark(core: Any) -> str:
    """Digest of the processor's name and of its instructions."""
    name = str(core.get_property("CPU", "FULL_DEVICE_NAME"))
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return digest(name, next((line for line in lines if line.startswith(_FLAGS)), ""))
    return digest(name)


def read_compiled(core: Any, path: Path, options: Mapping[str, Any]) -> Any | None:
    """The compiled network; None if the file is missing, damaged, or not for this OpenVINO."""
    with suppress(FileNotFoundError):
        with path.open("rb") as file:
            head, body = file.read(len(_MARK) + _DIGEST_BYTES), file.read()
        if head == _MARK + hashlib.sha256(body).digest():
            try:
                return core.import_model(body, "CPU", dict(options))
            except RuntimeError as error:
                log.info("%s is not read (%s)", path, str(error).strip().splitlines()[-1])
    return None


def write_compiled(network: Any, path: Path) -> None:
    """Write the file, and delete those of earlier networks for the same input. Raises OSError."""
    exported = io.BytesIO()
    network.export_model(exported)
    body = exported.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not synchronised: a file that a power cut left incomplete is written again.
    atomic_file.write(path, _MARK + hashlib.sha256(body).digest() + body, durable=False)
    shape = path.name.rpartition("-")[0]
    for other in path.parent.glob(f"{shape}-*{path.suffix}"):
        if other != path:
            with suppress(OSError):  # it costs disk space, nothing else
                other.unlink()
