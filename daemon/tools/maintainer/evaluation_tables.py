"""Writes the tables of docs/evaluation.md anew: `script/evaluation_tables MEDIA`.

Between `<!-- NAME -->` and `<!-- end -->` stands the output of the functions here; the rest is prose. It
takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from capture.image_file import load_image
from daemon.config.settings import Settings, load
from daemon.replay.footage import score
from daemon.tools.calibrate import report_lines, watched_hazards, without_baseline
from daemon.tools.evaluate import clip_figures
from daemon.tools.maintainer.teach_cross_validation import CrossValidation, remembering, trial
from daemon.tools.report_lines import readable
from daemon.wiring.detector import build_detector
from daemon.wiring.sources import open_recorded
from pipeline.calibration.fit_thresholds import make_plan
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.dataset import LabelledPicture, read_dataset
from pipeline.evaluation.pictures import evaluate_pictures

SAFE_CLIPS = ("vtest_first25s.mp4", "intel_bottle-detection.mp4")
"""Clips of the media without any danger, long enough to calibrate on."""
_BOLD = 0.02
"""A threshold at which harmless footage raises many alerts, to show that a budget takes them away."""
_TAUGHT_NEW = ("knife", "stairs", "hole", "smoke")


def pictures(settings: Settings, media: Path) -> Iterable[str]:
    """`watchword evaluate images.csv`."""
    detector = build_detector(settings)
    labelled = _pictures(settings, media)
    rows = np.stack(
        [detector.detector.score_image(load_image(p.path, settings.capture.max_side)[0])[1] for p in labelled]
    )
    hazards = detector.picture_hazards
    names, thresholds = [h.name for h in hazards], [h.threshold for h in hazards]
    yield from _code(readable(_evaluated(names, rows, thresholds, labelled)))


def clips(settings: Settings, media: Path) -> Iterable[str]:
    """`watchword evaluate videos.csv`."""
    labelled = read_dataset(media / "videos.csv", settings.hazards.keys()).clips
    yield from _code(readable({"videos": clip_figures(settings, labelled)}))


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
        yield from _code(
            report_lines(make_plan(footage, hazards, settings.watch, budget, settings.pipeline.usual_s))
        )


def teach(settings: Settings, media: Path) -> Iterable[str]:
    """Halves by source; see `daemon.tools.maintainer.teach_cross_validation`."""
    model, labelled = remembering(settings), _pictures(settings, media)
    known = [name for name in settings.hazards if settings.hazards[name].enabled]
    yield "| hazard | split by | recall by words | taught | judged | false by words | taught | judged |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for name in known:
        yield _row(trial(settings, model, labelled, name), name)
    for name in _TAUGHT_NEW:
        yield _row(
            trial(settings, model, labelled, name, worded=False), f"{name}, as a new hazard without words"
        )


def _row(one: CrossValidation, name: str) -> str:
    return (
        f"| {name} | {one.split_by} | {one.recall_before:.2f} | {one.recall:.2f} | {one.judged} "
        f"| {one.false_before} | {one.false} | {one.safe_judged} |"
    )


def _pictures(settings: Settings, media: Path) -> Sequence[LabelledPicture]:
    return read_dataset(media / "images.csv", settings.hazards.keys()).pictures


def _evaluated(
    names: Sequence[str], rows: np.ndarray, thresholds: Sequence[float], labelled: Sequence[LabelledPicture]
) -> dict[str, object]:
    return evaluate_pictures(
        names,
        rows,
        np.array(thresholds),
        [picture.labels for picture in labelled],
        [picture.source for picture in labelled],
        [picture.uncertain for picture in labelled],
    )


def _code(lines: Iterable[str]) -> Iterable[str]:
    yield from ("```", *lines, "```")


TABLES: dict[str, Callable[[Settings, Path], Iterable[str]]] = {
    "pictures": pictures,
    "clips": clips,
    "calibrate": calibrate,
    "teach": teach,
}


def replaced(text: str, name: str, lines: Iterable[str]) -> str:
    """The document with one table anew. Raises SystemExit where it has no place for it."""
    place = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(text):
        raise SystemExit(f"no place for the table {name!r}")
    table = "\n".join(lines)
    # A function, because a backslash in the table would otherwise be a group reference.
    return place.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text, count=1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/evaluation_tables", description=main.__doc__)
    parser.add_argument("media", type=Path, help="folder of images.csv and videos.csv")
    parser.add_argument("document", type=Path, nargs="?", default=Path("docs/evaluation.md"))
    parser.add_argument("--only", choices=TABLES, action="append", help="a table; all if none is named")
    args = parser.parse_args()
    with TemporaryDirectory() as nothing_of_our_own:
        # An empty state folder: calibration and taught pictures of this machine must not change the tables.
        settings = load(None, os.environ, {"paths.state": nothing_of_our_own}).settings
        for name in args.only or TABLES:
            lines = list(TABLES[name](settings, args.media))
            text = replaced(args.document.read_text(encoding="utf-8"), name, lines)
            args.document.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
