"""Network cameras through PyAV: RTSP, RTMP, and what FFmpeg reads over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable

import av
import numpy as np
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from capture.camera import CameraLate, CameraLost, CameraUnusable
from capture.frame import Frame, Image
from capture.http.connection_faults import explain_failure
from capture.image_file import MAX_PIXELS
from capture.orient import limited_size, make_frame
from capture.settings import CaptureSettings
from capture.source_clock import SourceClock, StampTrust
from capture.stream.backlog import Arrived
from capture.stream.demuxer import Arrival, Demuxer, VideoPacket
from capture.stream.target import PORTS, ffmpeg_target, read_timeout_s, split_address
from common.redact import redact

_PROBE_S = 1.0
_BEHIND_S = 0.1
"""While a backlog of more waits, pictures are decoded but not passed on, which would cost more time."""
_PASS_ON_S = 0.4
"""Seconds of `read` after which a picture is passed on even then."""


class StreamCamera:
    """A thread receives packets; `read` decodes up to the newest picture and counts those that it skips.

    The age of a picture is the time since its packet arrived, plus the delay of the packet against the
    stream's own time stamps.
    """

    live = True

    def __init__(
        self,
        url: str,
        settings: CaptureSettings,
        clock: Callable[[], float] = time.monotonic,
        trust: StampTrust | None = None,
    ) -> None:
        """Connect. `trust`: of the time stamps, from earlier connections.

        Raises CameraUnusable for an invalid address, CameraLost for any other failure.
        """
        self._source = redact(url.strip())
        self._settings = settings
        self._clock = clock
        self._seq = -1
        self._captured_s = -1.0
        self._source_clock = SourceClock(trust)
        self._patience_s = read_timeout_s(url, settings)
        container = _open(url, settings, self._source, self._patience_s)
        self._codec = _video_codec(container, self._source)
        self._demuxer = Demuxer(container, read_timeout_s=self._patience_s, clock=clock)

    @property
    def source(self) -> str:
        return self._source

    def read(self) -> Frame | None:
        """Return the newest picture that has arrived, or the next. Raises CameraLost, CameraUnusable."""
        begun_s = self._clock()
        while True:
            left_s = begun_s + self._patience_s - self._clock()
            if left_s <= 0:  # packets come, but no picture of them
                raise CameraLost(f"{self._source} sends pictures that cannot be decoded; restart the camera")
            arrived = self._take(left_s)
            pictures = self._decode(arrived)
            behind = self._demuxer.backlog_s() > _BEHIND_S and self._clock() - begun_s < _PASS_ON_S
            if pictures and not behind:
                return self._frame(pictures[-1])

    def close(self) -> None:
        self._demuxer.close()

    def _take(self, within_s: float) -> Arrived[VideoPacket]:
        arrived = self._demuxer.take(within_s)
        if arrived is not None:
            return arrived
        if self._demuxer.needs_key:
            raise CameraLate(
                f"{self._source} sends more than this machine decodes, and no key frame to go on at; "
                "opening it again at its newest"
            )
        raise CameraLost(f"{self._source} stopped sending pictures; check its power and the network")

    def _decode(self, arrived: Arrived[VideoPacket]) -> list[VideoFrame]:
        """The pictures that a packet completes; none if it is damaged."""
        if arrived.restarts:
            # The decoder's reference pictures are from before the gap.
            self._codec.flush_buffers()
        try:
            return self._codec.decode(arrived.packet)
        except av.FFmpegError:
            return []  # a damaged packet; the reader reports it if no picture follows

    def _frame(self, picture: VideoFrame) -> Frame:
        if picture.width * picture.height > MAX_PIXELS:
            raise _giant(self._source)
        arrival, sent_s = picture.opaque, picture.time
        assert isinstance(arrival, Arrival)
        delay_s = 0.0
        if sent_s is not None:
            delay_s = self._source_clock.delay_s(sent_s, arrival.at_s, caught_up=arrival.caught_up)
        # Never earlier than the picture before: the detector and the core rely on rising times.
        self._captured_s = max(self._captured_s, arrival.at_s - delay_s)
        # Packets without a picture count as skipped, and no number is used twice.
        self._seq = max(self._seq + 1, arrival.number)
        return make_frame(
            bgr(picture, self._settings.max_side),
            self._settings,
            source_size=(picture.width, picture.height),
            seq=self._seq,
            at_s=self._captured_s,
            source=self._source,
            source_time_s=sent_s,
            damaged=picture.is_corrupt,
        )


def bgr(picture: VideoFrame, max_side: int) -> Image:
    """The picture as BGR, scaled down to `max_side` if it is larger."""
    width, height = limited_size(picture.width, picture.height, max_side)
    if (width, height) == (picture.width, picture.height):
        return np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    # In one step with the conversion of colours: a third of the time for 4K, and no copy in full size.
    small = picture.to_ndarray(format="bgr24", width=width, height=height, interpolation="AREA")
    return np.asarray(small, np.uint8)


def _open(url: str, settings: CaptureSettings, source: str, patience_s: float) -> InputContainer:
    parts = split_address(url)
    target, options = ffmpeg_target(url, settings)
    try:
        return av.open(target, options=options, timeout=(settings.open_timeout_s, patience_s))
    except av.FFmpegError:
        raise CameraLost(f"{source} {explain_failure(parts, PORTS[parts.scheme], _PROBE_S)}") from None


def _video_codec(container: InputContainer, source: str) -> VideoCodecContext:
    """The decoder of the first video stream. Raises CameraLost, CameraUnusable."""
    if not container.streams.video:
        container.close()
        raise CameraLost(f"{source} answers but sends no pictures; set it to send video")
    codec = container.streams.video[0].codec_context
    if codec.width * codec.height > MAX_PIXELS:
        container.close()
        raise _giant(source)
    codec.thread_count = 1  # each further thread would delay pictures by one more
    # Carries the `Arrival` from a packet to the picture made of it.
    codec.copy_opaque = True
    return codec


def _giant(source: str) -> CameraUnusable:
    return CameraUnusable(f"{source} sends more than {MAX_PIXELS // 10**6} million pixels a frame")
