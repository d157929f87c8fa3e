"""`watchword calibrate SOURCE --false-alerts-per-hour N`: thresholds that fit the life of who wears it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from capture.camera import Camera
from capture.factory import open_camera
from common.redact import redact
from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.replay.footage import ScoredFootage, score
from daemon.tools.calibrate_labelled import LabelledScores, cost, fitted, seen_by, told_lines
from daemon.wiring import app
from daemon.wiring.app import DetectorBundle
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.fit_thresholds import METHOD, ThresholdChoice, ThresholdPlan, make_plan
from pipeline.calibration.normal_view import write_normal
from pipeline.calibration.repository import CalibrationRepository
from pipeline.calibration.table import CalibrationTable, Fit, Provenance
from pipeline.detection.scorer import prompt_fingerprints
from pipeline.evaluation.dataset import Dataset, read_dataset
from pipeline.hazards import prompt_set
from pipeline.models.base import ImageTextModel
from pipeline.types import Severity

_LINE = "; the line: "


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", nargs="?", help="footage WITHOUT danger: a video, a folder, a camera, an address"
    )
    parser.add_argument(
        "--false-alerts-per-hour",
        dest="budget",
        metavar="N",
        type=_budget,
        default=1.0,
        help="how many false alerts an hour are acceptable in all (default: 1)",
    )
    parser.add_argument(
        "--minutes",
        metavar="M",
        type=_minutes,
        help="how long to look (a camera: 60 unless given; a file: to its end)",
    )
    parser.add_argument(
        "--labelled",
        metavar="MANIFEST.csv",
        type=Path,
        help="labelled pictures and clips: fits slope and offset of every hazard that has pictures from "
        "enough sources, and tells what the new thresholds cost in recall",
    )
    parser.add_argument("--dry-run", action="store_true", help="tell, but change nothing")
    parser.add_argument("--undo", action="store_true", help="go back to the calibration before this one")


def _budget(text: str) -> float:
    value = float(text)
    if not 0 < value < 10_000:
        raise argparse.ArgumentTypeError("a number above 0, such as 0.5")
    return value


_minutes = _budget


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Look, choose, tell, write. Raises CommandError, CalibrationError, CameraError."""
    if args.undo:
        return _undo(settings)
    if args.source is None:
        raise CommandError("calibrate: name footage without danger, a camera, or --undo")
    labelled = read_dataset(args.labelled, settings.hazards.keys()) if args.labelled else None
    if labelled is not None:
        _open(settings, args.source).close()  # a wrong name is told before minutes of pictures
    calibrations, model = app.open_calibrations(settings), app.load_model(settings)
    if not args.dry_run:
        calibrations.require_place(model.name)
    lines = _lines(settings, calibrations, model, labelled)
    detector = app.build_detector(without_baseline(settings), model, table=lines.table)
    watched = _look(settings, detector, args.source, args.minutes)
    hazards = watched_hazards(detector)
    if watched.footage.seconds <= 0:
        raise CommandError(f"{redact(args.source)}: shows fewer than two frames; name a longer recording")
    plan = make_plan(watched.footage, hazards, settings.watch, args.budget, settings.pipeline.usual_s)
    _say(report_lines(plan))
    _say(_fixed(settings))
    if lines.before and lines.now:
        chosen = [choice.threshold for choice in plan.choices]
        after = [replace(h, threshold=t) for h, t in zip(hazards, chosen, strict=True)]
        _say(cost(settings, lines.before, (lines.now, after)))
    if args.dry_run:
        _say(["dry run: nothing was changed"])
        return 0
    place = _keep(settings, calibrations, detector, lines.table, watched, plan, redact(args.source))
    _say([f"written to {place}; `watchword reload` or a restart makes it hold, --undo takes it back"])
    return 0


def without_baseline(settings: Settings) -> Settings:
    """Nothing is taken off for the normal view: how much is depends on thresholds yet to be chosen."""
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"usual_s": 0.0})})


@dataclass(frozen=True, slots=True)
class CalibrationStart:
    """The lines that thresholds are chosen for, and what was seen in labelled pictures and clips."""

    table: CalibrationTable
    before: tuple[LabelledScores, Sequence[HazardThreshold]] | None = None
    """With the lines and thresholds until now."""
    now: LabelledScores | None = None


def _lines(
    settings: Settings, calibrations: CalibrationRepository, model: ImageTextModel, labelled: Dataset | None
) -> CalibrationStart:
    """Labelled pictures are looked at before the footage: what is wrong with them shows in minutes."""
    hazards = app.enabled_hazards(settings)
    prompts = prompt_set(hazards)
    table = calibrations.lines(model, prompts)
    if labelled is None:
        return CalibrationStart(table)
    detector = app.build_detector(without_baseline(settings), model, table=table)
    seen = seen_by(settings, detector, labelled)
    before = seen, watched_hazards(detector)
    if not labelled.pictures:
        return CalibrationStart(table, before, seen)
    lines = fitted(settings, model, hazards, labelled)
    _say(told_lines(lines))
    table = lines.over(table, prompt_fingerprints(model, prompts))
    if lines.fits:
        seen = seen_by(settings, app.build_detector(without_baseline(settings), model, table=table), labelled)
    if calibrations.shipped(model.name) is None and (lacking := set(lines.reasons) & set(prompts.names)):
        _say([f"not measured: {', '.join(sorted(lacking))}; so `auto` leaves {model.name} to who names it"])
    return CalibrationStart(table, before, seen)


