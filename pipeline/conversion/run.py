"""Runs a conversion in a child: gigabytes of torch go with it when it ends, and it can be ended."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

from common.files import tree_bytes
from common.progress import Progress
from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.errors import PrepareError
from pipeline.store.fetch.hub import describe
from pipeline.store.fetch.subprocess_run import StalledError, own_environment, own_module, run_child
from pipeline.store.manifest import Conversion
from pipeline.store.preparer import ConvertedFiles
from pipeline.store.recipe import OPENCLIP_TOOL
from pipeline.store.source import Fetched, FetchJob

STALL_S = 1800.0
"""Seconds without output after which a conversion is killed. Quantising prints nothing for minutes."""
_CHILD = "pipeline.conversion.openclip_worker"
# Offline: all files were downloaded and verified. A library's own downloads would not be.
_QUIET = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def convert_open_clip(
    entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
) -> ConvertedFiles:
    """A `Preparer`: both towers to OpenVINO, checked against torch. Raises PrepareError, OSError."""
    into, progress = job.into, job.progress
    log, out = job.work / "convert.log", job.work / "made.json"
    arguments = (entry.name, str(fetched.folder), str(into), str(frames or ""), str(out))
    progress.begin(f"{entry.name}: converting", 0)
    follow = _notes(log, f"{entry.name}: ", progress)
    try:
        code = run_child(
            own_module(_CHILD, *arguments),
            env=own_environment(**_QUIET),
            log=log,
            # Both: tracing only writes to the log, saving only to the folder.
            measure=lambda: log.stat().st_size + tree_bytes(into),
            on_progress=lambda _: follow(),
            stall_s=STALL_S,
        )
    except StalledError:
        raise PrepareError(f"{entry.name}: the conversion stood still for {STALL_S:.0f} s") from None
    finally:
        follow()
        progress.end()
    if code:
        raise _failure(entry.name, log.read_text(encoding="utf-8", errors="replace"), code)
    told = json.loads(out.read_text(encoding="utf-8"))
    names = sorted(path.name for path in into.iterdir())
    files = tuple(describe(into, name, entry.licence) for name in names)
    made = Conversion(tool=OPENCLIP_TOOL, versions=told["versions"], checks=told["checks"])
    return ConvertedFiles(files, told["precision"], made)


def _notes(log: Path, prefix: str, progress: Progress) -> Callable[[], None]:
    """Passes on the `note:` lines that were added to the log since the last call."""
    read = 0

    def follow() -> None:
        nonlocal read
        with log.open("rb") as file:
            file.seek(read)
            new = file.read()
        # Only whole lines: the child may be in the middle of one.
        whole = new[: new.rfind(b"\n") + 1]
        read += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            if line.startswith("note: "):
                progress.report(prefix + line.removeprefix("note: "))

    return follow


def _failure(name: str, said: str, code: int) -> Exception:
    if "No space left on device" in said:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    errors = [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]
    ended = (
        f"the conversion was ended by signal {-code}"
        if code < 0
        else f"the conversion ended with code {code}"
    )
    # Signal 9 is what the kernel sends when memory runs out.
    memory = "; was there too little memory?" if code == -9 else ""
    return PrepareError(f"{name}: {errors[-1] if errors else ended + memory}")
