"""What each part of the recogniser is worth on sources left out: `script/ablation FOLDER --cache DIR`.

Each part is left out by itself, with two folds and one seed. Heads are judged on photographs and on frames of
harmless footage; the way from scores to alerts on footage and on clips made of photographs. What takes long
is kept in DIR: features, clips and their scores. Locked sources take no part.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import WatchwordError
from daemon.tools.maintainer.document import write_table
from daemon.tools.maintainer.footage import make_clips
from daemon.tools.maintainer.footage.alert_tables import rule_table
from daemon.tools.maintainer.footage.score_series import open_series, score_clips
from daemon.tools.maintainer.heads.features import Features
from daemon.tools.maintainer.heads.head_figures import any_auc, found, limit, macro_recall
from daemon.tools.maintainer.heads.head_folds import (
    HAZARDS,
    cross_fitted,
    fold_nets,
    judged,
    out_of_fold,
    photographs,
)
from daemon.tools.maintainer.heads.head_mixing import CLASS_SHARE
from daemon.tools.maintainer.heads.head_training import Recipe
from daemon.tools.maintainer.heads.splits import SPLITS, read_splits
from daemon.tools.maintainer.heads.train_starter import (
    TABLE,
    class_table,
    load_features,
    write_fold_heads,
)
from daemon.tools.maintainer.heads.training_set import ALIKE, Rows, read_rows
from daemon.tools.maintainer.printing import print_lines
from pipeline.log_odds import sigmoid
from pipeline.models.starter.heads import HEADS_FILE, class_log_odds, read_heads

FOLDS = ("0", "1")
SEED = (1,)
CLIP_HOURS, CLIPS_EACH = 0.4, 5
"""Of harmless clips made for the two folds, and clips of each hazard: minutes to score."""


@dataclass(frozen=True, slots=True)
class HeadVariant:
    """A recipe for heads, and the share of the score that comes from the classifier's own classes."""

    name: str
    recipe: Recipe = field(default_factory=lambda: Recipe(seeds=SEED))
    class_share: float = CLASS_SHARE


VARIANTS = (
    HeadVariant("as shipped, but for one seed"),
    HeadVariant("heads alone, without the classifier's classes", class_share=0.0),
    HeadVariant("the classifier's classes alone, without heads", class_share=1.0),
    HeadVariant("linear heads, without a hidden layer", Recipe(seeds=SEED, hidden=0)),
    HeadVariant("without augmented versions", Recipe(seeds=SEED, augmented=False)),
    HeadVariant("without footage among the training pictures", Recipe(seeds=SEED, footage=False)),
    HeadVariant("without weights of sources", Recipe(seeds=SEED, weighted=False)),
    HeadVariant('without the loss of "any hazard"', Recipe(seeds=SEED, any_weight=0.0)),
    HeadVariant("without the focal factor", Recipe(seeds=SEED, focus=0.0)),
    HeadVariant("with pictures mixed (mixup 0.2), not shipped", Recipe(seeds=SEED, mixup=0.2)),
    HeadVariant("another seed", Recipe(seeds=(2,))),
)


def head_table(features: Features, rows: Rows, folds: tuple[str, ...] = FOLDS) -> Iterable[str]:
    """The figures of every variant on the folds' photographs, and on frames of their harmless footage."""
    seen = class_log_odds(features.probabilities, class_table(TABLE))
    yield "| heads | any-hazard AUC | found | macro recall | harmless frames alarmed |"
    yield "|---|--:|--:|--:|--:|"
    for variant in VARIANTS:
        raw = out_of_fold(fold_nets(features, rows, folds, variant.recipe), features, rows)
        scores = cross_fitted(raw, seen, rows, folds, variant.class_share)
        yield f"| {variant.name} | {_figures(rows, scores, folds)} |"


def _figures(rows: Rows, scores: NDArray[Any], folds: tuple[str, ...]) -> str:
    of = judged(rows, scores, photographs(rows, folds))
    frames = ~rows.photographs & rows.safe & np.isin(rows.parts, folds) & ~np.isin(rows.sources, ALIKE)
    threshold = limit(of)
    alarmed = None
    if threshold is not None and frames.any():
        alarmed = float((sigmoid(scores[frames]).max(1) > threshold).mean())
    figures = (any_auc(of), found(of), macro_recall(of), alarmed)
    return " | ".join("-" if value is None else f"{value:.3f}" for value in figures)


def alert_table(options: argparse.Namespace, features: Features, rows: Rows) -> Iterable[str]:
    """The figures of alerts on clips, scored by heads that were trained without their fold."""
    folders = options.scores or _scored(options, features, rows)
    yield from rule_table(open_series(folders), float(read_heads(HEADS_FILE).threshold[0]))


def _scored(options: argparse.Namespace, features: Features, rows: Rows) -> list[Path]:
    """Folders of scores of both folds' footage and of clips made of their photographs."""
    nets = fold_nets(features, rows, FOLDS, Recipe(seeds=SEED))
    heads = options.cache / "heads"
    write_fold_heads(heads, nets, out_of_fold(nets, features, rows), features, rows)
    # Scores belong to the heads that gave them: those of other heads must not be used.
    mark = sha256(b"".join((heads / f"{fold}.npz").read_bytes() for fold in FOLDS)).hexdigest()[:12]
    made, folders = options.cache / "clips", [options.cache / f"{name}-{mark}" for name in ("real", "made")]
    if not (made / "videos.csv").is_file():
        parts = ["--parts", ",".join(FOLDS), "--splits", str(options.splits)]
        amount = ["--hours", str(CLIP_HOURS), "--each", str(CLIPS_EACH)]
        if make_clips.main([str(options.folder), str(made), *parts, *amount]):
            raise WatchwordError(f"{made}: no clips were made")
    for manifest, out in zip((options.folder, made), folders, strict=True):
        score_clips(manifest / "videos.csv", heads, out, read_splits(options.splits))
    return folders


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables."""
    options = _parser().parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    options.features = options.cache / "features.npz"
    return print_lines(_tables(options))


def _tables(options: argparse.Namespace) -> Iterable[str]:
    rows = read_rows(options.folder, options.splits, HAZARDS)
    features = load_features(options, rows)
    for name, table in (
        ("ablation of heads", head_table(features, rows)),
        ("ablation of alerts", alert_table(options, features, rows)),
    ):
        lines = list(table)
        yield from (*lines, "")
        if options.document:
            write_table(options.document, name, lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/ablation", description=__doc__)
    parser.add_argument("folder", type=Path, help="the training set")
    parser.add_argument("--cache", type=Path, required=True, help="folder for features, clips and scores")
    parser.add_argument(
        "--model", type=Path, default=Path.home() / ".local/share/watchword/models/starter", help="its folder"
    )
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        help="folders of `score_series` for the alerts, instead of new ones",
    )
    parser.add_argument("--document", type=Path, help="write both tables into this document")
    parser.add_argument("--splits", type=Path, default=SPLITS, help="the part of each source")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
