"""`calibrate --labelled`: fits calibration lines, and reports the cost of thresholds in recall."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.replay.footage import score
from daemon.wiring.detector import DetectorBundle
from daemon.wiring.sources import open_recorded
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.fit_labelled import examples_of, fit_with_quality
from pipeline.calibration.sweep import ScoreSeries, replay_alerts
from pipeline.calibration.table import CalibrationTable, Fit
from pipeline.detection.detector import NotFiniteError
from pipeline.evaluation.clips import evaluate_clips
from pipeline.evaluation.dataset import Dataset, LabelledClip, LabelledPicture
from pipeline.hazards import Hazard, prompt_set
from pipeline.models.base import ImageTextModel


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScores:
    """Labelled pictures and clips with a detector's scores, without the baseline."""

    pictures: Sequence[LabelledPicture]
    rows: NDArray[np.float32]
    """(N, H): probabilities of the pictures."""
    clips: Sequence[tuple[LabelledClip, ScoreSeries]]


@dataclass(frozen=True, slots=True)
class FittedLines:
    """The fitted hazards, and why each of the others was not."""

    fits: Mapping[str, Fit]
    reasons: Mapping[str, str]

    def over(self, table: CalibrationTable, marks: Mapping[str, str]) -> CalibrationTable:
        """The table with these lines; hazards that were not fitted keep theirs."""
        marked = {
            name: fit.model_copy(update={"fingerprint": marks[name]}) for name, fit in self.fits.items()
        }
        return table.model_copy(update={"hazards": {**table.hazards, **marked}})


def fitted(
    settings: Settings, model: ImageTextModel, hazards: Sequence[Hazard], labelled: Dataset
) -> FittedLines:
    """Fit a line for every hazard with enough sources. Raises CameraUnusable."""
    bank = model.bind(prompt_set(hazards))
    side = settings.capture.max_side

    def read(path: Path) -> Image:
        return load_image(path, side)[0]

    def scores(image: Image) -> NDArray[np.float64]:
        return np.asarray(bank.scores(model.encode(image)), np.float64)

    # A model's numbers for a degenerate picture may be infinite; one of them would spoil the fit.
    examples = [e for e in examples_of(labelled, read, scores) if np.isfinite(e.scores).all()]
    by_name = {hazard.name: hazard for hazard in hazards}
    fits: dict[str, Fit] = {}
    # A hazard without prompts has no line: its taught pictures are its calibration.
    reasons = {h.name: "has no words, only pictures that taught it" for h in hazards if not h.prompts}
    for column, name in enumerate(bank.names):
        try:
            fits[name] = fit_with_quality(column, by_name[name], examples)
        # Too few sources for this hazard; the others are still fitted.
        except ValueError as error:
            reasons[name] = str(error)
    return FittedLines(fits, reasons)


def told_lines(lines: FittedLines) -> Iterable[str]:
    """The fitted hazards with the quality of their lines, and the others with the reasons."""
    yield "slope and offset from labelled pictures; each picture judged by a line made without its source:"
    yield f"{'hazard':20} {'AUC':>6} {'recall':>7} {'false':>10} {'log loss':>9}  from"
    for name, fit in lines.fits.items():
        # `fit_with_quality` always measures.
        assert fit.measured
        found = fit.measured
        false = f"{found.false_alarms} of {found.harmless}"
        yield (
            f"{name:20} {_figure(found.auc):>6} {found.recall:7.3f} {false:>10} "
            f"{_figure(found.log_loss):>9}  {fit.provenance}"
        )
    for name, reason in lines.reasons.items():
        yield f"{name:20} not fitted, stays as it was: {reason}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def seen_by(settings: Settings, detector: DetectorBundle, labelled: Dataset) -> LabelledScores:
    """Score all pictures and clips; `detector` has no baseline. Raises CameraError, CommandError."""
    looks = []
    for picture in labelled.pictures:
        image = load_image(picture.path, settings.capture.max_side)[0]
        try:
            looks.append(detector.detector.score_image(image)[1])
        # Not skipped as in footage: a labelled picture that is left out would change the figures.
        except NotFiniteError as error:
            raise CommandError(f"{picture.path}: {error}") from None
    rows = np.stack(looks) if looks else np.zeros((0, 0), np.float32)
    clips: list[tuple[LabelledClip, ScoreSeries]] = []
    for clip in labelled.clips:
        camera = open_recorded(settings, str(clip.path))
        try:
            clips.append((clip, score(camera, detector.detector).footage))
        finally:
            camera.close()
    return LabelledScores(labelled.pictures, rows, clips)


def cost(
    settings: Settings,
    before: tuple[LabelledScores, Sequence[HazardThreshold]],
    now: tuple[LabelledScores, Sequence[HazardThreshold]],
) -> Iterable[str]:
    """The recall and false alerts before and after, each from its scores and thresholds."""
    if before[0].pictures:
        yield from _picture_cost(before, now)
    for word, (seen, hazards) in (("before", before), ("now", now)):
        if seen.clips:
            yield _clip_cost(settings, word, seen, hazards)


def _picture_cost(
    before: tuple[LabelledScores, Sequence[HazardThreshold]],
    now: tuple[LabelledScores, Sequence[HazardThreshold]],
) -> Iterable[str]:
    labels = np.array([picture.label for picture in before[0].pictures])
    yield "recall on labelled pictures, before and now:"
    for column, (was, new) in enumerate(zip(before[1], now[1], strict=True)):
        shown = labels == was.name
        # Recall is not defined without a picture of the hazard.
        if shown.any():
            old, found = (
                (seen.rows[shown, column] >= hazard.threshold).mean()
                for seen, hazard in ((before[0], was), (now[0], new))
            )
            yield f"{was.name:20} {old:7.3f} {found:7.3f}  of {shown.sum()}"


def _clip_cost(
    settings: Settings, word: str, seen: LabelledScores, hazards: Sequence[HazardThreshold]
) -> str:
    usual_s = settings.pipeline.usual_s
    figures = evaluate_clips(
        [(clip, replay_alerts(one, hazards, settings.watch, usual_s)) for clip, one in seen.clips]
    )
    in_time = figures["hazards"] - figures["late_or_missed"]
    return (
        f"labelled clips, {word}: {in_time} of {figures['hazards']} hazards alerted within 1 s, "
        f"{figures['false_alerts_on_safe']} false alerts"
    )
