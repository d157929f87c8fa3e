"""Cameras on the network: MJPEG by a reader of our own; RTSP, RTMP and the rest through FFmpeg."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import SplitResult

import cv2

from capture.camera import CameraLate, CameraLost, CameraUnusable
from capture.ffmpeg import grab, open_ffmpeg, retrieve
from capture.frame import Frame
from capture.http.camera import open_http_camera
from capture.http.connection_faults import explain_failure, listens
from capture.http.mjpeg import MjpegCamera
from capture.http.snapshot import SnapshotCamera
from capture.image_file import MAX_PIXELS
from capture.orient import make_frame
from capture.settings import CaptureSettings
from capture.source_clock import SourceClock
from capture.waiting import WaitMeter
from common import addresses
from common.redact import redact

PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
"""The schemes that can be read, with their usual ports."""
_LOW_LATENCY = "flags;low_delay|fpsprobesize;0"
"""Look at the stream only until the size of its pictures is known, not for seconds to guess the frame rate.

Not shorter (analyzeduration, probesize) either: where the first key frame comes later than the look, the
size stays unknown and no picture is ever delivered. And not `fflags;nobuffer`: it throws that key frame
away, which costs the wait for the next one.
"""
_RTMP_LOOK_S = 0.3
"""Of RTMP the size comes first, but FFmpeg would go on looking for sound until its time is up."""
_TRIES = 3000
"""Failures in a row before a stream counts as lost, where they come at once. Each packet ahead of the first
key frame is one, as is each damaged picture; those take their time, which has its own limit."""
_PROBE_S = 1.0
_WAITED_S = 0.005
"""A grab that waited longer found nothing that had been there before."""
_TOO_OLD_S = 2.0
"""Pictures that are later mean that this machine decodes slower than the camera sends."""
_OLD_FOR_S = 1.0
"""Seconds that they must have been too old, before the stream is opened again at its newest."""
_REOPEN_PAUSE_S = 15.0
"""Seconds between two such reopenings at least: each costs the wait for a key frame."""


def open_network_camera(
    url: str, settings: CaptureSettings, clock: Callable[[], float] = time.monotonic
) -> MjpegCamera | SnapshotCamera | StreamCamera:
    """The camera at an address. Raises CameraUnusable for one that makes no sense, else CameraLost."""
    parts = _split(url)
    camera = open_http_camera(parts, settings, clock) if parts.scheme.startswith("http") else None
    return camera or StreamCamera(url, settings, clock)


class StreamCamera:
    """A network camera through FFmpeg, which decodes every picture in the order it was sent.

    Their age is known from the stream's own times. If this machine is too slow for them, the stream is opened
    again, which begins with the newest.
    """

    live = True

    def __init__(
        self, url: str, settings: CaptureSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Connects. Raises CameraUnusable for an address that makes no sense, else CameraLost."""
        target, options = ffmpeg_target(url, settings)
        parts = _split(url)
        self._source = redact(url.strip())
        self._settings = settings
        self._clock = clock
        self._seq = 0
        self._source_clock = SourceClock()
        self._meter = WaitMeter()
        self._captured_s = -1.0
        self._old_since_s: float | None = None
        self._opened_s = clock()
        self._patience_s = read_timeout_s(url, settings)
        self._capture = open_ffmpeg(target, options, self._parameters())
        if not self._capture.isOpened():
            raise CameraLost(f"{self._source} {explain_failure(parts, PORTS[parts.scheme], _PROBE_S)}")
        if self._is_giant():
            self.close()
            raise CameraUnusable(
                f"{self._source} sends more than {MAX_PIXELS // 10**6} million pixels a frame"
            )

    @property
    def source(self) -> str:
        return self._source

    def read(self) -> Frame | None:
        self._meter.begin()
        damaged = grab(self._capture, _TRIES, within_s=self._patience_s)
        waited_s = self._meter.waited_s()
        at_s = self._clock()
        image = None if damaged is None else retrieve(self._capture)
        if damaged is None or image is None:
            raise CameraLost(f"{self._source} stopped sending pictures; check its power and the network")
        sent_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._seq += 1
        delay_s = self._source_clock.delay_s(sent_s, at_s, caught_up=waited_s > _WAITED_S)
        self._catch_up(delay_s, at_s)
        # Never before the picture before it, or what follows could not rely on time going on.
        self._captured_s = max(self._captured_s, at_s - delay_s)
        return make_frame(
            image,
            self._settings,
            seq=self._seq - 1,
            at_s=self._captured_s,
            source=self._source,
            source_time_s=sent_s,
        )

    def _catch_up(self, delay_s: float, now: float) -> None:
        """Raises CameraLate if pictures have been too old for a while."""
        if delay_s <= _TOO_OLD_S:
            self._old_since_s = None
            return
        if self._old_since_s is None:
            self._old_since_s = now
        if now - self._old_since_s > _OLD_FOR_S and now - self._opened_s > _REOPEN_PAUSE_S:
            raise CameraLate(f"{self._source} is {delay_s:.1f} s behind; opening it again at its newest")

    def close(self) -> None:
        self._capture.release()

    def _parameters(self) -> list[int]:
        return [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            round(self._settings.open_timeout_s * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            round(self._patience_s * 1000),
            # Each further decoding thread would hold back one more frame.
            cv2.CAP_PROP_N_THREADS,
            1,
        ]

    def _is_giant(self) -> bool:
        width = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        return width * self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT) > MAX_PIXELS


def read_timeout_s(url: str, settings: CaptureSettings) -> float:
    """Seconds FFmpeg waits for a picture: long for a first key frame, of which MJPEG has no need."""
    if _split(url).scheme.startswith("http"):
        return settings.stall_s
    return settings.read_timeout_s


def ffmpeg_target(url: str, settings: CaptureSettings) -> tuple[str, str]:
    """The address and options for FFmpeg. Raises CameraUnusable.

    RTSP comes over TCP, or over UDP from cameras that refuse TCP (status 461). A query or end of
    `listen` (rtsp://0.0.0.0:8554/cam?listen) waits for a camera that pushes to us.
    """
    parts = _split(url)
    scheme, listening = parts.scheme, listens(parts)
    target = parts._replace(query="").geturl() if listening else parts.geturl()
    look_s = _RTMP_LOOK_S if scheme.startswith("rtmp") else settings.open_timeout_s
    options = f"{_LOW_LATENCY}|analyzeduration;{round(look_s * 1e6)}"
    if scheme.startswith("rtsp"):
        wait_s = max(1, round(settings.open_timeout_s))
        transport = f"rtsp_flags;listen|listen_timeout;{wait_s}" if listening else "rtsp_flags;prefer_tcp"
        return target, f"{transport}|{options}"
    if listening and scheme == "rtmp":
        return target, f"listen;1|{options}"
    return target, options


def _split(url: str) -> SplitResult:
    """The parts of an address that can be opened. Raises CameraUnusable."""
    try:
        return addresses.split(url, PORTS)
    except addresses.AddressError as error:
        shown = redact("".join(url.split()))  # a space would end what is taken for the address
        raise CameraUnusable(f"{shown}: {error}") from error
