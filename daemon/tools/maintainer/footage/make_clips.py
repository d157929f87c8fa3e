"""Makes clips of the training set's stills: `script/make_clips FOLDER OUT`.

FOLDER holds `images.csv`. OUT gets small videos and a `videos.csv` for `watchword evaluate` and for
`score_series`: two hours take some 300 MB. Only sources of the named parts are used; the locked ones must be
asked for by name.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from capture.frame import Image
from common.errors import WatchwordError
from daemon.tools.maintainer.footage.clip_motion import SIZE, draw_motion, frame_at
from daemon.tools.maintainer.footage.clip_plan import ClipPlan, harmless_clips, hazard_clips, usable
from daemon.tools.maintainer.heads.splits import FOLDS, LOCKED, SPLITS, read_splits
from pipeline.evaluation.dataset import SCENE, read_dataset
from pipeline.hazards import builtin_hazards

COLUMNS = ("file", "labels", "start_s", "end_s", "source", "uncertain", "camera", "part")
_TOLD_EVERY = 50
"""Clips from one line of progress to the next."""


class ClipsError(WatchwordError):
    """A picture cannot be read or a clip cannot be written; the message says which."""


def frames(plan: ClipPlan) -> Iterator[Image]:
    """The frames of a clip, made one by one. Raises ClipsError."""
    random = np.random.default_rng(plan.seed)
    for shot in plan.shots:
        image = cv2.imread(str(shot.picture.path))
        if image is None:
            raise ClipsError(f"{shot.picture.path}: cannot be read")
        motion = draw_motion(random, moving=plan.camera == "moving")
        for number in range(round(shot.seconds * plan.rate)):
            yield frame_at(np.asarray(image, np.uint8), motion, number / plan.rate, shot.seconds, random)


def spans(plan: ClipPlan, file: str) -> Iterator[dict[str, object]]:
    """The manifest's rows of a clip: the hazards in view, and a scene at every cut."""
    start_s = 0.0
    for position, shot in enumerate(plan.shots):
        common = {"file": file, "source": plan.source, "camera": plan.camera, "part": plan.part}
        end_s = round(start_s + shot.seconds, 3)
        if position:
            yield {**common, "labels": SCENE, "start_s": start_s, "end_s": start_s}
        yield {
            **common,
            "labels": ";".join(shot.picture.labels),
            "uncertain": ";".join(sorted(shot.picture.uncertain)),
            "start_s": start_s,
            "end_s": end_s,
        }
        start_s = end_s


def write_clip(plan: ClipPlan, path: Path) -> None:
    """Raises ClipsError."""
    # mp4v: FFmpeg's own encoder is in every build of OpenCV, unlike one for H.264.
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), plan.rate, SIZE)
    if not writer.isOpened():
        raise ClipsError(f"{path}: cannot be written as MPEG-4")
    try:
        for frame in frames(plan):
            writer.write(frame)
    finally:
        writer.release()


def write(plans: Sequence[ClipPlan], out: Path) -> None:
    """All clips and their manifest, which is written last. Raises ClipsError."""
    (out / "videos").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for number, plan in enumerate(plans):
        file = f"videos/{plan.name}.mp4"
        write_clip(plan, out / file)
        rows += spans(plan, file)
        if (number + 1) % _TOLD_EVERY == 0:
            sys.stdout.write(f"{number + 1} of {len(plans)} clips\n")
            sys.stdout.flush()
    # Last: an interrupted run leaves no manifest that names missing clips.
    with (out / "videos.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, restval="")
        table.writeheader()
        table.writerows(rows)


def summary(plans: Sequence[ClipPlan]) -> Iterable[str]:
    """Counts of the clips made."""
    whole = sum(plan.seconds for plan in plans)
    by_source: dict[str, float] = {}
    for plan in plans:
        by_source[plan.source] = by_source.get(plan.source, 0.0) + plan.seconds
    largest = max(by_source, key=lambda name: by_source[name])
    fast = sum(plan.seconds for plan in plans if plan.rate > 5)
    yield f"{len(plans)} clips, {whole / 3600:.2f} hours ({fast / 3600:.2f} at 25 pictures a second)"
    yield f"{len(by_source)} sources, the largest {largest} with {by_source[largest] / whole:.0%}"


def plan_clips(
    folder: Path, *, parts: Sequence[str], splits: Path, seed: int, hours: float, each: int
) -> list[ClipPlan]:
    """Everything that one call makes. Raises DatasetError, SplitsError, ClipsError."""
    hazards, table = tuple(builtin_hazards()), read_splits(splits)
    pictures = usable(read_dataset(folder / "images.csv", hazards).pictures, table, parts)
    random = np.random.default_rng(seed)
    try:
        harmless = harmless_clips(pictures, table, hours * 3600, random) if hours else []
    except ValueError as error:
        raise ClipsError(f"parts {', '.join(parts)}: {error}") from error
    return [*harmless, *hazard_clips(pictures, table, hazards, each, random)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/make_clips", description=__doc__)
    parser.add_argument("folder", type=Path, help="the training set, with images.csv")
    parser.add_argument("out", type=Path, help="folder for videos and videos.csv")
    parser.add_argument("--parts", default=",".join(FOLDS), help=f"of the splits; {LOCKED} only at the end")
    parser.add_argument("--splits", type=Path, default=SPLITS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=2.0, help="of harmless clips; 0 makes none")
    parser.add_argument("--each", type=int, default=20, help="clips of each hazard; 0 makes none")
    args = parser.parse_args(arguments)
    try:
        plans = plan_clips(
            args.folder,
            parts=args.parts.split(","),
            splits=args.splits,
            seed=args.seed,
            hours=args.hours,
            each=args.each,
        )
        if not plans:
            raise ClipsError("nothing to make: no hours and no hazards were asked for, or no source is left")
        write(plans, args.out)
    except WatchwordError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in summary(plans))
    return 0


if __name__ == "__main__":
    sys.exit(main())
