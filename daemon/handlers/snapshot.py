"""The command `picture`: the frame assessed last, as JPEG, encoded once for all clients."""

from __future__ import annotations

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2

from capture.orient import limit_size
from daemon.control.commands import PictureCommand
from daemon.errors import CommandError
from daemon.runtime.latest_frame import FrameSnapshot, LatestFrame

# No visible artefacts at these sizes, and far fewer bytes than with OpenCV's default of 95.
QUALITY = 80
MOST_A_SECOND = 10.0
SIZES_KEPT = 4
"""Sizes of which the newest image is kept."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A frame as it is sent."""

    snapshot: FrameSnapshot
    width: int
    height: int
    jpeg: str
    """Base64."""
    made_at_s: float


class JpegCache:
    """Encodes at most ten images a second, each once. Clients wait in threads of their own."""

    def __init__(
        self,
        latest_frame: LatestFrame,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._latest_frame = latest_frame
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._images: OrderedDict[int, EncodedImage] = OrderedDict()
        self._next_at_s = float("-inf")
        self.made = 0

    def newest(self, side: int, after: int | None) -> EncodedImage:
        """The newest frame, or one up to 0.1 s older if other clients ask too; never frame number `after`.

        Raises CommandError before the first frame.
        """
        # Held while waiting and encoding: other clients of the same frame then find it done.
        with self._lock:
            while True:
                snapshot = self._latest_frame.newest
                if snapshot is None:
                    raise CommandError("no picture has been assessed yet", "unavailable")
                kept = self._images.get(side)
                if kept is not None and self._good(kept, snapshot, after):
                    return kept
                if (wait_s := self._next_at_s - self._clock()) <= 0:
                    return self._make(snapshot, side)
                # Not due yet: look again afterwards, when another frame may be the newest.
                self._wait(wait_s)

    def _good(self, kept: EncodedImage, newest: FrameSnapshot, after: int | None) -> bool:
        """True if `kept` is the newest frame, or if no other is due yet and the client has not got it."""
        seq = kept.snapshot.frame.seq
        recent = self._clock() - kept.made_at_s < 1 / MOST_A_SECOND
        return seq == newest.frame.seq or (recent and seq != after)

    def _make(self, snapshot: FrameSnapshot, side: int) -> EncodedImage:
        self._next_at_s = self._clock() + 1 / MOST_A_SECOND
        image = limit_size(snapshot.frame.image, side)
        done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            raise CommandError("the picture could not be made a JPEG")
        self.made += 1
        height, width = image.shape[:2]
        # Base64: the answer is one line of JSON.
        text = base64.b64encode(jpeg.tobytes()).decode()
        self._images[side] = made = EncodedImage(snapshot, width, height, text, self._clock())
        self._images.move_to_end(side)
        while len(self._images) > SIZES_KEPT:
            self._images.popitem(last=False)
        return made


class PictureAnswer:
    """Answers `picture`."""

    def __init__(self, latest_frame: LatestFrame, cache: JpegCache, clock: Callable[[], float]) -> None:
        self._latest_frame = latest_frame
        self._cache = cache
        self._clock = clock

    def __call__(self, wanted: PictureCommand) -> Mapping[str, Any]:
        """Raises CommandError."""
        newest = self._latest_frame.newest
        # The client has the newest picture: wait here instead of letting it ask again and again.
        if newest is not None and newest.frame.seq == wanted.after:
            newest = self._latest_frame.wait_newer(wanted.after, wanted.wait_s)
            if newest is None:
                return {"seq": wanted.after, "unchanged": True}
        return self._as_json(self._cache.newest(wanted.side, wanted.after))

    def _as_json(self, made: EncodedImage) -> Mapping[str, Any]:
        now, seen = self._clock(), made.snapshot
        return {
            "seq": seen.frame.seq,
            "t": round(seen.frame.captured_at_s, 3),
            "age_s": round(now - seen.frame.captured_at_s, 3),
            "width": made.width,
            "height": made.height,
            "jpeg": made.jpeg,
            "probabilities": dict(zip(seen.names, seen.smoothed.round(4).tolist(), strict=True)),
            "active": [
                {
                    "hazard": name,
                    "severity": one.severity.name.lower(),
                    "direction": one.direction,
                    "since_s": round(now - one.alerted_at_s, 1),
                    "alert": one.alert_id,
                }
                for name, one in seen.active.items()
            ],
        }
