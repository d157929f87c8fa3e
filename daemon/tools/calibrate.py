"""Fits thresholds to ordinary footage, so that false alerts stay within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
from daemon.wiring.detector import DetectorBundle, build_detector, enabled_hazards
from daemon.wiring.models import load_model
from daemon.wiring.sources import source_path
from daemon.wiring.store import open_calibrations
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.fit_thresholds import HIGHEST, METHOD, ThresholdChoice, ThresholdPlan, make_plan
from pipeline.calibration.normal_view import write_normal
from pipeline.calibration.repository import CalibrationRepository
from pipeline.calibration.sweep import ScoreSeries, replay_alerts
from pipeline.calibration.table import CalibrationTable, Fit, Provenance
from pipeline.detection.scorer import prompt_fingerprints
from pipeline.evaluation.dataset import Dataset, read_dataset
from pipeline.evaluation.intervals import poisson_interval
from pipeline.hazards import prompt_set
from pipeline.models.base import ImageTextModel
from pipeline.selection.vote import VotingModel
from pipeline.types import Severity

_LINE = "; the line: "
_TIMES_SHOWN = 5
CAMERA_MINUTES = 60.0
"""Minutes for which a camera is recorded unless `minutes` is given."""


Report = Callable[[str], object]
"""Receives one line for the user."""
Progress = Callable[[float, float], None]
"""Receives the seconds of footage scored so far and the most there can be (may be infinite)."""


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """The footage to calibrate on, and the budget."""

    source: str
    """Footage without danger: a file, a folder, a camera, an address."""
    budget_per_hour: float
    """False alerts an hour that are acceptable in all."""
    minutes: float | None = None
    """Minutes of footage to use; None: `CAMERA_MINUTES` of a camera, a file to its end."""
    labelled: Path | None = None
    """A manifest of labelled pictures and clips."""


@dataclass(frozen=True, slots=True, eq=False)
class FootageCalibration:
    """The result of a calibration, and what a page shows of it."""

    place: Path | None
    """The file written; None if nothing was to be kept."""
    model: str
    plan: ThresholdPlan
    footage: ScoreSeries
    """The scores of the footage, the normal view not taken off."""
    hazards: tuple[HazardThreshold, ...]
    """With the thresholds before."""
    labelled_before: LabelledScores | None = None
    labelled_now: LabelledScores | None = None


def calibrate(
    settings: Settings, request: CalibrationRequest, *, keep: bool, report: Report, progress: Progress
) -> FootageCalibration:
    """Fit thresholds to footage without danger and report them.

    Nothing is changed without `keep`. Raises CommandError,
    CalibrationError, CameraError, ManifestError.
    """
    source = redact(request.source)
    labelled = read_dataset(request.labelled, settings.hazards.keys()) if request.labelled else None
    if labelled is not None:
        # A wrong name is reported before the minutes that the pictures take.
        _open(settings, request.source).close()
    calibrations, model = open_calibrations(settings), load_model(settings)
    # Before the footage: a folder that cannot be written is reported before an hour of looking.
    if keep:
        calibrations.require_place(model.name)
    start = _calibration_start(settings, calibrations, model, labelled, report)
    # Without the baseline, which depends on the thresholds that are chosen here; the plan applies it
    # afterwards.
    detector = build_detector(without_baseline(settings), model, table=start.table)
    scored = _score(settings, detector, request, progress)
    hazards = watched_hazards(detector)
    # One frame has no duration, so a rate per hour cannot be computed.
    if scored.footage.seconds <= 0:
        raise CommandError(f"{source}: shows fewer than two frames; name a longer recording")
    plan = make_plan(
        scored.footage,
        hazards,
        settings.watch,
        request.budget_per_hour,
        settings.pipeline.usual_s,
        scored.footage.during(scored.moving),
    )
    _report(
        report,
        report_lines(plan),
        raised_lines(settings, hazards, scored.footage, plan),
        motion_lines(settings, hazards, scored, plan),
        _fixed(settings),
    )
    if start.before and start.now:
        chosen = [choice.threshold for choice in plan.choices]
        after = [replace(h, threshold=t) for h, t in zip(hazards, chosen, strict=True)]
        _report(report, cost(settings, start.before, (start.now, after)))
    place = _keep(settings, calibrations, detector, start.table, scored, plan, source) if keep else None
    labelled_before = start.before[0] if start.before else None
    return FootageCalibration(place, model.name, plan, scored.footage, hazards, labelled_before, start.now)


def undo(settings: Settings) -> tuple[str, str]:
    """Go back to the previous calibration. Returns the model's name and the calibration it uses again."""
    name = settings.pipeline.model
    # Which model `auto` means is known only after loading.
    if name == "auto":
        name = load_model(settings).name
    return name, str(open_calibrations(settings).undo(name))


