"""`evaluate --cross-validate`: what fitting to the labelled media is worth on sources it has not seen.

The sources of the manifest are dealt into folds. The media of each fold are judged by a detector that was
fitted to the other folds, exactly as the commands do that fit one: `calibrate --labelled` (a line for each
hazard) or `models fit` (heads). So every figure is of sources left out, and tells what the fit to all of them
will be worth on the next source.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.tools.cached_model import cached
from daemon.tools.calibrate_labelled import fitted
from daemon.tools.evaluate import (
    ReplayedClip,
    events_of,
    picture_figures,
    replay_clips,
    score_pictures,
    video_figures,
)
from daemon.tools.fit_heads import fitted_model, head_examples
from daemon.wiring.detector import DetectorBundle, build_detector, enabled_hazards
from daemon.wiring.models import choose_model, load_bare, load_model
from daemon.wiring.store import open_calibrations
from pipeline.calibration.fit_heads import fit_heads
from pipeline.calibration.fit_labelled import is_derived
from pipeline.calibration.table import CalibrationError, CalibrationTable
from pipeline.detection.scorer import prompt_fingerprints
from pipeline.evaluation.clips import count_clips
from pipeline.evaluation.dataset import IGNORE, SCENE, Dataset, LabelledClip, LabelledPicture
from pipeline.evaluation.folds import source_folds
from pipeline.hazards import prompt_set
from pipeline.models.base import ImageTextModel
from pipeline.models.embedding_heads import EmbeddingHeads, FittedModel

log = logging.getLogger(__name__)

Fitted = Literal["calibration", "heads"]
WAYS: tuple[Fitted, ...] = get_args(Fitted)
Medium = LabelledPicture | LabelledClip
_COMPARED = ("any_hazard", "safe", "macro")


@dataclass(frozen=True, slots=True)
class FoldFit:
    """A fit to the other folds, and why it was not made for some hazards."""

    table: CalibrationTable
    reasons: Mapping[str, str]
    heads: EmbeddingHeads | None = None

    def detector(self, settings: Settings, model: ImageTextModel) -> DetectorBundle:
        """The detector with the fit over the model that it was made for."""
        better = model if self.heads is None else FittedModel(model, self.heads)
        return build_detector(settings, better, table=self.table)


@dataclass(frozen=True, slots=True, eq=False)
class FoldResult:
    """The result of one fold's detector for it."""

    names: tuple[str, ...]
    pictures: tuple[LabelledPicture, ...]
    probabilities: NDArray[np.float32]
    """(N, H)"""
    thresholds: NDArray[np.float64]
    """(H,), of pictures."""
    replays: tuple[ReplayedClip, ...]
    reasons: Mapping[str, str]


def cross_validate(
    settings: Settings, dataset: Dataset, what: Fitted, model: ImageTextModel | None = None
) -> Mapping[str, Any]:
    """The figures of `evaluate`, each medium judged by a detector fitted without its source.

    `cross_validation` tells how it was fitted, and `as_shipped` has figures without any fit. Clips that are
    made of others are left out. Raises CommandError for fewer than two sources, CalibrationError if nothing
    can be fitted, CameraUnusable. `model`: by default that of the settings.
    """
    media: list[Medium] = [*dataset.pictures, *(clip for clip in dataset.clips if not is_derived(clip))]
    if len({one.source for one in media}) < 2:
        raise CommandError(
            "--cross-validate: needs two sources at least, one to fit to and one to judge; name the source "
            "of each file in the column 'source'"
        )
    model, folds = model or _model(settings, what), deal(media)
    models = model, cached(model)
    results = [_fold(settings, models, what, media, folds == number) for number in range(folds.max() + 1)]
    return {
        "model": model.name,
        **_figures(settings, results),
        "cross_validation": {
            "fitted": what,
            "folds": len(results),
            "sources": len({one.source for one in media}),
            "sources_stated": any(one.source != str(one.path) for one in media),
            "left_out_clips": len(dataset.pictures) + len(dataset.clips) - len(media),
            "hazards": _hazards(results),
            "as_shipped": _as_shipped(settings, models, dataset_of(media)),
        },
    }


Models = tuple[ImageTextModel, ImageTextModel]
"""The model, and the same with a cache: pictures are looked at in every fold, frames of clips too often to be
kept."""


