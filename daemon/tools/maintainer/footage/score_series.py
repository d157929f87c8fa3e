"""Scores of every frame of labelled clips, kept in files: timing is tuned on them without the network.

`python -m daemon.tools.maintainer.footage.score_series MANIFEST HEADS OUT` looks at each clip once, with the
heads that were trained without its fold, and writes one file for it. Clips that have a file are skipped, and
those of sources without such heads.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.camera import Camera
from common import atomic_file
from common.errors import WatchwordError
from daemon.config.settings import load
from daemon.tools.maintainer.heads.splits import LOCKED, SPLITS, part_of, read_splits
from daemon.wiring.sources import open_recorded
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.camera_motion import CameraMotionMeter
from pipeline.evaluation.dataset import CameraMotion, LabelledClip, Span, read_dataset
from pipeline.hazards import builtin_hazards
from pipeline.log_odds import sigmoid
from pipeline.models.precision import Precision
from pipeline.models.starter.model import StarterModel
from pipeline.models.starter.precision import PRECISIONS


class SeriesError(WatchwordError):
    """A file of scores cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSeries:
    """A clip's labels and its scores; T frames, H hazards, D numbers of an embedding."""

    clip: LabelledClip
    part: str
    hazards: tuple[str, ...]
    times_s: NDArray[np.float64]
    log_odds: NDArray[np.float32]
    """(T, H), calibrated."""
    embeddings: NDArray[np.float16]
    """(T, D); D is 0 if they were not kept."""

    @property
    def series(self) -> ScoreSeries:
        """As probabilities, for the alert policy."""
        return ScoreSeries(self.times_s, sigmoid(self.log_odds).astype(np.float32))


def write_series(path: Path, one: LabelledSeries) -> None:
    """One file, complete or not there at all."""
    spans = one.clip.spans
    arrays: dict[str, Any] = {
        "times_s": one.times_s,
        "log_odds": one.log_odds,
        "embeddings": one.embeddings,
        "hazards": np.array(one.hazards),
        "labels": np.array([span.label for span in spans]),
        "starts_s": np.array([span.start_s for span in spans]),
        "ends_s": np.array([span.end_s for span in spans]),
        "uncertain": np.array([";".join(sorted(span.uncertain)) for span in spans]),
        "about": np.array([str(one.clip.path), one.clip.source, one.clip.camera or "", one.part]),
    }
    # Not synced: a file that a power cut destroys is scored again.
    with atomic_file.replacing(path, durable=False) as file:
        np.savez(file, **arrays)


def read_series(path: Path) -> LabelledSeries:
    """Raises SeriesError."""
    try:
        # Without pickle, which could run code.
        with np.load(path, allow_pickle=False) as arrays:
            return _series(arrays)
    except (OSError, ValueError, KeyError) as error:
        raise SeriesError(
            f"{path}: no file of scores ({error}); delete it and score the clip again"
        ) from error


def _series(arrays: Mapping[str, NDArray[Any]]) -> LabelledSeries:
    clip, source, camera, part = map(str, arrays["about"])
    columns = (arrays[name].tolist() for name in ("labels", "starts_s", "ends_s", "uncertain"))
    spans = tuple(
        Span(label, start_s, end_s, frozenset(filter(None, unsure.split(";"))))
        for label, start_s, end_s, unsure in zip(*columns, strict=True)
    )
    motions: Mapping[str, CameraMotion] = {"moving": "moving", "still": "still"}
    return LabelledSeries(
        LabelledClip(Path(clip), spans, source, motions.get(camera)),
        part,
        tuple(map(str, arrays["hazards"])),
        arrays["times_s"],
        arrays["log_odds"],
        arrays["embeddings"],
    )


def read_folder(folder: Path) -> list[LabelledSeries]:
    """All series of a folder, in the order of their names. Raises SeriesError."""
    found = [read_series(path) for path in sorted(folder.glob("*.npz"))]
    if not found:
        raise SeriesError(f"{folder}: holds no scores")
    if len({one.hazards for one in found}) > 1:
        raise SeriesError(f"{folder}: scores of different hazards; score all clips with one model")
    return found


def open_series(folders: Iterable[Path]) -> list[LabelledSeries]:
    """All series of the folders but those of locked sources. Raises SeriesError."""
    series = [one for folder in folders for one in read_folder(folder) if one.part != LOCKED]
    if len({one.hazards for one in series}) != 1:
        raise SeriesError("no scores, or scores of different hazards")
    return series


def score_clip(clip: LabelledClip, part: str, camera: Camera, model: StarterModel) -> LabelledSeries:
    """Score every frame of a clip by the model's heads. Raises CameraError, SeriesError."""
    times: list[float] = []
    rows, embeddings, meter = [], [], CameraMotionMeter()
    hazards = model.hazards
    while (frame := camera.read()) is not None:
        encoding = model.encode(frame.image)
        meter.add(frame.image, frame.captured_at_s)
        times.append(frame.captured_at_s)
        # The evidence holds the heads' scores first, then the classes'.
        rows.append(encoding.evidence[: len(hazards)])
        embeddings.append(encoding.embedding.astype(np.float16))
    if not times:
        raise SeriesError(f"{clip.path}: has no frame")
    return LabelledSeries(
        replace(clip, camera=clip.camera or meter.motion),
        part,
        hazards,
        np.array(times, np.float64),
        np.asarray(np.stack(rows), np.float32),
        np.stack(embeddings),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="score_series", description=__doc__)
    parser.add_argument("manifest", type=Path, help="videos.csv of clips")
    parser.add_argument("heads", type=Path, help="folder written by `train_starter --fold-heads`")
    parser.add_argument("out", type=Path, help="folder for the scores")
    parser.add_argument("--splits", type=Path, default=SPLITS)
    parser.add_argument("--precision", choices=[str(one) for one in PRECISIONS], default=str(Precision.F32))
    args = parser.parse_args(arguments)
    precision = Precision(args.precision)
    try:
        score_clips(args.manifest, args.heads, args.out, read_splits(args.splits), precision)
    except WatchwordError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def score_clips(
    manifest: Path,
    heads: Path,
    out: Path,
    parts: Mapping[str, str],
    precision: Precision = Precision.F32,
) -> None:
    """Score every clip of a fold that `heads` has heads for. Raises WatchwordError."""
    settings = load(None, os.environ, {}).settings
    out.mkdir(parents=True, exist_ok=True)
    models: dict[str, StarterModel] = {}
    for clip in read_dataset(manifest, tuple(builtin_hazards())).clips:
        part, file = part_of(clip.source, parts), out / f"{clip.path.stem}.npz"
        heads_file = heads / f"{part}.npz"
        if not heads_file.is_file() or file.exists():
            continue
        # Loaded once a fold; a model takes seconds to compile.
        if part not in models:
            models[part] = StarterModel(
                Path(settings.paths.models) / StarterModel.name, heads_file=heads_file, precision=precision
            )
        camera = open_recorded(settings, str(clip.path))
        try:
            scored = score_clip(clip, part, camera, models[part])
        finally:
            camera.close()
        write_series(file, scored)
        sys.stdout.write(f"{clip.path.name}: {len(scored.times_s)} frames\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
