"""The command `picture`: what was assessed last, as JPEG, made once for everybody who wants it."""

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

QUALITY = 80
MOST_A_SECOND = 10.0
SIDES_KEPT = 4
"""Sizes of which the newest print is kept."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A picture as it is sent."""

    sighting: FrameSnapshot
    width: int
    height: int
    jpeg: str
    """Base64."""
    made_at_s: float


class JpegCache:
    """Makes at most ten prints a second, each once. Whoever wants one waits in a thread of their own."""

    def __init__(
        self,
        outlook: LatestFrame,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._outlook = outlook
        self._clock = clock
        self._wait = wait
        self._turn = threading.Lock()
        self._prints: OrderedDict[int, EncodedImage] = OrderedDict()
        self._next_at_s = float("-inf")
        self.made = 0

    def newest(self, side: int, after: int | None) -> EncodedImage:
        """One that is no older than a tenth of a second when others want theirs too.

        Not the one with the number `after`. Raises CommandError before the first picture.
        """
        with self._turn:
            while True:
                sighting = self._outlook.newest
                if sighting is None:
                    raise CommandError("no picture has been assessed yet", "unavailable")
                kept = self._prints.get(side)
                if kept is not None and self._good(kept, sighting, after):
                    return kept
                if (wait_s := self._next_at_s - self._clock()) <= 0:
                    return self._make(sighting, side)
                self._wait(wait_s)

    def _good(self, kept: EncodedImage, newest: FrameSnapshot, after: int | None) -> bool:
        """The newest, or made so recently that no other is due; but never the one that they have."""
        seq = kept.sighting.frame.seq
        recent = self._clock() - kept.made_at_s < 1 / MOST_A_SECOND
        return seq == newest.frame.seq or (recent and seq != after)

    def _make(self, sighting: FrameSnapshot, side: int) -> EncodedImage:
        self._next_at_s = self._clock() + 1 / MOST_A_SECOND
        image = limit_size(sighting.frame.image, side)
        done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            raise CommandError("the picture could not be made a JPEG")
        self.made += 1
        height, width = image.shape[:2]
        text = base64.b64encode(jpeg.tobytes()).decode()
        self._prints[side] = made = EncodedImage(sighting, width, height, text, self._clock())
        self._prints.move_to_end(side)
        while len(self._prints) > SIDES_KEPT:
            self._prints.popitem(last=False)
        return made


class PictureAnswer:
    """Answers `picture`."""

    def __init__(self, outlook: LatestFrame, darkroom: JpegCache, clock: Callable[[], float]) -> None:
        self._outlook = outlook
        self._darkroom = darkroom
        self._clock = clock

    def __call__(self, wanted: PictureCommand) -> Mapping[str, Any]:
        """Raises CommandError."""
        newest = self._outlook.newest
        if newest is not None and newest.frame.seq == wanted.after:
            newest = self._outlook.wait_newer(wanted.after, wanted.wait_s)
            if newest is None:
                return {"seq": wanted.after, "unchanged": True}
        return self._told(self._darkroom.newest(wanted.side, wanted.after))

    def _told(self, made: EncodedImage) -> Mapping[str, Any]:
        now, seen = self._clock(), made.sighting
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