def _fold(
    settings: Settings,
    models: Models,
    what: Fitted,
    media: Sequence[Medium],
    judged: NDArray[np.bool_],
) -> FoldResult:
    """Fit to the media that are not judged, and judge the others."""
    own = dataset_of(one for one, is_own in zip(media, judged, strict=True) if is_own)
    others = dataset_of(one for one, is_own in zip(media, judged, strict=True) if not is_own)
    fit = _FITS[what](settings, models[1], others)
    detector = fit.detector(settings, models[1])
    log.info("%d files are judged by a fit to %d others", judged.sum(), len(media) - judged.sum())
    return FoldResult(
        names=tuple(hazard.name for hazard in detector.picture_hazards),
        pictures=own.pictures,
        probabilities=_scores(settings, detector, own.pictures),
        thresholds=_limits(detector),
        replays=tuple(replay_clips(settings, fit.detector(settings, models[0]), own.clips)),
        reasons=fit.reasons,
    )


def _scores(
    settings: Settings, detector: DetectorBundle, pictures: Sequence[LabelledPicture]
) -> NDArray[np.float32]:
    if not pictures:
        return np.zeros((0, len(detector.picture_hazards)), np.float32)
    return score_pictures(settings, detector, pictures)


def _figures(settings: Settings, results: Sequence[FoldResult]) -> dict[str, Any]:
    """Of all folds together."""
    report: dict[str, Any] = {}
    if pictures := [picture for one in results for picture in one.pictures]:
        limits = [np.broadcast_to(one.thresholds, one.probabilities.shape) for one in results]
        report |= picture_figures(
            results[0].names,
            np.concatenate([one.probabilities for one in results]),
            np.concatenate(limits),
            pictures,
        )
    if replays := [replay for one in results for replay in one.replays]:
        report["videos"] = video_figures(settings, replays)
    return report


def deal(media: Sequence[Medium]) -> NDArray[np.intp]:
    """The fold of each medium, by source; every label is spread over the folds."""
    labels = [_labels(one) for one in media]
    names = sorted({label for own in labels for label in own})
    kinds = np.array([[name in own for name in names] for own in labels], np.float64)
    return source_folds([one.source for one in media], kinds.reshape(len(media), -1))


def _labels(one: Medium) -> frozenset[str]:
    if isinstance(one, LabelledPicture):
        return frozenset(one.labels)
    return frozenset(span.label for span in one.spans) - {SCENE, IGNORE}


def dataset_of(media: Iterable[Medium]) -> Dataset:
    """Pictures and clips apart, in their order."""
    media = tuple(media)
    return Dataset(
        tuple(one for one in media if isinstance(one, LabelledPicture)),
        tuple(one for one in media if isinstance(one, LabelledClip)),
    )


def _model(settings: Settings, what: Fitted) -> ImageTextModel:
    """Heads are fitted to the bare model; lines to the model as it runs, with heads fitted here before."""
    return load_model(settings) if what == "calibration" else load_bare(settings, choose_model(settings).name)


def _fit_calibration(settings: Settings, model: ImageTextModel, labelled: Dataset) -> FoldFit:
    hazards = enabled_hazards(settings)
    lines = fitted(settings, model, hazards, labelled)
    marks = prompt_fingerprints(model, prompt_set(hazards))
    return FoldFit(lines.over(open_calibrations(settings).base(model), marks), lines.reasons)


def _fit_heads(settings: Settings, model: ImageTextModel, labelled: Dataset) -> FoldFit:
    try:
        heads = fit_heads(head_examples(settings, model, labelled))
    except CalibrationError as error:
        raise CalibrationError(f"--cross-validate: without one fold of the sources {error}") from error
    better, table = fitted_model(model, heads, open_calibrations(settings).base(model))
    return FoldFit(table, heads.reasons, better.heads)


_FITS: Mapping[Fitted, Callable[[Settings, ImageTextModel, Dataset], FoldFit]] = {
    "calibration": _fit_calibration,
    "heads": _fit_heads,
}


def _limits(detector: DetectorBundle) -> NDArray[np.float64]:
    return np.array([hazard.threshold for hazard in detector.picture_hazards])


def _hazards(results: Sequence[FoldResult]) -> dict[str, dict[str, Any]]:
    """In how many folds each hazard was fitted, and why it was not in the first of the others."""
    return {
        name: {
            "fitted_in": sum(name not in one.reasons for one in results),
            "reason": next((one.reasons[name] for one in results if name in one.reasons), None),
        }
        for name in results[0].names
    }


def _as_shipped(settings: Settings, models: Models, dataset: Dataset) -> dict[str, Any]:
    """The headline figures without any fit to labels of the user's."""
    table = open_calibrations(settings).base(models[0])
    bare, kept = (build_detector(settings, model, table=table) for model in models)
    report: dict[str, Any] = {}
    if dataset.pictures:
        names = [hazard.name for hazard in kept.picture_hazards]
        scores = score_pictures(settings, kept, dataset.pictures)
        whole = picture_figures(names, scores, _limits(kept), dataset.pictures)
        report |= {key: whole[key] for key in _COMPARED}
    if dataset.clips:
        report["videos"] = count_clips(events_of(replay_clips(settings, bare, dataset.clips)))
    return report
