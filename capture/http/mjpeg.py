"""MJPEG over HTTP by a reader of our own: it receives everything at once and decodes only the newest.

OpenCV decodes every picture in the order it was sent. On a busy machine that takes longer than they come, and
the picture is then seconds old, without a sign of it.
"""

from __future__ import annotations

import array
import contextlib
import email.message
import fcntl
import http.client
import ssl
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from capture.camera import CameraLost, CameraUnusable
from capture.frame import Frame, Image
from capture.http.multipart import MultipartSplitter, SentPicture
from capture.http.stream import HttpStream
from capture.image_file import MAX_PIXELS, decode_reduced
from capture.orient import make_frame
from capture.settings import CaptureSettings
from capture.source_clock import SourceClock, StampTrust
from common.image_header import read_header

_READ_BYTES = 1 << 20
_END_OF_IMAGE = b"\xff\xd9"
_DAMAGED_S = 0.4
"""Seconds between two half pictures that are decoded: of each the decoder complains on standard error."""
_LATEST_S = 0.3
"""Seconds after which a picture is passed on even though newer ones wait in the socket."""
_WAITED_S = 0.001
"""A read that took longer had to wait for the camera; one from the socket takes microseconds."""
_GAP_FACTOR = 2.5
"""A camera that sends rarely is lost after so many of its own intervals."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    part: SentPicture
    at_s: float
    """When it had arrived."""
    count: int
    """Pictures received up to this one."""
    caught_up: bool
    """Nothing newer was waiting behind it, and it had to be waited for."""
    backlog_s: float
    """By how much what waits behind it is newer."""


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A picture of a camera."""

    image: Image
    """BGR uint8; perhaps reduced, see `decode_sent`."""
    sent_size: tuple[int, int]
    """Width and height as the camera sent it."""


def boundary_of(content_type: str) -> str | None:
    """The boundary of a multipart stream, empty if none is announced; None if the answer is no stream."""
    message = email.message.Message()
    message["Content-Type"] = content_type
    if message.get_content_maintype() != "multipart":
        return None
    return message.get_boundary() or ""


