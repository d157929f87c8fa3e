"""Compares 8 bits with 32 on the photographs of sources left out: `compare_precisions FOLDER HEADS`.

FOLDER is the training set, HEADS the folder that `train_starter --fold-heads` wrote. Both precisions are
judged by the same heads, those that were trained without the photograph's fold.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.heads.features import Backbone
from daemon.tools.maintainer.heads.head_figures import side_by_side
from daemon.tools.maintainer.heads.head_folds import HAZARDS, judged, photographs
from daemon.tools.maintainer.heads.splits import FOLDS, SPLITS
from daemon.tools.maintainer.heads.training_set import Rows, pictures_of, read_rows
from daemon.tools.maintainer.printing import print_lines
from pipeline.log_odds import logit
from pipeline.models.precision import Precision
from pipeline.models.starter.heads import Heads, read_heads
from pipeline.models.starter.input_ranges import read_input_ranges
from pipeline.models.starter.model import NETWORK_FILE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="compare_precisions", description=__doc__)
    parser.add_argument("folder", type=Path, help="the training set")
    parser.add_argument("heads", type=Path, help="folder with the heads of each fold")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path.home() / ".local/share/watchword/models/starter",
        help="folder of the starter model",
    )
    options = parser.parse_args(arguments)
    rows = _photographs(read_rows(options.folder, SPLITS, HAZARDS))
    heads = {fold: read_heads(options.heads / f"{fold}.npz") for fold in FOLDS}
    return print_lines(report(options.folder, rows, heads, options.model / NETWORK_FILE))


def _photographs(rows: Rows) -> Rows:
    """Those of the folds alone."""
    chosen = photographs(rows, FOLDS)
    names = tuple(name for name, taken in zip(rows.names, chosen, strict=True) if taken)
    arrays = ("sources", "parts", "shown", "known", "photographs")
    return replace(rows, names=names, **{name: getattr(rows, name)[chosen] for name in arrays})


def report(folder: Path, rows: Rows, heads: dict[str, Heads], checkpoint: Path) -> Iterator[str]:
    """The figures of both precisions side by side, then how alike they decide."""
    ranges = {Precision.F32: None, Precision.INT8: read_input_ranges()}
    backbones = [Backbone(checkpoint, given) for given in ranges.values()]
    scores = [np.zeros(rows.shown.shape, np.float32) for _ in backbones]
    for row, picture in enumerate(pictures_of(folder, rows.names)):
        for backbone, out in zip(backbones, scores, strict=True):
            classes, pooled = backbone.look(picture)
            out[row] = heads[rows.parts[row]].scores(pooled[None], classes[None])[0]
    everything = np.ones(len(rows.names), np.bool_)
    yield side_by_side(
        {str(one): judged(rows, out, everything) for one, out in zip(ranges, scores, strict=True)}
    )
    yield from _alike(*scores)


def _alike(exact: NDArray[np.float32], small: NDArray[np.float32]) -> Iterator[str]:
    """At the threshold of the shipped heads."""
    limit = logit(float(read_heads().threshold[0]))
    same = (exact >= limit) == (small >= limit)
    drift = np.percentile(np.abs(exact - small), [50, 95])
    yield f"the same decision about a hazard: {same.mean():.2%}"
    yield f"about all hazards of a picture: {same.all(1).mean():.2%}"
    yield f"log-odds differ by {drift[0]:.2f} in the median, by {drift[1]:.2f} in the 95th percentile"


if __name__ == "__main__":
    sys.exit(main())
