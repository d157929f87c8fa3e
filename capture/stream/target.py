"""Builds the address and the options for FFmpeg."""

from __future__ import annotations

from urllib.parse import SplitResult

from capture.camera import CameraUnusable
from capture.http.connection_faults import listens
from capture.settings import CaptureSettings
from common import addresses
from common.redact import redact

PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
"""The schemes that can be read, with their usual ports."""
_RTMP_LOOK_S = 0.3
"""Of RTMP the size comes first, but FFmpeg would go on looking for sound until its time is up."""


def ffmpeg_target(url: str, settings: CaptureSettings) -> tuple[str, dict[str, str]]:
    """The address and options for FFmpeg. Raises CameraUnusable.

    RTSP comes over TCP, or over UDP from cameras that refuse TCP (status 461). A query or end of
    `listen` (rtsp://0.0.0.0:8554/cam?listen) waits for a camera that pushes to us.

    The stream is looked at only until the size of its pictures is known (`fpsprobesize`), not for seconds to
    guess the frame rate. Nor is the look made shorter (`analyzeduration`, `probesize`): if the first key
    frame comes later, the size stays unknown and no picture is ever delivered. And `fflags=nobuffer` is
    not set: it throws that key frame away, which costs the wait for the next one.
    """
    parts = split_address(url)
    scheme, listening = parts.scheme, listens(parts)
    # `?listen` is a mark of ours; FFmpeg would take it for a part of the path.
    target = parts._replace(query="").geturl() if listening else parts.geturl()
    look_s = _RTMP_LOOK_S if scheme.startswith("rtmp") else settings.open_timeout_s
    options = {"flags": "low_delay", "fpsprobesize": "0", "analyzeduration": str(round(look_s * 1e6))}
    if scheme.startswith("rtsp") and listening:
        # FFmpeg takes whole seconds here.
        options |= {"rtsp_flags": "listen", "listen_timeout": str(max(1, round(settings.open_timeout_s)))}
    elif scheme.startswith("rtsp"):
        options["rtsp_flags"] = "prefer_tcp"
    elif listening and scheme == "rtmp":
        options["listen"] = "1"
    return target, options


def read_timeout_s(url: str, settings: CaptureSettings) -> float:
    """Seconds FFmpeg waits for a packet: long for a first key frame, of which MJPEG has no need."""
    if split_address(url).scheme.startswith("http"):
        return settings.stall_s
    return settings.read_timeout_s


def split_address(url: str) -> SplitResult:
    """The parts of an address that can be opened. Raises CameraUnusable."""
    try:
        return addresses.split(url, PORTS)
    except addresses.AddressError as error:
        shown = redact("".join(url.split()))  # FFmpeg would end the address at a space
        raise CameraUnusable(f"{shown}: {error}") from error
