"""`watchword evaluate MANIFEST.csv`: what the detector is worth on labelled pictures and clips."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.image_file import load_image
from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.errors import CommandError
from daemon.tools.mistakes import of_clips, of_pictures
from daemon.tools.report_page import Mistakes, page
from daemon.tools.silent_replay import replay_events
from daemon.wiring import app
from daemon.wiring.app import DetectorBundle
from pipeline.evaluation.clips import AlertTime, ClipEvents, evaluate_clips
from pipeline.evaluation.dataset import LabelledClip, LabelledPicture, read_dataset
from pipeline.evaluation.pictures import evaluate_pictures

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("manifest", type=Path, help="CSV of file,label or file,label,start_s,end_s")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write every figure there")
    parser.add_argument(
        "--html", type=Path, metavar="OUT.html", help="the figures on one page, with the worst mistakes"
    )


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Print the figures, and write them where asked. Raises ManifestError, CameraUnusable."""
    manifest = read_dataset(args.manifest, settings.hazards.keys())
    wanted = {"--json": args.json, "--html": args.html}
    for option, path in wanted.items():
        _probe(option, path)
    detector = app.build_detector(settings)
    report: dict[str, Any] = {"model": detector.model.name}
    mistakes = Mistakes()
    if manifest.pictures:
        probabilities = _probabilities(settings, detector, manifest.pictures)
        report |= _pictures(detector, manifest.pictures, probabilities)
        if args.html is not None:
            mistakes += of_pictures(settings, detector, manifest.pictures, probabilities)
    if manifest.clips:
        clips = [_clip(settings, detector, clip) for clip in manifest.clips]
        report["videos"] = evaluate_clips(clips)
        if args.html is not None:
            mistakes += of_clips(settings, clips)
    sys.stdout.writelines(f"{line}\n" for line in readable(report))
    sys.stdout.flush()
    if args.json is not None:
        _write("--json", args.json, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    if args.html is not None:
        _write("--html", args.html, page(report, mistakes, str(args.manifest)))
    return 0


def _probabilities(
    settings: Settings, detector: DetectorBundle, pictures: Sequence[LabelledPicture]
) -> NDArray[np.float32]:
    """Every picture scored as a frame would be, without anything that needs time: (N, H)."""
    rows = []
    for picture in pictures:
        image, _ = load_image(picture.path, settings.capture.max_side)
        rows.append(detector.assessor.look(image)[1])
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
    detector = app.build_detector(settings)
    return evaluate_clips([_clip(settings, detector, clip) for clip in clips])


def clip_events(events: Iterable[Event]) -> ClipEvents:
    """What counts of a replay's events. The last event is the summary."""
    events = list(events)
    return ClipEvents(
        duration_s=events[-1].fields["last_frame_s"],
        alerts=_raised(events, "alert"),
        clears=_raised(events, "clear"),
        scenes=tuple(e.t for e in events if e.kind == "scene" and e.fields["trigger"] == "scene_change"),
    )


def _raised(events: Iterable[Event], kind: str) -> tuple[AlertTime, ...]:
    return tuple(AlertTime(e.fields["hazard"], e.t) for e in events if e.kind == kind)


def _probe(option: str, path: Path | None) -> None:
    """Whether it can be written, before the long work; what it holds stays. Raises CommandError."""
    if path is None:
        return
    there = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from error


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from error


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
