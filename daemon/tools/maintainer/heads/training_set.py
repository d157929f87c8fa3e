"""The training set: pictures with several labels each, footage with spans, and which part a source is in.

`images.csv` has `file,labels,uncertain,source,licence` (`;` between labels), `videos.csv` has
`file,label,start_s,end_s,source,licence`; `splits` says which part a source is in.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from daemon.tools.maintainer.heads.splits import part_of, read_splits
from pipeline.evaluation.dataset import IGNORE, SAFE, SCENE

FRAME_EVERY_S = 0.5
ALIKE_EVERY_S = 2.5
"""Between the frames of sources that are ALIKE."""
ALIKE = (
    "github:Wavely-project/text_to_sign",
    "github:Anjana017/mini-project-SignLearn",
    "github:whq19760920/72",
)
"""Sources of footage whose pictures are all alike: people signing before a plain wall, cards of text."""
_COARSE = "github:MaxAndolini/hCaptcha-Images"
"""Small soft pictures, partly generated."""
_COARSE_WEIGHT, _ALIKE_WEIGHT, _FRAME_WEIGHT = 0.5, 0.1, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """N pictures: the photographs first, then frames of the footage. H hazards."""

    names: tuple[str, ...]
    """A file within the folder, or `file@seconds`."""
    shown: NDArray[np.float32]
    """(N, H): 1 where a hazard is labelled."""
    known: NDArray[np.float32]
    """(N, H): 0 if it is uncertain whether a hazard is there."""
    sources: NDArray[Any]
    parts: NDArray[Any]
    photographs: NDArray[np.bool_]

    @property
    def safe(self) -> NDArray[np.bool_]:
        return np.asarray(~self.shown.any(1))

    def weights(self) -> NDArray[np.float32]:
        """(N,): a source counts by the square root of its pictures; footage and coarse ones for less."""
        _, position, counts = np.unique(self.sources, return_inverse=True, return_counts=True)
        # The square root: a source of a thousand pictures knows more than one of ten, but not a hundred
        # times.
        weight = counts[position] ** -0.5
        weight /= weight[self.photographs].mean()
        weight[self.sources == _COARSE] *= _COARSE_WEIGHT
        weight[~self.photographs] *= np.where(
            np.isin(self.sources[~self.photographs], ALIKE), _ALIKE_WEIGHT, _FRAME_WEIGHT
        )
        return np.asarray(weight, np.float32)


def read_rows(folder: Path, splits: Path, hazards: tuple[str, ...]) -> Rows:
    """Everything that is labelled in the folder. Raises SplitsError for a source that has no part."""
    parts = read_splits(splits)
    pictures = [_picture(row, hazards) for row in _read(folder / "images.csv")]
    frames = list(_frames(folder, hazards))
    names, shown, known, sources = zip(*pictures, *frames, strict=True)
    return Rows(
        names,
        np.array(shown, np.float32),
        np.array(known, np.float32),
        np.array(sources),
        np.array([part_of(source, parts) for source in sources]),
        np.arange(len(names)) < len(pictures),
    )


_Row = tuple[str, list[bool], list[bool], str]


def _picture(row: dict[str, str], hazards: tuple[str, ...]) -> _Row:
    labels, unsure = row["labels"].split(";"), row["uncertain"].split(";")
    shown = [hazard in labels for hazard in hazards]
    known = [hazard in labels or hazard not in unsure for hazard in hazards]
    return row["file"], shown, known, row["source"]


def _frames(folder: Path, hazards: tuple[str, ...]) -> Iterator[_Row]:
    """Frames with a label. One that shows a hazard is not labelled for the others."""
    clips: dict[str, list[dict[str, str]]] = {}
    for row in _read(folder / "videos.csv"):
        clips.setdefault(row["file"], []).append(row)
    for file, spans in clips.items():
        for time_s in frame_times(folder / file, spans[0]["source"]):
            labels = _labels_at(spans, time_s)
            if not labels or IGNORE in labels:
                continue
            shown = [hazard in labels for hazard in hazards]
            known = shown if labels != {SAFE} else [True] * len(hazards)
            yield f"{file}@{time_s:.2f}", shown, known, spans[0]["source"]


def _labels_at(spans: list[dict[str, str]], time_s: float) -> set[str]:
    inside = (span for span in spans if float(span["start_s"]) <= time_s < float(span["end_s"]))
    return {span["label"] for span in inside} - {SCENE}


def frame_times(clip: Path, source: str) -> list[float]:
    """Seconds of the frames that are taken from a clip."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    # FFmpeg reports a rate of 0 for a file that states none.
    rate, count = capture.get(cv2.CAP_PROP_FPS) or 5.0, 0
    # Counted, because CAP_PROP_FRAME_COUNT is only an estimate from the duration.
    while capture.grab():
        count += 1
    capture.release()
    step = ALIKE_EVERY_S if source in ALIKE else FRAME_EVERY_S
    wanted, times = 0.0, []
    for index in range(count):
        if index / rate >= wanted - 1e-6:
            times.append(index / rate)
            wanted += step
    return times


def pictures_of(folder: Path, names: tuple[str, ...]) -> Iterator[Image]:
    """The pictures of rows in their order; frames of one clip must follow each other.

    Raises OSError if one cannot be read.
    """
    clip, path, index = None, "", -1
    for name in names:
        file, _, time = name.partition("@")
        if not time:
            yield _read_picture(folder / file)
            continue
        if clip is None or file != path:
            clip, path, index = cv2.VideoCapture(str(folder / file), cv2.CAP_FFMPEG), file, -1
        wanted = math.floor(float(time) * (clip.get(cv2.CAP_PROP_FPS) or 5.0) + 0.5)
        # In order, because a seek in MPEG-4 lands on a key frame.
        while index < wanted and clip.grab():
            index += 1
        good, image = clip.retrieve()
        if not good:
            raise OSError(f"{folder / file}: no frame at {time} s")
        yield np.asarray(image, np.uint8)


def _read_picture(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise OSError(f"{path}: cannot be read")
    return np.asarray(image, np.uint8)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
