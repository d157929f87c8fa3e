"""Opens a camera at an HTTP address. Its first bytes decide between a stream of pictures, single pictures, a
web page and video.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from urllib.parse import SplitResult

from capture.camera import CameraLost
from capture.http.connection_faults import explain_failure, explain_status
from capture.http.mjpeg import MjpegCamera, boundary_of
from capture.http.multipart import MAX_PART_BYTES
from capture.http.snapshot import ANOTHER_S, SnapshotCamera
from capture.http.stream import HttpStream, UnreadableAnswer, open_stream
from capture.settings import CaptureSettings
from capture.source_clock import StampTrust
from common.image_header import ImageKind, find_jpeg_end, image_kind
from common.redact import redact

_PORTS = {"http": 80, "https": 443}
_PROBE_S = 1.0
_START_OF_JPEG = b"\xff\xd8\xff"
_FEW_BYTES = 512
"""Bytes that suffice to distinguish a web page from pictures."""
_READ_BYTES = 65_536
_WEB_PAGE = (
    "is a web page, no pictures; write the address of its stream (look for MJPEG, RTSP or snapshot in the "
    "camera's manual)"
)


def open_http_camera(
    parts: SplitResult,
    settings: CaptureSettings,
    clock: Callable[[], float],
    trust: StampTrust | None = None,
) -> MjpegCamera | SnapshotCamera | None:
    """Open the camera at an address. Returns None if only FFmpeg can read it. Raises CameraLost."""
    source = redact(parts.geturl())
    try:
        stream = open_stream(parts.geturl(), settings.open_timeout_s)
    except UnreadableAnswer as error:
        raise CameraLost(f"{source} {error}") from error
    except http.client.HTTPException as error:
        status = error.args[0] if error.args else None
        if isinstance(status, int):
            raise CameraLost(f"{source} {explain_status(parts, status)}") from error
        raise CameraLost(f"{source} {explain_failure(parts, _PORTS[parts.scheme], _PROBE_S)}") from error
    except (OSError, ValueError) as error:
        raise CameraLost(f"{source} {explain_failure(parts, _PORTS[parts.scheme], _PROBE_S)}") from error
    if boundary_of(stream.content_type) is not None:
        camera = MjpegCamera(stream, source, settings, clock, trust=trust)
        # Some cameras announce a stream but end it after one picture: they are polled.
        if not camera.is_over(ANOTHER_S):
            return camera
        camera.close()
        return SnapshotCamera(parts, source, settings, clock)
    return _by_its_bytes(stream, parts, source, settings, clock, trust)


def _by_its_bytes(
    stream: HttpStream,
    parts: SplitResult,
    source: str,
    settings: CaptureSettings,
    clock: Callable[[], float],
    trust: StampTrust | None,
) -> MjpegCamera | SnapshotCamera | None:
    """Choose the reader by the first bytes, for content that is not announced as multipart."""
    until_s = time.monotonic() + settings.open_timeout_s
    try:
        data = _read(stream, b"", until_s, lambda data: len(data) >= _FEW_BYTES)
        kind = image_kind(data.lstrip()[:16])
        # An announced length means a single picture.
        if kind is ImageKind.JPEG and stream.length is None:
            data = _read(stream, data, until_s, _goes_on)
            if _goes_on(data):
                # The first picture is dropped: it has aged while the second was awaited.
                rest = data[find_jpeg_end(data, data.find(_START_OF_JPEG)) :]
                return MjpegCamera(stream, source, settings, clock, already=rest, trust=trust)
    except (OSError, ValueError, http.client.HTTPException) as error:
        stream.release()
        raise CameraLost(f"{source} stopped sending at once; restart the camera") from error
    # Multipart content that the header does not announce.
    if data.lstrip().startswith(b"--") and (b"image/" in data.lower() or _START_OF_JPEG in data):
        return MjpegCamera(stream, source, settings, clock, already=data, trust=trust)
    stream.release()
    if kind is not None:
        return SnapshotCamera(parts, source, settings, clock)
    if _is_page(stream.content_type, data):
        raise CameraLost(f"{source} {_WEB_PAGE}")
    return None


def _goes_on(data: bytes) -> bool:
    """True if another picture follows the first."""
    end = find_jpeg_end(data, data.find(_START_OF_JPEG))
    return end is not None and _START_OF_JPEG in data[end:]


def _read(stream: HttpStream, data: bytes, until_s: float, enough: Callable[[bytes], bool]) -> bytes:
    """Read until `enough(data)`, the end of the stream, or the time `until_s`. Raises OSError."""
    with stream.limited(max(0.0, until_s - time.monotonic())):
        while not enough(data) and len(data) < MAX_PART_BYTES:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
            stream.socket.settimeout(left_s)
            try:
                more = stream.read1(_READ_BYTES)
            # Not an error: the caller decides by the bytes that have arrived.
            except TimeoutError:
                break
            if not more:
                break
            data += more
    return data


def _is_page(content_type: str, data: bytes) -> bool:
    start = data.lstrip().lower()
    return content_type.lower().startswith("text/html") or start.startswith((b"<!doctype", b"<html"))
