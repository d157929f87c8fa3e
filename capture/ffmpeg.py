"""Opening videos and streams through OpenCV's FFmpeg, quietly: errors are reported by this program, in one
line.
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
    """A capture of `target`, opened or not (ask `isOpened`); `parameters` are (property, value, ...).

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
    """A capture of a file, opened or not. Raises OSError if it cannot be read."""
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError:
        # OpenCV crashes on a name that is no UTF-8: the file is opened by its number instead.
        with path.open("rb") as file:
            return open_ffmpeg(f"/proc/self/fd/{file.fileno()}")
    return open_ffmpeg(name)


def grab(capture: cv2.VideoCapture, tries: int, within_s: float = math.inf) -> int | None:
    """Advance to the next picture; how many damaged ones were passed over, None if there is no next.

    OpenCV reports one undecodable packet and the end of a stream alike, so only many failures in a row
    (they come at once at an end), or `within_s` seconds of them, mean that nothing more will come.
    """
    give_up_s = time.monotonic() + within_s
    for damaged in range(tries):
        try:
            found = capture.grab()
        except cv2.error:
            return None
        if time.monotonic() >= give_up_s:
            return None  # even if found: when FFmpeg's time is up it flushes out a picture that is as old
        if found:
            return damaged
    return None


def retrieve(capture: cv2.VideoCapture) -> Image | None:
    """The picture grabbed last; None if its colours cannot be converted."""
    try:
        found, image = capture.retrieve()
    except cv2.error:
        return None
    return np.asarray(image, dtype=np.uint8) if found else None
