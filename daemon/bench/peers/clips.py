"""Clips whose scene changes are known: labelled, joined of harmless ones, or made of pictures.

Every clip is played at RATE pictures a second; a slower one repeats its frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from capture.files import VideoFile
from capture.frame import Frame, Image
from capture.image_folder import list_folder
from daemon.bench.peers.made_clips import SIZE, covering, made_frames
from daemon.bench.peers.outcome import ChangeKind
from daemon.bench.pipeline_under_test import FRAMES_PER_S
from daemon.config.settings import Settings
from daemon.errors import CommandError
from daemon.wiring.sources import DEMO, source_path
from pipeline.evaluation.dataset import SAFE, SCENE, LabelledClip, read_dataset

RATE = FRAMES_PER_S
DEMO_CUTS_S = (1.2, 3.04, 5.48, 7.48, 9.68)
"""The cuts of the demo clip, found by eye."""
PART_S = 6.0
"""Seconds of each clip or picture in a joined one."""
_PARTS = 10
"""Parts of a joined clip."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrame:
    """A picture of a clip; `change` is set on the first one of another scene."""

    at_s: float
    image: Image
    change: ChangeKind | None = None


@dataclass(frozen=True, slots=True)
class SceneClip:
    """A clip that can be played again and again."""

    name: str
    play: Callable[[], Iterator[ClipFrame]]


def find_clips(settings: Settings, given: Path | None, seconds: float) -> list[SceneClip]:
    """The clips of a folder of pictures or of a manifest, about `seconds` in all; by default the demo clip.

    Of a manifest the clips with scene changes, else its harmless clips joined, else its harmless pictures.
    Raises StoreError, DatasetError, CameraUnusable, CommandError.
    """
    if given is None:
        path = Path(source_path(settings, DEMO))
        return [SceneClip(DEMO, lambda: labelled(frames_of(settings, path), DEMO_CUTS_S))]
    parts = max(2, round(seconds / PART_S))
    if given.is_dir():
        return made_of(list_folder(given).images, parts)
    dataset = read_dataset(given, settings.hazards.keys())
    scenes = [clip for clip in dataset.clips if cuts_of(clip)]
    if scenes:
        return [_labelled_clip(settings, clip) for clip in scenes]
    harmless = [clip for clip in dataset.clips if {span.label for span in clip.spans} == {SAFE}]
    if len(harmless) > 1:
        return joined_of(settings, by_turns(harmless, parts))
    pictures = [one.path for one in dataset.pictures if one.labels == (SAFE,)]
    if len(pictures) > 1:
        return made_of(pictures, parts)
    raise CommandError(f"--clips {given}: has neither scene changes nor two harmless clips or pictures")


def cuts_of(clip: LabelledClip) -> list[float]:
    """The labelled scene changes, in order."""
    return sorted(span.start_s for span in clip.spans if span.label == SCENE)


def by_turns(clips: Sequence[LabelledClip], most: int) -> list[LabelledClip]:
    """At most `most` clips, one of each source in turn, so that neighbours are different places."""
    sources: dict[str, list[LabelledClip]] = {}
    for clip in clips:
        sources.setdefault(clip.source, []).append(clip)
    chosen: list[LabelledClip] = []
    for turn in zip_longest(*sources.values()):
        for clip in turn:
            # Two clips of one source in a row may show one place, so that their join would be no change.
            if clip is not None and (not chosen or chosen[-1].source != clip.source):
                chosen.append(clip)
    return chosen[:most]


def joined_of(settings: Settings, clips: Sequence[LabelledClip]) -> list[SceneClip]:
    """Clips of _PARTS parts each, with a cut at every join."""
    return [
        SceneClip(
            f"joined {start // _PARTS + 1}",
            lambda group=clips[start : start + _PARTS]: joined(  # type: ignore[misc]
                [frames_of(settings, clip.path) for clip in group]
            ),
        )
        for start in range(0, len(clips), _PARTS)
    ]


def made_of(pictures: Sequence[Path], most: int) -> list[SceneClip]:
    """Clips of at most `most` pictures, evenly chosen, _PARTS in each, as by a camera that is carried."""
    step = max(1, len(pictures) // most)
    chosen = list(pictures)[::step][:most]
    return [
        SceneClip(
            f"made {start // _PARTS + 1}",
            lambda group=chosen[start : start + _PARTS], seed=start: (  # type: ignore[misc]
                ClipFrame(*frame) for frame in made_frames(group, PART_S, RATE, seed)
            ),
        )
        for start in range(0, len(chosen), _PARTS)
    ]


def labelled(frames: Iterable[tuple[float, Image]], cuts_s: Sequence[float]) -> Iterator[ClipFrame]:
    """The frames at RATE, with the change marked on the first frame at or after each cut."""
    waiting = sorted(cuts_s)
    for at_s, image in at_rate(frames, RATE):
        change: ChangeKind | None = None
        while waiting and waiting[0] <= at_s + 1e-6:
            waiting.pop(0)
            change = "cut"
        yield ClipFrame(at_s, image, change)


def joined(parts: Sequence[Iterable[tuple[float, Image]]]) -> Iterator[ClipFrame]:
    """The first PART_S seconds of each part, one after the other."""
    offset_s = 0.0
    for number, part in enumerate(parts):
        last_s = 0.0
        for place, (at_s, image) in enumerate(at_rate(part, RATE)):
            if at_s >= PART_S:
                break
            last_s = at_s
            change: ChangeKind | None = "cut" if number and not place else None
            # One size, as one camera gives: some rules compare a frame with the one before point by point.
            yield ClipFrame(offset_s + at_s, covering(image, *SIZE), change)
        offset_s += last_s + 1 / RATE


def at_rate(frames: Iterable[tuple[float, Image]], rate: float) -> Iterator[tuple[float, Image]]:
    """The newest frame at every multiple of 1 / `rate`, from 0 to the last frame."""
    tick, last = 0, None
    for at_s, image in frames:
        # Half an interval of tolerance: a camera's frames do not come exactly evenly.
        while last is not None and tick / rate < at_s - 0.5 / rate:
            yield tick / rate, last
            tick += 1
        last = image
    if last is not None:
        yield tick / rate, last


def frames_of(settings: Settings, path: Path) -> Iterator[tuple[float, Image]]:
    """The frames of a video from 0 s on. Raises CameraUnusable."""
    video = VideoFile(path, settings.capture)
    first: Frame | None = None
    try:
        while (frame := video.read()) is not None:
            first = first or frame
            yield frame.captured_at_s - first.captured_at_s, frame.image
    finally:
        video.close()


def _labelled_clip(settings: Settings, clip: LabelledClip) -> SceneClip:
    return SceneClip(clip.path.name, lambda: labelled(frames_of(settings, clip.path), cuts_of(clip)))
