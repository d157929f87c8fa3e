"""Derives what depends on the starter's embedding and scores: `derive_geometry TRAIN SCORES...`.

TRAIN is the training set, each SCORES a folder of `score_series`. Printed is each constant with what it rests
on, beside the value in force. Locked sources take no part. Sentence vectors, by which repeated descriptions
are told, come from another network and do not depend on it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from daemon.config.settings import load
from daemon.tools.maintainer.footage import baseline_limits, scene_distances, still_view
from daemon.tools.maintainer.footage.alert_tables import MADE, SIGNING, kind_of
from daemon.tools.maintainer.footage.score_series import open_series
from daemon.tools.maintainer.heads import kernel
from daemon.tools.maintainer.heads.features import read_features
from daemon.tools.maintainer.heads.head_folds import HAZARDS
from daemon.tools.maintainer.heads.splits import SPLITS
from daemon.tools.maintainer.heads.training_set import read_rows
from daemon.tools.maintainer.printing import print_lines
from pipeline.alerting import baseline
from pipeline.models.starter.model import GEOMETRY
from pipeline.settings import PipelineSettings


def report(options: argparse.Namespace) -> Iterable[str]:
    """Every constant with what it rests on. Raises WatchwordError."""
    series = open_series(options.scores)
    real = [one for one in series if kind_of(one) != MADE]
    scene, settle = GEOMETRY.scene_distance, GEOMETRY.settle_distance
    yield f"in force: scene distance {scene:g}, settle distance {settle:g}"
    yield from scene_distances.lines(real)
    yield f"in force: still level {PipelineSettings().still_level:g}"
    yield from still_view.lines(load(None, os.environ, {}).settings, series)
    yield f"in force: baseline above {baseline.ORDINARY:g}, at most {baseline.MOST:g}"
    yield from baseline_limits.lines([one for one in series if kind_of(one) != SIGNING])
    if options.features:
        rows = read_rows(options.folder, options.splits, HAZARDS)
        yield from kernel.lines(read_features(options.features), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="derive_geometry", description=__doc__)
    parser.add_argument("folder", type=Path, help="the training set")
    parser.add_argument("scores", type=Path, nargs="+", help="scores of clips, by score_series")
    parser.add_argument("--features", type=Path, help="of `train_starter`; without them no kernel")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="the part of each source")
    return print_lines(report(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
