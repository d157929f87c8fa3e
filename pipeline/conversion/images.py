"""Pictures to test and to quantise with: drawn ones, and frames that the user gives."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.models.preprocess import letterbox, resize
from pipeline.store.errors import PrepareError

Picture = NDArray[np.uint8]
MOST_FRAMES = 96
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def drawn_images(width: int, height: int) -> list[Picture]:
    """Six pictures unlike each other, the same every time."""
    dice = np.random.default_rng(20240229)
    across = np.linspace(0, 255, width, dtype=np.float32)[None, :, None]
    down = np.linspace(0, 255, height, dtype=np.float32)[:, None, None]
    grey = np.full((height, width, 3), 127, np.uint8)
    slope = np.concatenate([across + 0 * down, down + 0 * across, 255 - across + 0 * down], axis=2)
    blobs = cv2.resize(dice.integers(0, 256, (6, 6, 3), dtype=np.uint8), (width, height))
    noise = dice.integers(0, 256, (height, width, 3), dtype=np.uint8)
    # One pixel more a tile than fits, then cut: 8 tiles cover any size.
    tiles = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((height // 8 + 1, width // 8 + 1)))[
        :height, :width
    ]
    chess = np.repeat((tiles * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    sun = np.ascontiguousarray(
        cv2.circle(grey.copy(), (width // 3, height // 3), height // 5, (0, 160, 255), -1)
    )
    return [np.ascontiguousarray(p, np.uint8) for p in (grey, slope, blobs, noise, chess, sun)]


def given_images(path: Path | None, width: int, height: int, fit: str) -> list[Picture]:
    """Up to 96 frames of a video or a folder, spread evenly, at the network's size. Raises PrepareError."""
    if path is None:
        return []
    raw = _folder(path) if path.is_dir() else _video(path)
    if not raw:
        raise PrepareError(f"{path} holds no pictures")
    shape = letterbox if fit == "letterbox" else resize
    return [shape(picture, width, height) for picture in raw]


def _folder(path: Path) -> list[Picture]:
    names = sorted(p for p in path.rglob("*") if p.suffix.lower() in _ENDINGS)
    step = max(1, len(names) // MOST_FRAMES)
    read = (cv2.imread(str(name), cv2.IMREAD_COLOR) for name in names[::step][:MOST_FRAMES])
    return [np.asarray(picture, np.uint8) for picture in read if picture is not None]


def _video(path: Path) -> list[Picture]:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        step = max(1, int(video.get(cv2.CAP_PROP_FRAME_COUNT)) // MOST_FRAMES)
        frames: list[Picture] = []
        index = 0
        while len(frames) < MOST_FRAMES and video.grab():
            if index % step == 0 and (decoded := video.retrieve())[0]:
                frames.append(np.asarray(decoded[1], np.uint8))
            index += 1
    finally:
        video.release()
    return frames
