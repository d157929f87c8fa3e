"""Opening videos and streams through OpenCV's FFmpeg, quietly: what goes wrong is told by us, in one line."""

from __future__ import annotations

import os
from collections.abc import Sequence

import cv2

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
