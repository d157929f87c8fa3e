"""Writes the tables of docs/evaluation.md anew: `script/evaluation_tables MEDIA`.

Between `<!-- NAME -->` and `<!-- end -->` stands the output of the functions here; the rest is prose. It
takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from daemon.config.settings import Settings, load
from daemon.replay.footage import score
from daemon.tools.calibrate import report_lines, watched_hazards, without_baseline
from daemon.tools.evaluate import clip_figures, evaluate
from daemon.tools.maintainer.document import code, write_table
from daemon.tools.maintainer.teach_cross_validation import (
    CrossValidation,
    new_name,
    remembering,
    trial,
)
from daemon.tools.report_lines import readable
from daemon.wiring.detector import build_detector
from daemon.wiring.sources import open_recorded
from pipeline.calibration.fit_thresholds import make_plan
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.dataset import Dataset, LabelledPicture, read_dataset
from pipeline.settings import HazardSettings

SAFE_CLIPS = ("vtest_first25s.mp4", "intel_bottle-detection.mp4")
"""Clips of the media without any danger, long enough to calibrate on."""
_BOLD = 0.02
"""A threshold at which harmless footage raises many alerts, to show that a budget takes them away."""
_TAUGHT_NEW = ("knife", "stairs", "hole", "smoke")
"""Taught as if they were new and had no words."""
_WORDED_NEW = ("knife", "fire", "dog", "train", "stairs", "hole", "crosswalk_signal")
"""Recognised by their words as if the user had added them: without the trained heads."""


def pictures(settings: Settings, media: Path) -> Iterable[str]:
    """`watchword evaluate images.csv`."""
    dataset = Dataset(tuple(_pictures(settings, media)), ())
    yield from code(readable(evaluate(settings, dataset, details=False)[0]))


def clips(settings: Settings, media: Path) -> Iterable[str]:
    """`watchword evaluate videos.csv`."""
    labelled = read_dataset(media / "videos.csv", settings.hazards.keys()).clips
    yield from code(readable({"videos": clip_figures(settings, labelled)}))


def calibrate(settings: Settings, media: Path) -> Iterable[str]:
    """`watchword calibrate` on safe clips put end to end."""
    detector = build_detector(without_baseline(settings))
    times, rows, start_s = [], [], 0.0
    for name in SAFE_CLIPS:
        camera = open_recorded(settings, str(media / "videos" / name))
        try:
            seen = score(camera, detector.detector).footage
        finally:
            camera.close()
        times.append(seen.times_s + start_s)
        rows.append(seen.probabilities)
        # The clips are joined on one time axis, as if one camera had filmed them.
        start_s += seen.seconds
    footage = ScoreSeries(np.concatenate(times), np.concatenate(rows))
    shipped = watched_hazards(detector)
    bold = [replace(hazard, threshold=_BOLD) for hazard in shipped]
    for hazards, budget in ((shipped, 1.0), (bold, 600.0)):
        yield from code(
            report_lines(make_plan(footage, hazards, settings.watch, budget, settings.pipeline.usual_s))
        )


def teach(settings: Settings, media: Path) -> Iterable[str]:
    """Halves by source; see `daemon.tools.maintainer.teach_cross_validation`."""
    model, labelled = remembering(settings), _pictures(settings, media)
    known = [name for name in settings.hazards if settings.hazards[name].enabled]
    yield "| hazard | split by | recall before | taught | judged | false before | taught | judged |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for name in known:
        yield _row(trial(settings, model, labelled, name), name)
    for name in _TAUGHT_NEW:
        yield _row(trial(settings, model, labelled, name, new=True), f"{name}, as a new hazard without words")

    for name in _WORDED_NEW:
        own = with_own_words(settings, name)
        yield _row(trial(own, model, labelled, name, new=True), f"{name}, as a hazard of one's own by words")


def with_own_words(settings: Settings, hazard: str) -> Settings:
    """The settings with a hazard of the user's own that has the words of a built-in one."""
    added = HazardSettings(severity="warning", prompts=settings.hazards[hazard].prompts)
    return settings.model_copy(update={"hazards": {**settings.hazards, new_name(hazard): added}})


def _row(one: CrossValidation, name: str) -> str:
    return (
        f"| {name} | {one.split_by} | {one.recall_before:.2f} | {one.recall:.2f} | {one.judged} "
        f"| {one.false_before} | {one.false} | {one.safe_judged} |"
    )


def _pictures(settings: Settings, media: Path) -> Sequence[LabelledPicture]:
    return read_dataset(media / "images.csv", settings.hazards.keys()).pictures


TABLES: dict[str, Callable[[Settings, Path], Iterable[str]]] = {
    "pictures": pictures,
    "clips": clips,
    "calibrate": calibrate,
    "teach": teach,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/evaluation_tables", description=main.__doc__)
    parser.add_argument("media", type=Path, help="folder of images.csv and videos.csv")
    parser.add_argument("document", type=Path, nargs="?", default=Path("docs/evaluation.md"))
    parser.add_argument("--only", choices=TABLES, action="append", help="a table; all if none is named")
    args = parser.parse_args()
    with TemporaryDirectory() as nothing_of_our_own:
        # Calibration, taught pictures and the precision of this machine must not change the tables.
        fixed = {"paths.state": nothing_of_our_own, "pipeline.precision": "f32"}
        settings = load(None, os.environ, fixed).settings
        for name in args.only or TABLES:
            write_table(args.document, name, list(TABLES[name](settings, args.media)))
            sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