def _undo(settings: Settings) -> int:
    name = settings.pipeline.model
    if name == "auto":
        name = app.load_model(settings).name
    _say([f"{name} uses {app.open_calibrations(settings).undo(name)} again, from the next start on"])
    return 0


def watched_hazards(detector: DetectorBundle) -> tuple[HazardThreshold, ...]:
    """The hazards with the calibration's thresholds; what the settings fix is not ours to choose."""
    return tuple(
        HazardThreshold(h.name, Severity(h.severity), detector.thresholds[h.name])
        for h in detector.spec.hazards
    )


def _look(settings: Settings, detector: DetectorBundle, source: str, minutes: float | None) -> ScoredFootage:
    camera = _open(settings, source)
    longest_s = 60 * (minutes or (60.0 if camera.live else float("inf")))
    shown = FootageProgress(longest_s)
    try:
        return score(camera, detector.assessor, longest_s, shown)
    finally:
        shown.end()
        camera.close()


def _open(settings: Settings, source: str) -> Camera:
    return open_camera(app.source_path(settings, source), settings.capture)


class FootageProgress:
    """One line on a terminal, at most once a second of footage."""

    def __init__(self, longest_s: float) -> None:
        self._of = "" if longest_s == float("inf") else f" of {longest_s / 60:.0f}"
        self._next_s = 0.0
        self._shown = False

    def __call__(self, seconds: float) -> None:
        if seconds >= self._next_s and sys.stderr.isatty():
            self._next_s, self._shown = seconds + 1, True
            sys.stderr.write(f"\r{seconds / 60:.1f}{self._of} minutes seen")

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\n")


def report_lines(plan: ThresholdPlan) -> Iterable[str]:
    """What was chosen, what it rests on, and how far it can be trusted."""
    minutes = plan.hours * 60
    yield f"{minutes:.1f} minutes of footage; budget {plan.budget_per_hour:g} false alerts an hour"
    yield f"{'hazard':20} {'before':>7} {'now':>7}  {'alerts':>9}  from"
    for one in plan.choices:
        alerts = f"{one.alerts_before} -> {one.alerts}"
        yield f"{one.hazard:20} {one.before:7.3f} {one.threshold:7.3f}  {alerts:>9}  {_basis(one)}"
    for word, count in (("before", plan.alerts_before), ("now", plan.alerts)):
        rate, low, high = plan.rate(count)
        yield f"{word}: {count} alerts, {rate:.2f} an hour; 95 % interval {low:.2f} to {high:.2f}"
    if plan.rate(plan.alerts)[2] > 3 * plan.budget_per_hour:
        needed = 3 / plan.budget_per_hour
        yield (
            f"{minutes:.1f} minutes cannot show {plan.budget_per_hour:g} an hour: about {needed:.1f} hours "
            "without an alert would; thresholds marked extrapolated reckon with ten times the footage at most"
        )


def _basis(choice: ThresholdChoice) -> str:
    if choice.interval is None:
        return choice.basis
    low, high = choice.interval
    return f"{choice.basis}, 95 % interval {low:.3f} to {high:.3f}"


def _fixed(settings: Settings) -> Iterable[str]:
    for name, hazard in settings.hazards.items():
        if hazard.enabled and hazard.threshold != "auto":
            yield f"hazards.{name}.threshold = {hazard.threshold} in the settings stands above this one"


def _keep(
    settings: Settings,
    calibrations: CalibrationRepository,
    detector: DetectorBundle,
    base: CalibrationTable,
    watched: ScoredFootage,
    plan: ThresholdPlan,
    source: str,
) -> Path:
    made = Provenance(
        method=METHOD,
        source=source,
        seconds=round(watched.footage.seconds, 2),
        frames=len(watched.footage.times_s),
        false_alerts_per_hour=plan.budget_per_hour,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_by=version("watchword"),
    )
    marks = prompt_fingerprints(detector.model, prompt_set(app.enabled_hazards(settings)))
    fits = {one.hazard: _fit(base, one, marks.get(one.hazard, "")) for one in plan.choices}
    write_normal(settings.paths.state, detector.model, watched.embeddings)
    return calibrations.write(base.model_copy(update={"hazards": fits, "made": made}))


def _fit(base: CalibrationTable, choice: ThresholdChoice, mark: str) -> Fit:
    """The line with the chosen threshold."""
    own = base.hazards.get(choice.hazard)
    line = own if own is not None and own.fingerprint == mark else base.generic
    said = f"{choice.basis}{_LINE}{line.provenance.rpartition(_LINE)[2]}"
    return line.model_copy(update={"threshold": choice.threshold, "fingerprint": mark, "provenance": said})


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