class MjpegCamera:
    """Receives in a thread of its own; `read` decodes the newest picture and counts the skipped ones."""

    live = True

    def __init__(
        self,
        stream: HttpStream,
        source: str,
        settings: CaptureSettings,
        clock: Callable[[], float],
        already: bytes = b"",
        trust: StampTrust | None = None,
    ) -> None:
        """Takes over the stream and waits for its first picture.

        `source`: its name, redacted. `already`: bytes of it that have been read; no picture of them is shown.
        `trust`: of its time stamps, from earlier connections. Raises CameraLost.
        """
        self._stream = stream
        self._source = source
        self._settings = settings
        self._clock = clock
        self._splitter = MultipartSplitter(boundary_of(stream.content_type))
        self._already = already
        self._source_clock = SourceClock(trust)
        self._changed = threading.Condition()
        self._newest: _Arrival | None = None
        self._ended: str | None = None
        self._count = 0
        self._bytes_per_s = 0.0
        self._last_at_s: float | None = None
        self._gap_s: float | None = None
        self._captured_s = -1.0
        self._damaged_s = float("-inf")
        # A picture may be late by one patience; the socket itself must not block for longer.
        stream.socket.settimeout(settings.read_timeout_s)
        self._thread = threading.Thread(target=self._receive, name="mjpeg", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._ended is not None, settings.open_timeout_s)
        if self._newest is None:
            self.close()
            raise CameraLost(f"{source} answers but sends no pictures that can be read; restart the camera")

    @property
    def source(self) -> str:
        return self._source

    def read(self) -> Frame | None:
        # A picture that cannot be decoded is skipped; a camera that sends nothing else is lost.
        until_s = time.monotonic() + self._patience_s()
        while True:
            arrival = self._wait(until_s - time.monotonic())
            picture = self._decode(arrival)
            if picture is not None:
                return self._frame(arrival, picture)
            if time.monotonic() > until_s:
                raise CameraLost(f"{self._source} sends pictures that cannot be decoded; restart the camera")

    def is_over(self, within_s: float) -> bool:
        """True if the answer ends after its first picture, within a moment: it is no stream."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > 1 or self._ended is not None, within_s)
            return self._count == 1 and self._ended is not None

    def close(self) -> None:
        self._stream.close()
        # Bounded: the thread may wait in the socket. It is released only once the thread no longer uses it.
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._stream.release()

    def _decode(self, arrival: _Arrival) -> DecodedPicture | None:
        """The picture; half of one with its rest made up, now and then: its upper part may show a danger."""
        data = arrival.part.data
        if arrival.part.damaged:
            if arrival.at_s - self._damaged_s < _DAMAGED_S:
                return None
            self._damaged_s = arrival.at_s
            data += _END_OF_IMAGE  # without an end nothing is decoded
        return decode_sent(data, self._settings.max_side)

    def _patience_s(self) -> float:
        """Seconds to wait for a picture: a camera that sends one every few seconds is not lost."""
        if self._gap_s is None:
            return self._settings.read_timeout_s
        return max(self._settings.stall_s, min(_GAP_FACTOR * self._gap_s, self._settings.read_timeout_s))

    def _wait(self, seconds: float) -> _Arrival:
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._ended is not None, max(0.0, seconds))
            arrival, self._newest = self._newest, None
            if arrival is not None:
                return arrival
            why = self._ended or "stopped sending pictures"
        raise CameraLost(f"{self._source} {why}; check its power and the network")

    def _frame(self, arrival: _Arrival, picture: DecodedPicture) -> Frame:
        age_s = arrival.backlog_s
        if arrival.part.sent_s is not None:
            age_s = max(
                age_s,
                self._source_clock.delay_s(arrival.part.sent_s, arrival.at_s, caught_up=arrival.caught_up),
            )
        # Never before the picture before it, or what follows could not rely on time going on.
        self._captured_s = max(self._captured_s, arrival.at_s - age_s)
        return make_frame(
            picture.image,
            self._settings,
            seq=arrival.count - 1,
            at_s=self._captured_s,
            source=self._source,
            source_size=picture.sent_size,
            source_time_s=arrival.part.sent_s,
            damaged=arrival.part.damaged,
        )

    # The receiving thread

    def _receive(self) -> None:
        try:
            self._receive_all()
            why = "stopped sending pictures"
        except (OSError, ValueError, ssl.SSLError, http.client.HTTPException):
            why = "stopped sending pictures"
        except MemoryError:
            why = "cannot be read: this machine has no memory left"
        with self._changed:
            self._ended = why
            self._changed.notify_all()

    def _receive_all(self) -> None:
        count, published_s = len(self._splitter.feed(self._already)), 0.0
        asked_s = before_s = self._clock()
        while data := self._stream.read1(_READ_BYTES):
            now = self._clock()
            waited = now - asked_s > _WAITED_S
            self._measure(len(data), now - before_s)
            before_s = now
            parts = self._splitter.feed(data)
            count += len(parts)
            if parts:
                with self._changed:
                    # Counted under the lock even if nothing is published: `is_over` waits for the second
                    # picture.
                    self._count = count
                    self._changed.notify_all()
            waiting = self._waiting_bytes()
            # What waits is likely a newer picture: take it first, so that no old one is decoded.
            if parts and (waiting < len(parts[-1].data) or now - published_s > _LATEST_S):
                self._note_gap(now)
                published_s = now
                backlog_s = waiting / self._bytes_per_s if self._bytes_per_s else 0.0
                self._publish(_Arrival(parts[-1], now, count, waited and not waiting, backlog_s))
            asked_s = self._clock()

    def _measure(self, count: int, seconds: float) -> None:
        """Smooth the rate of arrival, bytes a second, over about two seconds."""
        if seconds <= 0:
            return
        # By time, not by reads: pieces arrive in sizes from a few bytes to a megabyte.
        share = min(1.0, seconds / 2.0)
        self._bytes_per_s += share * (count / seconds - self._bytes_per_s)

    def _note_gap(self, now: float) -> None:
        if self._last_at_s is not None:
            self._gap_s = now - self._last_at_s
        self._last_at_s = now

    def _publish(self, arrival: _Arrival) -> None:
        with self._changed:
            self._newest = arrival
            self._changed.notify_all()

    def _waiting_bytes(self) -> int:
        """Bytes that have arrived and wait in the socket."""
        size = array.array("i", [0])
        with contextlib.suppress(OSError, ValueError):
            fcntl.ioctl(self._stream.socket.fileno(), termios.FIONREAD, size)
        return size[0]


def decode_sent(data: bytes, max_side: int) -> DecodedPicture | None:
    """Decode a picture of a camera; one much larger than `max_side` at a fraction of its size.

    Returns None if it cannot be decoded or is too large to be.
    """
    # The size stands near the start; no need to walk through every segment of each picture.
    header = read_header(data[:65536])
    if header is not None and header.pixels > MAX_PIXELS:
        return None
    try:
        # `capture.rotate` alone turns a camera's pictures; an EXIF tag in some of them would turn those
        # twice.
        image = decode_reduced(data, header, max_side, upright=False)
    except CameraUnusable:
        return None
    return DecodedPicture(
        image, (header.width, header.height) if header else (image.shape[1], image.shape[0])
    )