def without_baseline(settings: Settings) -> Settings:
    """The settings without the baseline, which depends on thresholds that are yet to be chosen."""
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"usual_s": 0.0})})


@dataclass(frozen=True, slots=True)
class CalibrationStart:
    """The table whose thresholds are to be chosen, and the scores of labelled pictures and clips."""

    table: CalibrationTable
    before: tuple[LabelledScores, Sequence[HazardThreshold]] | None = None
    """Scores and thresholds with the present lines."""
    now: LabelledScores | None = None
    """Scores with the lines of `table`."""


def _calibration_start(
    settings: Settings,
    calibrations: CalibrationRepository,
    model: ImageTextModel,
    labelled: Dataset | None,
    report: Report,
) -> CalibrationStart:
    """Score the labelled pictures before the footage, so that a mistake in them shows within minutes."""
    hazards = enabled_hazards(settings)
    prompts = prompt_set(hazards)
    table = calibrations.lines(model, prompts)
    if labelled is None:
        return CalibrationStart(table)
    detector = build_detector(without_baseline(settings), model, table=table)
    seen = seen_by(settings, detector, labelled)
    before = seen, watched_hazards(detector)
    if not labelled.pictures:
        return CalibrationStart(table, before, seen)
    lines = fitted(settings, model, hazards, labelled)
    _report(report, told_lines(lines))
    table = lines.over(table, prompt_fingerprints(model, prompts))
    # Other lines give other scores: the cost is computed from the scores that the new lines give.
    if lines.fits:
        seen = seen_by(settings, build_detector(without_baseline(settings), model, table=table), labelled)
    # The user's own hazards do not matter here: the starter has no heads for them, and so no vote.
    lacking = sorted(set(lines.reasons) & prompts.shipped)
    if isinstance(model, VotingModel) and lacking:
        report(f"not measured with labels, so that the starter keeps voting on: {', '.join(lacking)}")
    return CalibrationStart(table, before, seen)


def watched_hazards(detector: DetectorBundle) -> tuple[HazardThreshold, ...]:
    """The hazards with the calibration's thresholds; thresholds fixed in the settings are ignored."""
    return tuple(
        HazardThreshold(h.name, Severity(h.severity), detector.thresholds[h.name])
        for h in detector.spec.hazards
    )


def _score(
    settings: Settings, detector: DetectorBundle, request: CalibrationRequest, progress: Progress
) -> ScoredFootage:
    camera = _open(settings, request.source)
    longest_s = 60 * (request.minutes or (CAMERA_MINUTES if camera.live else float("inf")))
    try:
        return score(camera, detector.detector, longest_s, lambda seconds: progress(seconds, longest_s))
    finally:
        camera.close()


def _open(settings: Settings, source: str) -> Camera:
    return open_camera(source_path(settings, source), settings.capture)


def report_lines(plan: ThresholdPlan) -> Iterable[str]:
    """The chosen thresholds, their basis, and their confidence intervals."""
    minutes = plan.hours * 60
    yield f"{minutes:.1f} minutes of footage; budget {plan.budget_per_hour:g} false alerts an hour"
    yield f"{'hazard':20} {'before':>7} {'now':>7}  {'alerts':>9}  from"
    for one in plan.choices:
        alerts = f"{one.alerts_before} -> {one.alerts}"
        yield f"{one.hazard:20} {one.before:7.3f} {one.threshold:7.3f}  {alerts:>9}  {_basis(one)}"
    for word, count in (("before", plan.alerts_before), ("now", plan.alerts)):
        rate, low, high = plan.rate(count)
        yield f"{word}: {count} alerts, {rate:.2f} an hour; 95 % interval {low:.2f} to {high:.2f}"
    # The upper end of the interval: with no alert in T hours it is about 3 / T (the rule of three).
    if plan.rate(plan.alerts)[2] > 3 * plan.budget_per_hour:
        needed = 3 / plan.budget_per_hour
        yield (
            f"{minutes:.1f} minutes cannot show {plan.budget_per_hour:g} an hour: about {needed:.1f} hours "
            "without an alert would; thresholds marked extrapolated reckon with ten times the footage at most"
        )


