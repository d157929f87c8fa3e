"""Cameras that are files: a video, a folder of pictures, one picture. Times are stream seconds."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np

from capture.camera import CameraUnusable
from capture.ffmpeg import grab, open_file, retrieve
from capture.formats.display_matrix import find_flip, flip_image
from capture.formats.foreign import HEAD_BYTES, foreign_format
from capture.frame import Frame
from capture.image_file import MAX_PIXELS, NOT_A_PICTURE, PICTURE_SUFFIXES, load_image, require_file
from capture.image_folder import FolderContent, list_folder
from capture.orient import make_frame
from capture.settings import CaptureSettings
from capture.timestamps import TimestampRepair
from common.image_header import image_kind
from common.plain_text import escaped

_log = logging.getLogger(__name__)
_NAMED = 5
"""Broken pictures named one by one in a notice; the rest are counted."""
_TRIES = 500
"""Damaged pictures in a row after which a video counts as ended; each takes microseconds."""
_AV1 = cv2.VideoWriter.fourcc(*"AV01")
_SHORT_S = 0.5
"""Seconds a video may fall short of its announced length; some headers count a frame or two too many."""


class VideoFile:
    """Every frame of a video or animated GIF, stamped with the container's own times."""

    live = False

    def __init__(self, path: Path, settings: CaptureSettings) -> None:
        """Opens the file and decodes its first frame. Raises CameraUnusable with the cure."""
        self._path = require_file(path)
        self._source = escaped(str(path))
        self._settings = settings
        self._refuse_pictures()
        self._flip = find_flip(self._path)
        self._capture = open_file(self._path)
        self._stamps = TimestampRepair(self._capture.get(cv2.CAP_PROP_FPS))
        self._announced = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._damage: str | None = None
        self._damaged = 0
        self._ended = False
        # Decoded here: a broken file often opens without an error, and only its first picture shows that it
        # is broken. A giant is never decoded, because one picture of it could exhaust the memory.
        self._first = None if self._is_giant() else self._decode()
        if self._first is None:
            reason = self._why_unusable()
            self.close()
            raise CameraUnusable(f"{self._source} {reason}")

    @property
    def source(self) -> str:
        return self._source

    @property
    def damage(self) -> str | None:
        """One line about missing frames, known once the file has ended; None if it was whole."""
        return self._damage

    def read(self) -> Frame | None:
        frame, self._first = self._first, None
        frame = frame or self._decode()
        if frame is None and not self._ended:
            self._ended = True
            self._damage = self._shortfall()
            if self._damage:
                _log.warning(self._damage)
        return frame

    def close(self) -> None:
        self._capture.release()

    def _refuse_pictures(self) -> None:
        """Of a HEIC file FFmpeg would only find that it holds no frame."""
        with self._path.open("rb") as file:
            if foreign := foreign_format(file.read(HEAD_BYTES)):
                raise CameraUnusable(f"{self._source} {foreign.refusal}")

    def _is_picture(self) -> bool:
        with self._path.open("rb") as file:
            return image_kind(file.read(HEAD_BYTES)) is not None

    def _is_giant(self) -> bool:
        width = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        return width * self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT) > MAX_PIXELS

    def _why_unusable(self) -> str:
        # Its name is a picture's, and its bytes are of none: a web page that was saved, for example.
        if self._path.suffix.lower() in PICTURE_SUFFIXES and not self._is_picture():
            return NOT_A_PICTURE
        if not self._capture.isOpened():
            return "is not a video that can be decoded; copy it again, or convert it to MP4"
        if self._is_giant():
            return f"has more than {MAX_PIXELS // 10**6} million pixels a frame; scale it down"
        if self._capture.get(cv2.CAP_PROP_FOURCC) == _AV1:
            return "is AV1 video, which cannot be read; convert it (ffmpeg -i IN -c:v libx264 OUT.mp4)"
        return "holds no picture that can be decoded; it is damaged, copy it again"

    def _decode(self) -> Frame | None:
        damaged = grab(self._capture, _TRIES)
        image = None if damaged is None else retrieve(self._capture)
        if damaged is None or image is None:
            return None
        image = np.asarray(flip_image(image, self._flip), dtype=np.uint8)
        # Counted only once a good picture follows: failures at the end are the end, not damage.
        self._damaged += damaged
        at_s = self._stamps.next(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        seq = self._stamps.count - 1
        return make_frame(image, self._settings, seq=seq, at_s=at_s, source=self.source, source_time_s=at_s)

    def _shortfall(self) -> str | None:
        """The message if frames are missing: amid the file, or well before its announced length."""
        announced_s, end_s, count = (
            self._announced * self._stamps.interval_s,
            self._stamps.end_s,
            self._stamps.count,
        )
        # Both conditions: with a variable frame rate the announced length is wrong although every frame came.
        if count < self._announced and announced_s - end_s > _SHORT_S:
            return (
                f"{self._source} announces {announced_s:.1f} s but only {end_s:.1f} s ({count} frames) "
                "could be decoded; unless trimmed on purpose it is damaged"
            )
        if self._damaged:
            return (
                f"{self._source} is damaged: {self._damaged} of {count + self._damaged} frames were skipped"
            )
        return None


class ImageFolder:
    """The pictures of a folder in natural order, `folder_fps` a second; or one picture alone."""

    live = False

    def __init__(self, path: Path, settings: CaptureSettings) -> None:
        """Lists the folder and decodes its first good picture. Raises CameraUnusable with the cure."""
        self._source = escaped(str(path))
        self._settings = settings
        content = list_folder(path) if path.is_dir() else FolderContent((require_file(path),), {})
        self._pictures = content.images
        self._left_out = content.notice
        if self._left_out:
            _log.warning("%s: %s", self._source, self._left_out)
        self._broken: list[str] = []
        # A generator, so that a folder of thousands of pictures holds one at a time in memory.
        self._frames = self._load()
        self._first = next(self._frames, None)
        if self._first is None:
            raise CameraUnusable(self._hopeless())

    @property
    def source(self) -> str:
        return self._source

    @property
    def skipped(self) -> int:
        """Pictures that could not be read so far."""
        return len(self._broken)

    @property
    def damage(self) -> str | None:
        """One line about files left out and pictures skipped so far; None if there were none."""
        if not self._broken:
            return self._left_out
        more = "; ..." if len(self._broken) > _NAMED else ""
        reasons = "; ".join(self._broken[:_NAMED])
        skipped = f"{len(self._broken)} of {len(self._pictures)} pictures were skipped: {reasons}{more}"
        return f"{skipped}; {self._left_out}" if self._left_out else skipped

    def read(self) -> Frame | None:
        frame, self._first = self._first, None
        return frame or next(self._frames, None)

    def close(self) -> None:
        self._frames.close()

    def _load(self) -> Generator[Frame, None, None]:
        seq = 0
        for path in self._pictures:
            try:
                image, size = load_image(path, self._settings.max_side)
            except CameraUnusable as error:
                self._broken.append(str(error))
                _log.warning("picture skipped: %s", error)
                continue
            # `seq` counts good pictures only: a broken one leaves no gap in time.
            at_s = seq / self._settings.folder_fps
            yield make_frame(
                image,
                self._settings,
                seq=seq,
                at_s=at_s,
                source=self.source,
                # The decoder may have scaled a JPEG down already, so the array no longer shows the size on
                # disk.
                source_size=size,
                source_time_s=at_s,
            )
            seq += 1

    def _hopeless(self) -> str:
        if len(self._pictures) == 1:
            return self._broken[0]
        return f"{self._source}: none of its {len(self._pictures)} pictures can be read; {self._broken[0]}"
