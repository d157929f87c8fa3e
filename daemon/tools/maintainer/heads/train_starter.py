"""Trains the heads of the starter and writes them with their calibration: `train_starter FOLDER`.

The folder holds pictures and footage as `training_set` describes. Choices are made on the five folds of the
open sources; the locked ones are looked at once, when everything is chosen (`--locked`). The shipped heads
are trained on all sources by the same recipe, and calibrated on scores that the folds give to pictures they
were not trained on. The same pictures give the same bytes on the same machine.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import atomic_file
from daemon.tools.maintainer.document import code, write_table
from daemon.tools.maintainer.heads.features import Features, extract, read_features, write_features
from daemon.tools.maintainer.heads.head_figures import side_by_side
from daemon.tools.maintainer.heads.head_folds import (
    HAZARDS,
    cross_fitted,
    fold_nets,
    fold_report,
    judged,
    out_of_fold,
    photographs,
    threshold,
)
from daemon.tools.maintainer.heads.head_mixing import Mixing, fit_mixing, heads_of
from daemon.tools.maintainer.heads.head_training import Net, centre_of, train
from daemon.tools.maintainer.heads.measure_ranges import measured_ranges
from daemon.tools.maintainer.heads.splits import FOLDS, LOCKED, SPLITS
from daemon.tools.maintainer.heads.starter_calibration import calibration_of
from daemon.tools.maintainer.heads.training_set import Rows, read_rows
from daemon.tools.report_lines import readable
from pipeline.models.starter.heads import CLASSES, HEADS_FILE, class_log_odds, heads_bytes
from pipeline.models.starter.input_ranges import RANGES_FILE, input_ranges_bytes
from pipeline.models.starter.model import NETWORK_FILE

TABLE = Path(__file__).with_name("hazard_classes.csv")
CALIBRATION_FILE = "calibration.json"
_LEVEL = 0.5
"""Threshold in the heads of a fold; no figure reads it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures of the folds, then write the shipped files."""
    options = _parser().parse_args(arguments)
    rows = read_rows(options.folder, options.splits, HAZARDS)
    features = load_features(options, rows)
    seen = class_log_odds(features.probabilities, class_table(TABLE))
    nets = fold_nets(features, rows, options.folds)
    raw = out_of_fold(nets, features, rows)
    open_ = photographs(rows, options.folds)
    parts = {"folds": judged(rows, cross_fitted(raw, seen, rows, options.folds), open_)}
    mixing = fit_mixing(raw, seen, rows, open_)
    if options.locked:
        # The locked sources are judged by a net of all open ones, as they would be in use.
        net = train(features, rows, rows.parts != LOCKED)
        scores = mixing.scores(net.scores(features.pooled[0]), seen)
        parts["locked"] = judged(rows, scores, photographs(rows, (LOCKED,)))
    sys.stdout.write(side_by_side(parts) + "\n")
    if options.document:
        report = fold_report(raw, seen, rows, options.folds)
        write_table(options.document, "left out", code(readable(report)))
    if options.fold_heads:
        write_fold_heads(options.fold_heads, nets, raw, features, rows)
    if not options.cross_validate:
        _ship(options, features, rows, mixing, threshold(mixing, raw, seen, rows, options.folds))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/train_starter", description="Train the heads that come with the starter model."
    )
    parser.add_argument("folder", type=Path, help="the training set")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path.home() / ".local/share/watchword/models/starter",
        help="folder of the starter model",
    )
    parser.add_argument("--out", type=Path, default=HEADS_FILE.parent, help="where the files are written")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="the part of each source")
    parser.add_argument("--folds", type=lambda text: tuple(text.split(",")), default=FOLDS)
    parser.add_argument("--cross-validate", action="store_true", help="print figures, write nothing")
    parser.add_argument("--locked", action="store_true", help="print figures of the locked sources too")
    parser.add_argument(
        "--fold-heads", type=Path, help="write into this folder the heads that were trained without each fold"
    )
    parser.add_argument(
        "--document",
        type=Path,
        help="write the figures of the folds into this document as `evaluate` does",
    )
    parser.add_argument(
        "--features", type=Path, help="read the features from this file, or write them into it"
    )
    return parser


def load_features(options: argparse.Namespace, rows: Rows) -> Features:
    """From the file of `--features`, or from the pictures and into that file; by `folder` and `model`."""
    if options.features and options.features.is_file():
        return read_features(options.features)
    features = extract(options.folder, rows, options.model / NETWORK_FILE)
    if options.features:
        write_features(features, options.features)
    return features


def class_table(path: Path) -> NDArray[np.float32]:
    """(H, CLASSES): 1 where a class of the classifier is a hazard."""
    table = np.zeros((len(HAZARDS), CLASSES), np.float32)
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            table[HAZARDS.index(row["hazard"]), int(row["index"])] = 1
    return table


def write_fold_heads(
    folder: Path, nets: Mapping[str, Net], raw: NDArray[Any], features: Features, rows: Rows
) -> None:
    """`PART.npz` for each fold: trained and calibrated on the other folds, for clips of its sources."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = class_table(TABLE)
    seen = class_log_odds(features.probabilities, classes)
    for fold, net in nets.items():
        others = tuple(other for other in nets if other != fold) or (fold,)
        heads = heads_of(
            net=net,
            mixing=fit_mixing(raw, seen, rows, photographs(rows, others)),
            hazards=HAZARDS,
            classes=classes,
            threshold=_LEVEL,
            centre=centre_of(features.pooled[0][photographs(rows, others)]),
        )
        atomic_file.write(folder / f"{fold}.npz", heads_bytes(heads))


def _ship(options: argparse.Namespace, features: Features, rows: Rows, mixing: Mixing, limit_: float) -> None:
    heads = heads_of(
        # All sources, the locked ones included: the figures have been taken, and every picture helps.
        net=train(features, rows, np.ones(len(rows.names), np.bool_)),
        mixing=mixing,
        hazards=HAZARDS,
        classes=class_table(TABLE),
        threshold=limit_,
        centre=centre_of(features.pooled[0][rows.photographs]),
    )
    ranges = measured_ranges(options.folder, rows, options.model / NETWORK_FILE)
    atomic_file.write(options.out / RANGES_FILE.name, input_ranges_bytes(ranges))
    file = options.out / HEADS_FILE.name
    # Before the table, which holds the fingerprint of this file.
    atomic_file.write(file, heads_bytes(heads))
    table = calibration_of(
        options.model, file, heads, features.probabilities[rows.photographs], rows.shown[rows.photographs]
    )
    table.write(options.out / CALIBRATION_FILE)
    sys.stdout.write(f"{file}: {file.stat().st_size} bytes, threshold {limit_:.3f}\n")


if __name__ == "__main__":
    raise SystemExit(main())