def raised_lines(
    settings: Settings, hazards: Sequence[HazardThreshold], footage: ScoreSeries, plan: ThresholdPlan
) -> Iterable[str]:
    """Each hazard whose alerts in the footage raised its threshold, with their times.

    The footage is taken to be harmless. If it was not, a danger that is there is what the fit silences, and
    only a person who looks at those seconds can tell.
    """
    events = replay_alerts(footage, hazards, settings.watch, settings.pipeline.usual_s).alerts
    for one in plan.choices:
        times = [alert.time_s for alert in events if alert.hazard == one.hazard]
        if not times or one.threshold <= one.before:
            continue
        seconds = ", ".join(f"{time_s:.0f}" for time_s in times[:_TIMES_SHOWN])
        more = f" and {len(times) - _TIMES_SHOWN} more" if len(times) > _TIMES_SHOWN else ""
        effect = "is hardly ever announced" if one.threshold >= HIGHEST else f"needs {one.threshold:.3f}"
        yield (
            f"{one.hazard} {effect} from now on, because of its alerts at second {seconds}{more}; if one of "
            "them was right, the footage is not harmless: take this back with --undo, and use other footage"
        )


def motion_lines(
    settings: Settings, hazards: Sequence[HazardThreshold], scored: ScoredFootage, plan: ThresholdPlan
) -> Iterable[str]:
    """The false alerts at the chosen thresholds while the camera moved, and while it stood still."""
    chosen = [replace(h, threshold=c.threshold) for h, c in zip(hazards, plan.choices, strict=True)]
    events = replay_alerts(scored.footage, chosen, settings.watch, settings.pipeline.usual_s)
    moved_s = sum(end_s - start_s for start_s, end_s in scored.moving)
    moving = sum(any(start <= one.time_s < end for start, end in scored.moving) for one in events.alerts)
    whole = (("moving", moved_s, moving), ("still", scored.footage.seconds - moved_s, plan.alerts - moving))
    for word, seconds, count in whole:
        if seconds > 0:
            low, high = (bound * 3600 / seconds for bound in poisson_interval(count))
            yield (
                f"{word} camera: {seconds / 60:.1f} minutes, {count} alerts, {count * 3600 / seconds:.2f} an "
                f"hour; 95 % interval {low:.2f} to {high:.2f}"
            )
    if moved_s == 0:
        yield "the camera stood still throughout; a worn one alerts more often: calibrate while it is worn"


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
    scored: ScoredFootage,
    plan: ThresholdPlan,
    source: str,
) -> Path:
    made = Provenance(
        method=METHOD,
        source=source,
        seconds=round(scored.footage.seconds, 2),
        frames=len(scored.footage.times_s),
        false_alerts_per_hour=plan.budget_per_hour,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_by=version("watchword"),
    )
    # Fingerprints of the prompts: a threshold must not outlive the words that it was fitted to.
    marks = prompt_fingerprints(detector.model, prompt_set(enabled_hazards(settings)))
    fits = {one.hazard: _fit(base, one, marks.get(one.hazard, "")) for one in plan.choices}
    # Harmless views of this camera, which `teach` uses as examples of what the hazard is not.
    write_normal(settings.paths.state, detector.model, scored.encodings)
    return calibrations.write(base.model_copy(update={"hazards": fits, "made": made}))


def _fit(base: CalibrationTable, choice: ThresholdChoice, mark: str) -> Fit:
    """The line with the chosen threshold."""
    own = base.hazards.get(choice.hazard)
    # A line fitted to other prompts does not count; the model's generic one replaces it.
    line = own if own is not None and own.fingerprint == mark else base.generic
    # Only the line's own origin is kept: repeated calibrations would otherwise grow this text without end.
    said = f"{choice.basis}{_LINE}{line.provenance.rpartition(_LINE)[2]}"
    return line.model_copy(update={"threshold": choice.threshold, "fingerprint": mark, "provenance": said})


def _report(report: Report, *groups: Iterable[str]) -> None:
    for lines in groups:
        for line in lines:
            report(line)
