"""Vision-language models of a hub converted for openvino-genai, with optimum-intel, in a child process."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

from common.files import tree_bytes
from pipeline.store.catalogue.backends import OPENVINO_FILE
from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.errors import PrepareError
from pipeline.store.fetch.hub import describe
from pipeline.store.fetch.subprocess_run import StalledError, own_environment, own_module, run_child
from pipeline.store.manifest import Conversion
from pipeline.store.preparer import ConvertedFiles
from pipeline.store.recipe import VLM_TOOL
from pipeline.store.source import Fetched, FetchJob

WEIGHTS = "int4"
STALL_S = 1800.0
"""Seconds without a byte more on the disk or in the log; compressing writes nothing for minutes."""
_PARTS = ("optimum-intel", "openvino", "nncf", "transformers", "torch")


def convert_vlm(entry: CatalogueEntry, fetched: Fetched, job: FetchJob) -> ConvertedFiles:
    """The model in `job.into`, with 4-bit weights. Raises PrepareError."""
    log = job.work / "convert.log"
    job.progress.report(f"{entry.name}: converting; this takes minutes and more memory than the model itself")
    export(fetched.folder, job.into, WEIGHTS, log)
    if job.both:
        _add(fetched, job)
    names = sorted(str(path.relative_to(job.into)) for path in job.into.rglob("*") if path.is_file())
    files = tuple(describe(job.into, name, entry.licence) for name in names)
    versions = {part: metadata.version(part) for part in _PARTS}
    return ConvertedFiles(files, WEIGHTS, Conversion(tool=VLM_TOOL, versions=versions))


def _add(fetched: Fetched, job: FetchJob) -> None:
    """Keep the original weights beside the converted ones; the small files are the same."""
    # Checked before copying, so that a pull fails with the figure and not in the middle with a full disk.
    job.require_room(fetched.size)
    for file in fetched.files:
        target = job.into / file.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fetched.folder / file.name, target)


def export(source: Path, into: Path, weights: str, log: Path) -> None:
    """Convert the model in `source`; the tool's output goes to `log`. Raises PrepareError."""
    command = own_module(
        "optimum.commands.optimum_cli",
        *("export", "openvino", "--model", str(source), "--task", "image-text-to-text"),
        *("--weight-format", weights, "--group-size-fallback", "adjust", str(into)),
    )
    try:
        code = run_child(
            command,
            # Offline: the model is here already, and the tool must not download code or files.
            env=own_environment(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1"),
            log=log,
            # Both: while weights are compressed only the log grows, while they are written only the folder
            # does.
            measure=lambda: tree_bytes(into) + log.stat().st_size,
            on_progress=lambda _: None,
            stall_s=STALL_S,
        )
    except StalledError:
        raise PrepareError(f"the conversion of {source} stood still for {STALL_S:.0f} s") from None
    # The tool can exit with 0 without having written the language model.
    if code or not (into / OPENVINO_FILE).is_file():
        raise PrepareError(f"the conversion of {source} failed: {_last_line(log)}")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
