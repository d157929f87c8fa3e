"""Files of a repository on a model hub: resumable, bound to one commit, checked."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from common.files import sha256_of, tree_bytes
from common.progress import readable_size
from pipeline.store.errors import FetchError
from pipeline.store.fetch.subprocess_run import StalledError, own_environment, own_module, run_child
from pipeline.store.manifest import HubSource, StoredFile
from pipeline.store.source import Fetched, FetchJob

STALL_S = 120.0
"""Seconds without a single byte after which a download is stopped."""
ROOM_FACTOR = 2.5
"""Room for a download and what a conversion makes of it."""
_CHILD = "pipeline.store.fetch.hub_worker"
# The chunked transfer protocol neither resumes nor shows its progress on the disk.
_QUIET = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@dataclass(frozen=True, slots=True)
class Remote:
    """The hub's record of a file."""

    size: int
    sha256: str | None
    """Of large files; small ones are known by their git blob id."""
    blob: str


@dataclass(frozen=True, slots=True)
class HubFetcher:
    """A `Source` over a model hub, or over the same files carried over by hand."""

    name: str
    source: HubSource
    licence: str
    stall_s: float = STALL_S

    def fetch(self, job: FetchJob) -> Fetched:
        """Download into `job.keep`, where a broken download is resumed next time. Raises FetchError."""
        try:
            return self._carried(job.carried) if job.carried else self._online(job)
        except FetchError as error:
            raise FetchError(f"{self.name}: {error}. {self.by_hand()}") from None

    def by_hand(self) -> str:
        """The hint for a machine without a network."""
        revision = f" --revision {self.source.revision}" if self.source.revision else ""
        fitting = [f"--include '{pattern}'" for pattern in self.source.patterns]
        wanted = " ".join(fitting or (*self.source.files, *self.source.weights[:1]))
        return (
            f"Without a network: on another machine run `hf download {self.source.repo} {wanted}{revision} "
            f"--local-dir FOLDER`, carry FOLDER over and run "
            f"`watchword models pull {self.name} --from FOLDER`"
        )

    def _online(self, job: FetchJob) -> Fetched:
        revision, remotes = self._resolve(job)
        names = self._choose(set(remotes))
        size = sum(remotes[name].size for name in names)
        job.require_room(round(size * ROOM_FACTOR))
        job.progress.begin(f"{self.name}: {self.source.repo} ({readable_size(size)})", size)
        try:
            job.keep.mkdir(exist_ok=True)
            command = ("download", self.source.repo, revision, str(job.keep), *names)
            self._run(job, command, job.keep, job.progress.advance)
        finally:
            job.progress.end()
        for name in names:
            self._check(job.keep / name, remotes[name])
        return self._fetched(job.keep, names, revision)

    def _resolve(self, job: FetchJob) -> tuple[str, dict[str, Remote]]:
        out = job.work / "hub.json"
        command = ("resolve", self.source.repo, self.source.revision or "", str(out))
        self._run(job, command, job.work, lambda _: None)
        told = json.loads(out.read_text(encoding="utf-8"))
        # A pinned commit must be answered with exactly that commit, or the checked hashes mean nothing.
        if self.source.revision not in (None, told["revision"]):
            raise FetchError(f"the hub answers with revision {told['revision']}")
        return told["revision"], {name: Remote(**facts) for name, facts in told["files"].items()}

    def _choose(self, there: set[str]) -> tuple[str, ...]:
        weights = [name for name in self.source.weights if name in there][:1]
        missing = [name for name in self.source.files if name not in there]
        if self.source.weights and not weights:
            missing.append(" or ".join(self.source.weights))
        if missing:
            raise FetchError(f"there is no {', no '.join(missing)}")
        certain = (*self.source.files, *weights, *(name for name in self.source.optional if name in there))
        return (*certain, *sorted(name for name in there if name not in certain and self._fits(name)))

    def _fits(self, name: str) -> bool:
        # Folders of a repository hold other forms of the model (ONNX, TensorFlow), which are not wanted.
        return "/" not in name and any(fnmatchcase(name, pattern) for pattern in self.source.patterns)

    def _check(self, path: Path, remote: Remote) -> None:
        """A wrong file is deleted, so that the next attempt downloads it again."""
        # The hub gives a sha256 for large files only.
        right = remote.sha256 == sha256_of(path) if remote.sha256 else remote.blob == git_blob_id(path)
        if not right or path.stat().st_size != remote.size:
            path.unlink()
            raise FetchError(f"{path.name} arrived with other bytes than the hub announced; try again")

    def _carried(self, folder: Path) -> Fetched:
        wanted = (*self.source.files, *self.source.weights, *self.source.optional)
        beside = (path.name for path in folder.iterdir() if self._fits(path.name))
        present = {name for name in (*wanted, *beside) if (folder / name).is_file()}
        try:
            return self._fetched(folder, self._choose(present), self.source.revision)
        except FetchError as error:
            raise FetchError(f"{folder}: {error}") from None

    def _fetched(self, folder: Path, names: tuple[str, ...], revision: str | None) -> Fetched:
        files = tuple(describe(folder, name, self.licence) for name in names)
        for file in files:
            if self.source.sha256.get(file.name, file.sha256) != file.sha256:
                raise FetchError(f"{file.name} is not the file we checked (sha256 {file.sha256})")
        found = {file.name: file.sha256 for file in files}
        update = {
            "revision": revision,
            "files": names,
            "weights": (),
            "optional": (),
            "patterns": (),
            "sha256": found,
        }
        return Fetched(self.source.model_copy(update=update), folder, files)

    def _run(
        self, job: FetchJob, arguments: tuple[str, ...], measured: Path, on_progress: Callable[[int], None]
    ) -> None:
        log = job.work / "hub.log"
        try:
            code = run_child(
                own_module(_CHILD, *arguments),
                env=own_environment(**_QUIET),
                log=log,
                measure=lambda: tree_bytes(measured),
                on_progress=on_progress,
                stall_s=self.stall_s,
            )
        except StalledError:
            raise FetchError(f"nothing arrived for {self.stall_s:.0f} s; the download was given up") from None
        if code:
            raise _failure(log.read_text(encoding="utf-8", errors="replace"), code)


def _failure(said: str, code: int) -> Exception:
    lines = [line for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else f"exit code {code}"
    if "No space left on device" in last:
        # As an error of the disk: the store then reports its path and the way out.
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return FetchError(last.removeprefix("error: "))


def describe(folder: Path, name: str, licence: str) -> StoredFile:
    """Size and sha256 of a file as it is."""
    path = folder / name
    return StoredFile(name=name, sha256=sha256_of(path), size=path.stat().st_size, licence=licence)


def git_blob_id(path: Path) -> str:
    """The git blob hash of these bytes."""
    data = path.read_bytes()
    # git's own hash; it only detects damage on the way, and nothing better is known of small files.
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
