"""Measures the detector on labelled pictures and clips."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.tools.mistakes import of_clips, of_pictures
from daemon.tools.report_mistakes import Mistakes
from daemon.tools.silent_replay import silent_replay
from daemon.wiring.detector import DetectorBundle, build_detector
from pipeline.alerting.alert_policy import HazardThreshold
from pipeline.calibration.operating_curve import JudgedClip, operating_curve
from pipeline.evaluation.clip_counts import AlertTime, ClipEvents
from pipeline.evaluation.clips import evaluate_clips
from pipeline.evaluation.dataset import Dataset, LabelledClip, LabelledPicture
from pipeline.evaluation.picture_scores import PictureScores
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.types import Severity

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ReplayedClip:
    """A clip, the decisions over it, and what they were made from."""

    judged: JudgedClip
    events: ClipEvents


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationDetails:
    """What a page shows beside the figures."""

    pictures: PictureScores | None = None
    """None if there are no pictures."""
    clips: Sequence[ReplayedClip] = ()
    mistakes: Mistakes = field(default_factory=Mistakes)


def evaluate(
    settings: Settings,
    dataset: Dataset,
    *,
    details: bool,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Mapping[str, Any], EvaluationDetails]:
    """The figures of the settings' detector on labelled media, and what they rest on if `details`.

    `progress` is told how far it is, in words.

    The keys are those of `watchword evaluate --json`. Raises CameraUnusable.
    """
    detector = build_detector(settings)
    report: dict[str, Any] = {"model": detector.model.name}
    scores, replays, mistakes = None, list[ReplayedClip](), Mistakes()
    if dataset.pictures:
        probabilities = score_pictures(settings, detector, dataset.pictures, progress)
        report |= _pictures(detector, dataset.pictures, probabilities)
        if details:
            scores = _picture_scores(detector, dataset.pictures, probabilities)
            mistakes += of_pictures(settings, detector, dataset.pictures, probabilities)
    if dataset.clips:
        replays = replay_clips(settings, detector, dataset.clips)
        report["videos"] = video_figures(settings, replays)
        if details:
            mistakes += of_clips(settings, events_of(replays))
    return report, EvaluationDetails(scores, replays, mistakes)


def score_pictures(
    settings: Settings,
    detector: DetectorBundle,
    pictures: Sequence[LabelledPicture],
    progress: Callable[[str], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Every picture scored as a frame would be, without anything that needs time: (N, H)."""
    rows = []
    for number, picture in enumerate(pictures, 1):
        progress(f"picture {number} of {len(pictures)}")
        # Limited to the capture's size: the daemon never sees a larger picture either.
        image, _ = load_image(picture.path, settings.capture.max_side)
        rows.append(detector.detector.score_image(image)[1])
    return np.stack(rows)


def _pictures(
    detector: DetectorBundle, pictures: Sequence[LabelledPicture], probabilities: NDArray[np.float32]
) -> Mapping[str, Any]:
    names = [h.name for h in detector.picture_hazards]
    thresholds = np.array([h.threshold for h in detector.picture_hazards])
    return picture_figures(names, probabilities, thresholds, pictures)


def _picture_scores(
    detector: DetectorBundle, pictures: Sequence[LabelledPicture], probabilities: NDArray[np.float32]
) -> PictureScores:
    return PictureScores(
        [h.name for h in detector.picture_hazards],
        probabilities,
        np.array([h.threshold for h in detector.picture_hazards]),
        [picture.labels for picture in pictures],
        [picture.uncertain for picture in pictures],
    )


def picture_figures(
    names: Sequence[str],
    probabilities: NDArray[Any],
    thresholds: NDArray[Any],
    pictures: Sequence[LabelledPicture],
) -> Mapping[str, Any]:
    """The figures of pictures, from probabilities (N, H) and thresholds (H,) or (N, H)."""
    return evaluate_pictures(
        names,
        probabilities,
        thresholds,
        [picture.labels for picture in pictures],
        [picture.source for picture in pictures],
        [picture.uncertain for picture in pictures],
    )


def replay_clips(
    settings: Settings, detector: DetectorBundle, labelled: Sequence[LabelledClip]
) -> list[ReplayedClip]:
    """The daemon's own decisions over each clip. Raises CameraUnusable."""
    hazards = [HazardThreshold(h.name, Severity(h.severity), h.threshold) for h in detector.spec.hazards]
    replays = []
    for clip in labelled:
        seen = silent_replay(settings, detector, clip.path)
        # The manifest's word on the camera's motion counts; without one it is measured.
        clip = replace(clip, camera=clip.camera or seen.camera)
        events = clip_events(seen.events)
        replays.append(ReplayedClip(JudgedClip(clip, seen.series, hazards), events))
        log.info("%s: %d alerts", clip.path.name, len(events.alerts))
    return replays


def events_of(replays: Iterable[ReplayedClip]) -> list[tuple[LabelledClip, ClipEvents]]:
    """The clips with the decisions over each."""
    return [(one.judged.clip, one.events) for one in replays]


def video_figures(settings: Settings, replays: Sequence[ReplayedClip]) -> Mapping[str, Any]:
    """The video part of `evaluate --json`."""
    curve = operating_curve([one.judged for one in replays], settings.watch)
    return {**evaluate_clips(events_of(replays)), "operating_curve": curve}


def clip_figures(settings: Settings, clips: Sequence[LabelledClip]) -> Mapping[str, Any]:
    """The figures of clips, by the detector of the settings."""
    return video_figures(settings, replay_clips(settings, build_detector(settings), clips))


def clip_events(events: Iterable[Event]) -> ClipEvents:
    """The alerts, clears and scenes among a replay's events, whose last one is the summary."""
    events = list(events)
    return ClipEvents(
        duration_s=events[-1].fields["last_frame_s"],
        alerts=_raised(events, "alert"),
        clears=_raised(events, "clear"),
        # Only changes that the daemon noticed itself: a request or a danger is no scene change.
        scenes=tuple(e.t for e in events if e.kind == "scene" and e.fields["trigger"] == "scene_change"),
    )


def _raised(events: Iterable[Event], kind: str) -> tuple[AlertTime, ...]:
    return tuple(AlertTime(e.fields["hazard"], e.t) for e in events if e.kind == kind)
