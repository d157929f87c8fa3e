"""Signs rendered into photographs, with perspective, blur, noise and compression. The same at every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from capture.frame import Image

FONTS = {
    "en": ("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",),
    "ko": (
        "/usr/share/fonts/truetype/nanum/NanumGothicBold.ttf",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    ),
}
"""By language; the first that is installed."""
TEXTS = {
    "en": (
        "EXIT", "PUSH TO OPEN", "CAUTION\nWET FLOOR", "NO ENTRY", "PLATFORM 4\nTRAINS TO CENTRAL",
        "BUS STOP\nLINE 27", "PHARMACY\nOPEN UNTIL 9", "MIND THE STEP", "LIFT OUT OF ORDER\nUSE STAIRS",
        "TOILETS\nSECOND FLOOR",
    ),
    "ko": (
        "출입금지", "비상구", "미끄럼 주의", "공사중\n우회하세요", "승강기 점검중", "화장실", "버스 정류장",
        "계단 주의", "당기세요", "서울역 방면",
    ),
}  # fmt: skip
COLOURS = (
    ((250, 250, 245), (20, 20, 20)),
    ((20, 80, 170), (250, 250, 250)),
    ((250, 205, 30), (15, 15, 15)),
    ((190, 25, 30), (250, 250, 250)),
)
"""Of the plate and of the letters, RGB."""
SIDES = (640, 720, 960, 1080)
"""Pixels of the picture's longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class RenderedSign:
    """A photograph with a sign in it."""

    image: Image
    text: str
    language: str


def rendered_signs(photographs: Sequence[Image], seed: int = 16) -> Iterator[RenderedSign]:
    """Every text of `TEXTS` on a photograph. Raises OSError if a font is missing."""
    random = np.random.default_rng(seed)
    for language, texts in TEXTS.items():
        font = next((file for file in FONTS[language] if Path(file).is_file()), FONTS[language][0])
        for number, text in enumerate(texts):
            photograph = photographs[int(random.integers(len(photographs)))]
            side = SIDES[number % len(SIDES)]
            scale = side / max(photograph.shape[:2])
            ground = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            plate = _plate(text, font, COLOURS[number % len(COLOURS)])
            yield RenderedSign(_taken(_placed(np.asarray(ground), plate, random), random), text, language)


def _plate(text: str, font: str, colours: tuple[tuple[int, int, int], tuple[int, int, int]]) -> Image:
    letters = ImageFont.truetype(font, 96)
    left, top, right, bottom = ImageDraw.Draw(Picture.new("RGB", (1, 1))).multiline_textbbox(
        (0, 0), text, letters
    )
    plate = Picture.new("RGB", (round(right - left) + 140, round(bottom - top) + 140), colours[0])
    draw = ImageDraw.Draw(plate)
    draw.rectangle((10, 10, plate.width - 11, plate.height - 11), outline=colours[1], width=8)
    draw.multiline_text((70 - left, 70 - top), text, colours[1], letters, align="center")
    return np.ascontiguousarray(np.asarray(plate)[:, :, ::-1])


def _placed(ground: Image, plate: Image, random: np.random.Generator) -> Image:
    """The plate at a random place, 30 to 55 % of the picture wide, seen from the side."""
    height, width = ground.shape[:2]
    wide = width * random.uniform(0.3, 0.55)
    high = min(wide * plate.shape[0] / plate.shape[1], 0.8 * height)
    wide = high * plate.shape[1] / plate.shape[0]
    left, top = random.uniform(0.02, 0.98) * (width - wide), random.uniform(0.05, 0.95) * (height - high)
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]]) + np.array([left, top])
    corners += random.uniform(-0.12, 0.12, (4, 2)) * [min(wide, high) * 0.6, min(wide, high)]
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * [plate.shape[1] - 1, plate.shape[0] - 1]
    turn = cv2.getPerspectiveTransform(source.astype(np.float32), corners.astype(np.float32))
    inside = cv2.warpPerspective(
        np.full(plate.shape[:2], 255, np.uint8), turn, (width, height), flags=cv2.INTER_AREA
    )
    shown = cv2.warpPerspective(plate, turn, (width, height), flags=cv2.INTER_AREA)
    share = inside[:, :, None] / 255.0
    return np.asarray(ground * (1 - share) + shown * share, np.uint8)


def _taken(scene: Image, random: np.random.Generator) -> Image:
    """As a small camera takes it: dimmed, blurred, noisy, compressed."""
    blurred = cv2.GaussianBlur(scene, (0, 0), random.uniform(0.6, 1.6)) * random.uniform(0.55, 1.0)
    noisy = np.clip(blurred + random.normal(0, random.uniform(4, 12), scene.shape), 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
