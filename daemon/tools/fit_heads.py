"""`models fit`: trains heads on a model's embeddings of the user's labelled pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.wiring.models import load_bare
from daemon.wiring.store import open_calibrations
from pipeline.calibration.fit_heads import FittedHeads, HeadExamples, fit_heads
from pipeline.calibration.fit_labelled import examples_of
from pipeline.calibration.table import CalibrationTable
from pipeline.evaluation.dataset import SAFE, Dataset, read_dataset
from pipeline.evaluation.ranking import roc_auc
from pipeline.hazards import builtin_hazards, shipped_prompts
from pipeline.models.base import ImageTextModel
from pipeline.models.embedding_heads import EmbeddingHeads, FittedModel, heads_path, write_heads
from pipeline.models.prompts import hazard_fingerprints
from pipeline.types import Encoding

Report = Callable[[str], object]
HAZARDS = tuple(builtin_hazards())


def fit_model(settings: Settings, name: str, manifest: Path, report: Report) -> Path:
    """Fit heads and keep them in the state folder; returns their file.

    Raises StoreError, DatasetError, CameraUnusable, CalibrationError, OSError.
    """
    labelled = read_dataset(manifest, settings.hazards.keys())
    if not labelled.pictures:
        raise CommandError(f"{manifest}: lists no pictures; heads are fitted to pictures, clips only help")
    # Without heads fitted before: they would be fitted to themselves.
    model = load_bare(settings, name)
    report(f"{name}: encoding {len(labelled.pictures)} pictures and {len(labelled.clips)} clips")
    examples = head_examples(settings, model, labelled)
    fitted = fit_heads(examples)
    calibrations, path = open_calibrations(settings), heads_path(settings.paths.state, name)
    better, table = fitted_model(model, fitted, calibrations.base(model))
    _report(report, report_lines(fitted, _auc_of_words(model, examples)))
    place = calibrations.place_of_heads(name)
    # The folder exists only once something has been calibrated.
    place.parent.mkdir(parents=True, exist_ok=True)
    # The table first: without the heads it belongs to no model and is not used.
    table.write(place)
    write_heads(better.heads, path)
    return path


def fitted_model(
    model: ImageTextModel, fitted: FittedHeads, base: CalibrationTable
) -> tuple[FittedModel, CalibrationTable]:
    """The model with the heads, and its calibration; hazards without a head keep their line in `base`."""
    net = fitted.net
    heads = EmbeddingHeads(
        fitted.hazards,
        model.fingerprint,
        net.hidden_weight,
        net.hidden_bias,
        net.output_weight,
        net.output_bias,
    )
    better = FittedModel(model, heads)
    return better, _table(better, fitted, base)


def remove_heads(settings: Settings, name: str) -> bool:
    """Forget the heads of a model; False if there were none. Raises OSError."""
    path = heads_path(settings.paths.state, name)
    was_there = path.is_file()
    # The heads first: a table without heads is ignored, heads without their table would be miscalibrated.
    path.unlink(missing_ok=True)
    open_calibrations(settings).place_of_heads(name).unlink(missing_ok=True)
    return was_there


def head_examples(settings: Settings, model: ImageTextModel, labelled: Dataset) -> HeadExamples:
    """Embeddings of every picture and of four frames a second of every clip. Raises CameraUnusable."""

    def read(path: Path) -> Image:
        return load_image(path, settings.capture.max_side)[0]

    def embedding(image: Image) -> NDArray[np.float64]:
        return np.asarray(model.encode(image).embedding, np.float64)

    # Frames outside every labelled span have no label and teach nothing.
    examples = [one for one in examples_of(labelled, read, embedding) if one.labels]
    shown = np.array([[name in one.labels for name in HAZARDS] for one in examples], np.float32)
    # 1 where a label is known; the loss leaves the other cells out.
    known = np.ones_like(shown)
    # `examples_of` gives the pictures first, in the order of the manifest.
    for row, picture in enumerate(labelled.pictures):
        known[row, [HAZARDS.index(name) for name in picture.uncertain if name in HAZARDS]] = 0
    for row, one in enumerate(examples):
        # A frame that shows one hazard is not labelled for the others.
        if one.clip and one.labels != {SAFE}:
            known[row] = shown[row]
    return HeadExamples(
        HAZARDS,
        np.stack([one.scores for one in examples]).astype(np.float32),
        shown,
        known,
        np.array([one.source for one in examples]),
        np.array([not one.clip for one in examples]),
        # Surely harmless: a photograph labelled safe, with no hazard in doubt.
        np.array([not one.clip and one.labels == {SAFE} for one in examples]) & known.all(1),
    )


def _auc_of_words(model: ImageTextModel, examples: HeadExamples) -> dict[str, float]:
    """Figures of the model's prompts on the same photographs, by hazard."""
    if model.name == "starter":
        # The starter scores words on class probabilities, and not on embeddings.
        return {}
    prompts = shipped_prompts()
    bank = model.bind(prompts)
    # The words are scored on the embeddings that the heads get, so that both see the same input.
    rows = np.stack([bank.scores(Encoding(row)) for row in examples.embeddings]).astype(np.float64)
    aucs = {}
    # Photographs only: frames of one clip resemble each other and would count as many.
    for column, name in enumerate(prompts.names):
        shown = (examples.shown[:, HAZARDS.index(name)] > 0) & examples.photographs
        auc = roc_auc(rows[shown, column], rows[examples.harmless, column])
        if auc is not None:
            aucs[name] = auc
    return aucs


def report_lines(fitted: FittedHeads, words: dict[str, float]) -> Iterable[str]:
    """The fitted hazards with their figures beside those of words, and the others with the reasons."""
    yield f"heads, cross-validated by source in {fitted.folds} folds, beside the AUC of words:"
    yield f"{'hazard':20} {'words':>6} {'heads':>6} {'recall':>7} {'false':>10}  from"
    for name, fit in fitted.fits.items():
        # `fit_heads` always measures.
        assert fit.measured
        found = fit.measured
        before = f"{words[name]:.3f}" if name in words else "-"
        after = "-" if found.auc is None else f"{found.auc:.3f}"
        false = f"{found.false_alarms} of {found.harmless}"
        yield f"{name:20} {before:>6} {after:>6} {found.recall:7.3f} {false:>10}  {fit.provenance}"
    for name, reason in fitted.reasons.items():
        yield f"{name:20} not fitted, recognised as before: {reason}"


def _table(model: FittedModel, fitted: FittedHeads, base: CalibrationTable) -> CalibrationTable:
    """Fits of the heads; hazards without one keep their line in `base`."""
    prompts = shipped_prompts()
    # The fingerprint of model and heads together: other heads invalidate these lines.
    marks = dict(zip(prompts.names, hazard_fingerprints(model.fingerprint, prompts), strict=True))
    fits = {
        name: (fitted.fits.get(name) or base.hazards.get(name, base.generic)).model_copy(
            update={"fingerprint": mark}
        )
        for name, mark in marks.items()
    }
    return CalibrationTable(
        model=model.name, model_fingerprint=model.fingerprint, generic=base.generic, hazards=fits
    )


def _report(report: Report, lines: Iterable[str]) -> None:
    for line in lines:
        report(line)
