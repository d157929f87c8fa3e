"""Makes more footage of labelled media: `python tests/pipeline/calibration/made.py MEDIA OUT`, then evaluate
it.

Writes into OUT, always the same: walks (a window that wanders and zooms over each photograph) and the clips
mirrored, darker and coarsely compressed, and at 5 frames a second, with a manifest each for
`watchword evaluate OUT/walks.csv` and the like. Ten short clips tell little about false alerts an hour; this
tells more, though every walk over one photograph repeats what that photograph does.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from capture.frame import Image

WALK_S, HAZARD_WALK_S, RATE, SIZE = 8.0, 4.0, 5.0, (640, 360)
JPEG = 40


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def walk(picture: Image, seconds: float, seed: int) -> Iterator[Image]:
    """A window of 16 to 9 that covers 70 to 100 per cent of the largest possible, along a smooth path."""
    random = np.random.default_rng(seed)
    phases, speeds = random.uniform(0, 2 * math.pi, 3), random.uniform(0.3, 1.2, 3)
    height, width = picture.shape[:2]
    largest = min(width / SIZE[0], height / SIZE[1])
    for frame in range(round(seconds * RATE)):
        across, down, zoom = 0.5 + 0.5 * np.sin(phases + speeds * frame / RATE)
        scale = largest * (0.7 + 0.3 * zoom)
        w, h = scale * SIZE[0], scale * SIZE[1]
        x, y = int(across * (width - w)), int(down * (height - h))
        part = picture[y : y + max(1, int(h)), x : x + max(1, int(w))]
        yield np.asarray(cv2.resize(part, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def frames_of(path: Path) -> tuple[float, Iterator[Image]]:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)

    def frames() -> Iterator[Image]:
        while (read := video.read())[0]:
            yield np.asarray(read[1], np.uint8)
        video.release()

    return video.get(cv2.CAP_PROP_FPS), frames()


def write(path: Path, rate: float, frames: Iterable[Image]) -> None:
    """Motion JPEG: no frame depends on another."""
    out: cv2.VideoWriter | None = None
    for frame in frames:
        if out is None:
            size = frame.shape[1], frame.shape[0]
            out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, size)
        out.write(frame)
    if out is not None:
        out.release()


def coarse(image: Image) -> Image:
    """Two thirds as bright, and what a cheap camera's compression leaves of it."""
    dark = cv2.convertScaleAbs(image, alpha=0.67)
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", dark, [cv2.IMWRITE_JPEG_QUALITY, JPEG])[1], 1), np.uint8
    )


def mirrored(image: Image) -> Image:
    return np.ascontiguousarray(image[:, ::-1])


CHANGES: dict[str, tuple[Callable[[Image], Image], float | None]] = {
    "mirrored": (mirrored, None),
    "coarse": (coarse, None),
    "slow": (np.copy, 5.0),
}


def walks(media: Path, out: Path) -> list[list[object]]:
    rows: list[list[object]] = []
    for number, row in enumerate(rows_of(media / "images.csv")):
        picture = cv2.imread(str(media / row["file"]), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"{media / row['file']}: not a picture")
        seconds = WALK_S if row["label"] == "safe" else HAZARD_WALK_S
        name = f"walk{number:03}.avi"
        write(out / name, RATE, walk(np.asarray(picture, np.uint8), seconds, number))
        rows.append([name, row["label"], 0, seconds])
    return rows


def changed(media: Path, out: Path, kind: str) -> list[list[object]]:
    change, wanted = CHANGES[kind]
    rows: list[list[object]] = []
    for row in rows_of(media / "videos.csv"):
        name = f"{kind}_{Path(row['file']).stem}.avi"
        rows.append([name, row["label"], row["start_s"], row["end_s"]])
        if (out / name).exists():
            continue
        rate, frames = frames_of(media / row["file"])
        step = max(1, round(rate / wanted)) if wanted else 1
        write(out / name, rate / step, (change(f) for i, f in enumerate(frames) if i % step == 0))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Make more footage of labelled media.")
    parser.add_argument("media", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    made = {"walks": walks(given.media, given.out)}
    made |= {kind: changed(given.media, given.out, kind) for kind in CHANGES}
    for name, rows in made.items():
        with (given.out / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([["file", "label", "start_s", "end_s"], *rows])
    return 0


if __name__ == "__main__":
    sys.exit(main())
