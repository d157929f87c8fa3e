"""How much a picture may change before its encoding must be made anew: `pipeline.still_level`.

The real check runs over clips; wherever it would have kept the last encoding, the scores that were kept are
compared with those of the frame itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from capture.camera import Camera
from capture.frame import Image
from daemon.config.settings import Settings
from daemon.tools.maintainer.footage.score_series import LabelledSeries
from daemon.wiring.sources import open_recorded
from pipeline.calibration.table import shipped_starter
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.settings import PipelineSettings

LEVELS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""Grey levels."""
AGREE = 0.999
"""Share of the kept frames whose decisions must be those of the frame itself: a warning must not wait."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Frames, those whose encoding was kept, and those of them that were decided otherwise."""

    frames: int = 0
    kept: int = 0
    decided_otherwise: int = 0

    def __add__(self, other: Kept) -> Kept:
        return Kept(
            self.frames + other.frames,
            self.kept + other.kept,
            self.decided_otherwise + other.decided_otherwise,
        )

    @property
    def agreeing(self) -> float:
        """Share of the kept frames; 1 if none was kept."""
        return 1 - self.decided_otherwise / max(self.kept, 1)

    def __str__(self) -> str:
        return (
            f"{self.kept / max(self.frames, 1):.1%} of {self.frames} frames kept, "
            f"{self.agreeing:.2%} of them decided alike"
        )


def count_kept(camera: Camera, one: LabelledSeries, levels: Sequence[float] = LEVELS) -> dict[float, Kept]:
    """By level, over one clip that `camera` reads. Raises CameraError."""
    over, longest_s = one.series.probabilities >= _threshold(), PipelineSettings().still_s
    checks = {level: StaticSceneCheck(level, longest_s) for level in levels}
    counts, last = dict.fromkeys(levels, Kept()), dict.fromkeys(levels, 0)
    for position, (image, now) in enumerate(_pictures(camera)):
        if position >= len(over):
            break
        for level, check in checks.items():
            still = check.is_still(image, now)
            if not still:
                last[level] = position
            differs = bool((over[position] != over[last[level]]).any())
            counts[level] += Kept(1, int(still), int(still and differs))
    return counts


def _pictures(camera: Camera) -> Iterator[tuple[Image, float]]:
    while (frame := camera.read()) is not None:
        yield frame.image, frame.captured_at_s


def _threshold() -> float:
    return next(iter(shipped_starter().hazards.values())).threshold


def lines(settings: Settings, series: Iterable[LabelledSeries]) -> Iterable[str]:
    """The level with what it rests on. Raises CameraError."""
    whole = dict.fromkeys(LEVELS, Kept())
    for one in series:
        camera = open_recorded(settings, str(one.clip.path))
        try:
            own = count_kept(camera, one)
        finally:
            camera.close()
        whole = {level: whole[level] + own[level] for level in LEVELS}
    good = [level for level in LEVELS if whole[level].agreeing >= AGREE]
    chosen = f"{max(good):g}" if good else "none"
    yield f"still level {chosen}: the largest at which {AGREE:.1%} of the kept frames are decided alike"
    for level, count in whole.items():
        yield f"  {level:g}: {count}"
