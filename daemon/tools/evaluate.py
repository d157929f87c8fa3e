"""Measures the detector on labelled pictures and clips."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.tools.mistakes import of_clips, of_pictures
from daemon.tools.report_page import Mistakes
from daemon.tools.silent_replay import replay_events
from daemon.wiring.detector import DetectorBundle, build_detector
from pipeline.evaluation.clip_counts import AlertTime, ClipEvents
from pipeline.evaluation.clips import evaluate_clips
from pipeline.evaluation.dataset import Dataset, LabelledClip, LabelledPicture
from pipeline.evaluation.pictures import evaluate_pictures

log = logging.getLogger(__name__)


def evaluate(
    settings: Settings, dataset: Dataset, *, collect_mistakes: bool
) -> tuple[Mapping[str, Any], Mistakes]:
    """The figures of the settings' detector on labelled media, and the mistakes if `collect_mistakes`.

    The keys are those of `watchword evaluate --json`. Raises CameraUnusable.
    """
    detector = build_detector(settings)
    report: dict[str, Any] = {"model": detector.model.name}
    mistakes = Mistakes()
    if dataset.pictures:
        probabilities = _probabilities(settings, detector, dataset.pictures)
        report |= _pictures(detector, dataset.pictures, probabilities)
        if collect_mistakes:
            mistakes += of_pictures(settings, detector, dataset.pictures, probabilities)
    if dataset.clips:
        clips = [_clip(settings, detector, clip) for clip in dataset.clips]
        report["videos"] = evaluate_clips(clips)
        if collect_mistakes:
            mistakes += of_clips(settings, clips)
    return report, mistakes


def _probabilities(
    settings: Settings, detector: DetectorBundle, pictures: Sequence[LabelledPicture]
) -> NDArray[np.float32]:
    """Every picture scored as a frame would be, without anything that needs time: (N, H)."""
    rows = []
    for picture in pictures:
        image, _ = load_image(picture.path, settings.capture.max_side)
        rows.append(detector.detector.score_image(image)[1])
    return np.stack(rows)


def _pictures(
    detector: DetectorBundle, pictures: Sequence[LabelledPicture], probabilities: NDArray[np.float32]
) -> Mapping[str, Any]:
    return evaluate_pictures(
        [h.name for h in detector.spec.hazards],
        probabilities,
        np.array([h.threshold for h in detector.spec.hazards]),
        [picture.label for picture in pictures],
        [picture.source for picture in pictures],
    )


def _clip(
    settings: Settings, detector: DetectorBundle, clip: LabelledClip
) -> tuple[LabelledClip, ClipEvents]:
    """The daemon's own decisions over a clip."""
    events = replay_events(settings, detector, clip.path)
    seen = clip_events(events)
    log.info("%s: %d alerts", clip.path.name, len(seen.alerts))
    return clip, seen


def clip_figures(settings: Settings, clips: Sequence[LabelledClip]) -> Mapping[str, Any]:
    """The figures of clips, by the detector of the settings."""
    detector = build_detector(settings)
    return evaluate_clips([_clip(settings, detector, clip) for clip in clips])


def clip_events(events: Iterable[Event]) -> ClipEvents:
    """The alerts, clears and scenes among a replay's events, whose last one is the summary."""
    events = list(events)
    return ClipEvents(
        duration_s=events[-1].fields["last_frame_s"],
        alerts=_raised(events, "alert"),
        clears=_raised(events, "clear"),
        scenes=tuple(e.t for e in events if e.kind == "scene" and e.fields["trigger"] == "scene_change"),
    )


def _raised(events: Iterable[Event], kind: str) -> tuple[AlertTime, ...]:
    return tuple(AlertTime(e.fields["hazard"], e.t) for e in events if e.kind == kind)


def readable(report: Mapping[str, Any]) -> Iterable[str]:
    """The figures as lines; in brackets the 95 % interval, "unknown" where a single source says nothing."""
    if "hazards" in report:
        yield from _picture_lines(report)
    if "videos" in report:
        yield from _clip_lines(report["videos"])


def _picture_lines(report: Mapping[str, Any]) -> Iterable[str]:
    macro, safe = report["macro"], report["safe"]
    yield f"any hazard against safe: AUC {_figure(report['any_hazard'], 'auc')}"
    yield f"false alarms on {safe['pictures']} safe pictures: {_figure(safe, 'false_alarm_rate')}"
    yield f"mean over hazards: recall {_figure(macro, 'recall')}, precision {_figure(macro, 'precision')}"
    heads = "".join(f"{head:22}" for head in ("AUC", "average precision", "recall", "precision"))
    yield f"{'hazard':20} {'pictures':>8}  {heads}".rstrip()
    for name, one in report["hazards"].items():
        figures = "".join(f"{_figure(one, key):22}" for key in _HAZARD)
        yield f"{name:20} {one['pictures']:>8}  {figures}".rstrip()
    yield "over threshold, by label:"
    for label, counts in report["confusion"].items():
        yield f"{label:20} " + ", ".join(f"{name} {n}" for name, n in counts.items())


def _clip_lines(videos: Mapping[str, Any]) -> Iterable[str]:
    in_time = videos["hazards"] - videos["late_or_missed"]
    yield f"clips: {in_time} of {videos['hazards']} hazards alerted within 1 s: {_figure(videos, 'in_time')}"
    yield f"median time to alert in seconds: {_figure(videos, 'median_time_to_alert_s')}"
    yield (
        f"false alerts: {videos['false_alerts_on_safe']} in {videos['safe_hours'] * 60:.1f} safe minutes; "
        f"an hour: {_figure(videos, 'false_alerts_per_hour')}"
    )
    found, scenes = videos["scenes_found"], videos["scenes"]
    yield f"scene changes: {found} of {scenes} found, {videos['scenes_extra']} more"


_HAZARD = ("auc", "average_precision", "recall", "precision")


def _figure(part: Mapping[str, Any], key: str) -> str:
    value, interval = part[key], part[f"{key}_ci"]
    if value is None:
        return "-"
    return f"{value:.3f} " + (f"[{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "[unknown]")
