"""A camera that answers each HTTP request with one picture: it is polled."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from urllib.parse import SplitResult

from capture.camera import CameraLost
from capture.frame import Frame
from capture.http.connection_faults import explain_status
from capture.http.mjpeg import boundary_of, decode_sent
from capture.http.multipart import MAX_PART_BYTES, MultipartSplitter
from capture.http.stream import HttpStream, UnreadableAnswer, open_stream
from capture.orient import make_frame
from capture.settings import CaptureSettings
from common.image_header import ImageKind, image_kind, is_truncated

_INTERVAL_S = 0.2
"""Least seconds between two requests: many cameras take a new picture for each, and serve few at a time."""
_RETRY_S = 0.5
"""Seconds before a request that follows a failed one."""
ANOTHER_S = 0.3
"""Seconds after a picture in which another one, or the end, tells a stream from a single picture."""
_READ_BYTES = 65_536
_START_OF_JPEG = b"\xff\xd8\xff"
_END_OF_IMAGE = b"\xff\xd9"


class SnapshotCamera:
    """Requests one picture for each `read`. The frame gets the time of the request."""

    live = True

    def __init__(
        self, parts: SplitResult, source: str, settings: CaptureSettings, clock: Callable[[], float]
    ) -> None:
        """`source`: the camera's name, without credentials. Sends no request yet."""
        self._parts = parts
        self._source = source
        self._settings = settings
        self._clock = clock
        self._seq = 0
        self._asked_s = float("-inf")
        self._closed = False

    @property
    def source(self) -> str:
        return self._source

    def read(self) -> Frame | None:
        until_s = time.monotonic() + self._settings.read_timeout_s
        pause_s = self._asked_s + _INTERVAL_S - time.monotonic()
        while not self._closed:
            time.sleep(max(0.0, pause_s))
            pause_s = _RETRY_S
            # Two clocks: requests are spaced in real time, frames get the time of the caller's clock.
            self._asked_s, at_s = time.monotonic(), self._clock()
            try:
                frame = self._frame(self._fetch(until_s), at_s)
            except UnreadableAnswer as error:
                why = str(error)
            except http.client.HTTPException as error:
                why = explain_status(self._parts, error.args[0]) if _is_status(error) else "answers nonsense"
            except (OSError, ValueError):
                why = "stopped sending pictures; check its power and the network"
            else:
                if frame is not None:
                    return frame
                why = "sends pictures that cannot be decoded; restart the camera"
            if time.monotonic() + pause_s >= until_s:
                raise CameraLost(f"{self._source} {why}")
        raise CameraLost(f"{self._source} is closed")

    def close(self) -> None:
        self._closed = True

    def _fetch(self, until_s: float) -> bytes:
        """Raises OSError, HTTPException; CameraLost if the answer is a stream now."""
        stream = open_stream(self._parts.geturl(), max(1.0, until_s - time.monotonic()))
        try:
            with stream.limited(max(0.0, until_s - time.monotonic())):
                # Some cameras wrap their single picture into a multipart answer.
                if (boundary := boundary_of(stream.content_type)) is not None:
                    return self._first_part(stream, MultipartSplitter(boundary), until_s)
                return _whole(stream, until_s)
        finally:
            stream.release()

    def _first_part(self, stream: HttpStream, parts: MultipartSplitter, until_s: float) -> bytes:
        first = b""
        while (left_s := until_s - time.monotonic()) > 0:
            stream.socket.settimeout(left_s)
            try:
                more = stream.read1(_READ_BYTES)
            except TimeoutError:
                if first:
                    break
                raise
            if not more:
                break
            pictures = parts.feed(more)
            if len(pictures) > 1 or (first and pictures):
                raise CameraLost(
                    f"{self._source} sends a stream in place of single pictures; it is opened anew"
                )
            if pictures:
                first, until_s = pictures[0].data, min(until_s, time.monotonic() + ANOTHER_S)
        return first

    def _frame(self, data: bytes, at_s: float) -> Frame | None:
        cut = is_truncated(data)
        if cut and image_kind(data) is ImageKind.JPEG:
            data += _END_OF_IMAGE  # OpenCV decodes no JPEG without this marker
        picture = decode_sent(data, self._settings.max_side)
        if picture is None:
            return None
        self._seq += 1
        return make_frame(
            picture.image,
            self._settings,
            seq=self._seq - 1,
            at_s=at_s,
            source=self._source,
            source_size=picture.sent_size,
            damaged=cut,
        )


def _whole(stream: HttpStream, until_s: float) -> bytes:
    data = bytearray()
    while len(data) < MAX_PART_BYTES and (left_s := until_s - time.monotonic()) > 0:
        stream.socket.settimeout(left_s)
        if not (more := stream.read1(_READ_BYTES)):
            break
        data += more
        if data.startswith(_START_OF_JPEG) and not is_truncated(bytes(data)):
            break  # some cameras keep the connection open after the picture
    return bytes(data)


def _is_status(error: http.client.HTTPException) -> bool:
    return bool(error.args) and isinstance(error.args[0], int)
