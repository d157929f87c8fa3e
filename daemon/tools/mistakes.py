"""Collects a detector's mistakes on labelled pictures and clips, with thumbnails."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from capture.camera import CameraError
from capture.frame import Image
from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.tools.report_mistakes import Mistake, Mistakes, thumbnail
from daemon.wiring.detector import DetectorBundle
from daemon.wiring.sources import open_recorded
from pipeline.evaluation.clip_counts import ClipEvents, hazard_spans, is_late, is_wrong, wait_for
from pipeline.evaluation.dataset import SAFE, LabelledClip, LabelledPicture, Span


def of_pictures(
    settings: Settings,
    detector: DetectorBundle,
    pictures: Sequence[LabelledPicture],
    probabilities: NDArray[np.float32],
) -> Mistakes:
    """Pictures with a hazard that stayed below its threshold, and safe ones with any above."""
    names = [hazard.name for hazard in detector.picture_hazards]
    # Relative to the threshold, so that hazards with different ones can be ranked; the floor allows 0.
    ratios = probabilities / np.array([max(h.threshold, 1e-6) for h in detector.picture_hazards])
    misses, false = [], []
    for picture, p, ratio in zip(pictures, probabilities, ratios, strict=True):
        # A hazard in doubt can be no false alarm.
        certain = np.where([name in picture.uncertain for name in names], 0.0, ratio)
        top = int(certain.argmax())
        likeliest = f"{names[top]} {p[top]:.2f}"
        if picture.label == SAFE and certain[top] >= 1:
            false.append(_still(settings, picture, f"taken for {likeliest}", float(certain[top])))
        for column, name in enumerate(names):
            if name in picture.labels and ratio[column] < 1:
                says = f"{name} {p[column]:.2f}; likeliest {likeliest}"
                # Negative, because the worst miss is the one with the smallest ratio.
                misses.append(_still(settings, picture, says, -float(ratio[column])))
    return Mistakes(tuple(misses), tuple(false))


def _still(settings: Settings, picture: LabelledPicture, says: str, badness: float) -> Mistake:
    image, _ = load_image(picture.path, settings.capture.max_side)
    return Mistake(picture.path.name, says, badness, thumbnail(image))


def of_clips(settings: Settings, clips: Iterable[tuple[LabelledClip, ClipEvents]]) -> Mistakes:
    """Hazards alerted late or never, and alerts that name a hazard that is not there."""
    found = Mistakes()
    for clip, events in clips:
        missed = [(span, wait) for span in hazard_spans(clip) if is_late(wait := wait_for(span, events))]
        wrong = [one for one in events.alerts if is_wrong(clip, one)]
        views = _views(settings, clip, {*(s.start_s for s, _ in missed), *(one.time_s for one in wrong)})
        found += Mistakes(
            tuple(_missed(clip, span, wait, views.get(span.start_s)) for span, wait in missed),
            tuple(
                Mistake(
                    f"{clip.path.name} at {one.time_s:.1f} s",
                    f"alert of {one.hazard}",
                    1.0,
                    views.get(one.time_s),
                )
                for one in wrong
            ),
        )
    return found


def _missed(clip: LabelledClip, span: Span, wait: float | None, view: Image | None) -> Mistake:
    says = f"{span.label} never alerted" if wait is None else f"{span.label} alerted after {wait:.1f} s"
    # Never alerted sorts before any delay.
    return Mistake(f"{clip.path.name} from {span.start_s:.1f} s", says, 1e3 if wait is None else wait, view)


def _views(settings: Settings, clip: LabelledClip, times_s: Collection[float]) -> Mapping[float, Image]:
    """The first frame at or after each time; fewer where the clip cannot be read that far."""
    waiting, found = sorted(times_s), {}
    if not waiting:
        return {}
    try:
        camera = open_recorded(settings, str(clip.path))
        try:
            while waiting and (frame := camera.read()) is not None:
                # Several mistakes can fall on one frame; the tolerance covers rounded times in a manifest.
                while waiting and frame.captured_at_s >= waiting[0] - 1e-6:
                    found[waiting.pop(0)] = thumbnail(frame.image)
        finally:
            camera.close()
    # A clip that cannot be read to its end still gets a page, with some pictures missing.
    except CameraError:
        return found
    return found
