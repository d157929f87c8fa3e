"""Opens videos and streams through OpenCV's FFmpeg, with FFmpeg's own messages switched off.

The program reports each error itself, in one line.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from capture.frame import Image

_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; read once, at FFmpeg's first use
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def open_ffmpeg(target: str, options: str = "", parameters: Sequence[int] = ()) -> cv2.VideoCapture:
    """Return a capture of `target`, opened or not (see `isOpened`). `parameters`: (property, value, ...).

    `options` are FFmpeg's, as `key;value|key;value`. OpenCV takes them from the environment only, so
    captures with different options must not be opened at the same moment.
    """
    if os.environ.get(_OPTIONS, "") != options:
        os.environ[_OPTIONS] = options
    try:
        return cv2.VideoCapture(target, cv2.CAP_FFMPEG, list(parameters))
    except cv2.error:
        return cv2.VideoCapture()


def open_file(path: Path) -> cv2.VideoCapture:
    """Return a capture of a file, opened or not. Raises OSError if the file cannot be read."""
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError:
        # OpenCV crashes on a name that is not UTF-8, so it gets the path of a file descriptor instead.
        with path.open("rb") as file:
            return open_ffmpeg(f"/proc/self/fd/{file.fileno()}")
    return open_ffmpeg(name)


def grab(capture: cv2.VideoCapture, tries: int, within_s: float = math.inf) -> int | None:
    """Advance to the next picture. Return how many damaged ones were skipped; None if there is no next one.

    OpenCV does not tell an undecodable packet from the end of a stream. So the stream counts as ended after
    `tries` failures in a row (at an end they come at once), or after `within_s` seconds of failures.
    """
    give_up_s = time.monotonic() + within_s
    for damaged in range(tries):
        try:
            found = capture.grab()
        except cv2.error:
            return None
        if time.monotonic() >= give_up_s:
            return None  # even if found: after its timeout FFmpeg delivers an old picture from its buffer
        if found:
            return damaged
    return None


def retrieve(capture: cv2.VideoCapture) -> Image | None:
    """Decode the picture that was grabbed last; None if its colours cannot be converted."""
    try:
        found, image = capture.retrieve()
    except cv2.error:
        return None
    return np.asarray(image, dtype=np.uint8) if found else None
