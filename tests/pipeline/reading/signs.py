"""Rendered signs, and the reading model of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from capture.frame import Image
from daemon import paths
from pipeline.reading.passages import MODEL

LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
KOREAN = (
    "/usr/share/fonts/truetype/nanum/NanumGothicBold.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
)


def model_folder() -> Path:
    """The reading model; the test is skipped if it is not here."""
    folder = Path(paths.resolved({}, os.environ)["models"]) / MODEL
    if not folder.is_dir():
        pytest.skip(f"no {folder}: run script/setup")
    return folder


def korean_font() -> str:
    """A font with Hangul; the test is skipped if there is none."""
    font = next((font for font in KOREAN if Path(font).is_file()), None)
    if font is None:
        pytest.skip("no Korean font: apt-get install fonts-nanum")
    return font


def sign(*lines: tuple[str, int], font: str = LATIN) -> Image:
    """Black text on a light sign before a grey wall (480, 640, 3); each line with its size in pixels."""
    picture = Picture.new("RGB", (640, 480), (120, 125, 130))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 60, 600, 420), fill=(245, 240, 225))
    top = 80
    for text, size in lines:
        draw.text((70, top), text, fill=(10, 10, 10), font=ImageFont.truetype(font, size))
        top += round(size * 1.4)
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
