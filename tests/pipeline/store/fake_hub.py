"""A small real model hub over HTTP, as far as the hub's own client needs one."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves one repository, `someone/tiny`; large files (over 1 kB) are announced with their sha256."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files: dict[str, bytes] = dict(files)
        self.announced = dict(files)
        """The files from which the metadata is computed; differs from `files` to announce wrong hashes."""
        self.break_after: int | None = None
        """Bytes after which each download breaks off, once."""
        self.ranges: list[str] = []
        """Range headers of the downloads."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def listing(self) -> dict[str, object]:
        return {
            "id": "someone/tiny",
            "modelId": "someone/tiny",
            "sha": REVISION,
            "private": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": [self._sibling(name, data) for name, data in self.announced.items()],
        }

    def _sibling(self, name: str, data: bytes) -> dict[str, object]:
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        found: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": blob}
        if len(data) > 1000:
            found["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 134}
        return found

    def _handler(hub) -> type[BaseHTTPRequestHandler]:  # noqa: N805, C901 (a nested class)
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, body: bool) -> None:
                path = self.path.partition("?")[0]
                if re.fullmatch(rf"/api/models/someone/tiny(/revision/{REVISION})?", path):
                    return self._send(
                        200, json.dumps(hub.listing()).encode(), {"X-Repo-Commit": REVISION}, body
                    )
                name = path.removeprefix(f"/someone/tiny/resolve/{REVISION}/")
                if name in hub.files:
                    return self._file(hub.files[name], body)
                code = "RepoNotFound" if "/someone/tiny" not in path else "EntryNotFound"
                return self._send(404, b"", {"X-Error-Code": code}, body)

            def _file(self, data: bytes, body: bool) -> None:
                etag = hashlib.sha256(data).hexdigest()
                headers = {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
                asked = self.headers.get("Range")
                if body:
                    hub.ranges.append(asked or "")
                start = int(asked.removeprefix("bytes=").rstrip("-").split("-")[0]) if asked else 0
                if asked:
                    headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
                return self._send(206 if asked else 200, data[start:], headers, body)

            def _send(self, code: int, data: bytes, headers: Mapping[str, str], body: bool) -> None:
                self.send_response(code)
                for key, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(key, value)
                self.end_headers()
                if not body:
                    return
                if hub.break_after is not None and len(data) > hub.break_after:
                    self.wfile.write(data[: hub.break_after])
                    hub.files.clear()  # later requests get 404: the hub has broken down
                    self.close_connection = True
                    return
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler


@contextmanager
def hub_serving(files: Mapping[str, bytes]) -> Iterator[Hub]:
    hub = Hub(files)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()
