"""Cameras on the network: RTSP, RTMP, and MJPEG over HTTP, through FFmpeg with as little delay as it can."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import SplitResult

import cv2

from capture.camera import CameraLost, CameraUnusable
from capture.ffmpeg import grab, open_ffmpeg, retrieve
from capture.frame import Frame
from capture.image_file import MAX_PIXELS
from capture.orient import make_frame
from capture.settings import CaptureSettings
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


class StreamCamera:
    """A network camera. Pictures are stamped on arrival; must be read all the time, or they grow old."""

    live = True

    def __init__(
        self, url: str, settings: CaptureSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Connects. Raises CameraUnusable for an address that makes no sense, else CameraLost."""
        target, options = ffmpeg_target(url, settings)
        self._source = redact(url)
        self._settings = settings
        self._clock = clock
        self._seq = 0
        self._patience_s = read_timeout_s(url, settings)
        self._capture = open_ffmpeg(target, options, self._parameters())
        if not self._capture.isOpened():
            raise CameraLost(f"{self._source} {explain_failure(url, _PROBE_S)}")
        if self._is_giant():
            self.close()
            raise CameraUnusable(
                f"{self._source} sends more than {MAX_PIXELS // 10**6} million pixels a frame"
            )

    @property
    def source(self) -> str:
        return self._source

    def read(self) -> Frame | None:
        damaged = grab(self._capture, _TRIES, within_s=self._patience_s)
        at_s = self._clock()
        image = None if damaged is None else retrieve(self._capture)
        if damaged is None or image is None:
            raise CameraLost(f"{self._source} stopped sending pictures; check its power and the network")
        sent_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._seq += 1
        return make_frame(
            image, self._settings, seq=self._seq - 1, at_s=at_s, source=self._source, source_time_s=sent_s
        )

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
    """What FFmpeg is to open, and with which options. Raises CameraUnusable.

    A query or end of `listen` (rtsp://0.0.0.0:8554/cam?listen) waits for a camera that pushes to us.
    """
    parts = _split(url)
    scheme, listens = parts.scheme, _listens(parts)
    target = parts._replace(query="").geturl() if listens else parts.geturl()
    look_s = _RTMP_LOOK_S if scheme.startswith("rtmp") else settings.open_timeout_s
    options = f"{_LOW_LATENCY}|analyzeduration;{round(look_s * 1e6)}"
    if scheme.startswith("rtsp"):
        wait_s = max(1, round(settings.open_timeout_s))
        transport = f"rtsp_flags;listen|listen_timeout;{wait_s}" if listens else "rtsp_transport;tcp"
        return target, f"{transport}|{options}"
    if listens and scheme == "rtmp":
        return target, f"listen;1|{options}"
    return target, options


def explain_failure(url: str, timeout_s: float) -> str:
    """A guess, for people, why an address could not be opened, by knocking at its port."""
    parts = _split(url)
    if _listens(parts):
        return "was not called by any camera; check that the camera pushes to this machine and port"
    where = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        socket.create_connection(where, timeout_s).close()
    except socket.gaierror:
        return "has a host name that is not known here; check the spelling and the network"
    except TimeoutError:
        return "does not answer; check the camera's power and address"
    except OSError as error:
        return f"cannot be reached ({error.strerror}); check the camera's power, address and port"
    return "answers but sends no pictures; check user, password and path"


def _listens(parts: SplitResult) -> bool:
    return parts.query in ("listen", "listen=1")


def _split(url: str) -> SplitResult:
    """The parts of an address that can be opened. Raises CameraUnusable."""
    try:
        return addresses.split(url, PORTS)
    except addresses.AddressError as error:
        shown = redact("".join(url.split()))  # a space would end what is taken for the address
        raise CameraUnusable(f"{shown}: {error}") from error
