"""Detects useless pictures: dark, covered, blurred, frozen, damaged, or noise. Measures, then judges."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from capture.frame import Frame, Image
from capture.orient import limit_size
from capture.settings import CaptureSettings

_MEASURED_SIDE = 320
"""Pixels of the longer side for measuring: about the input of a detector, so that finer blur is ignored."""
_NOISE_RATIO = 2.5
"""Sharpness over contrast: the square root of 20 (4.5) for white noise, below 1 for views of anything."""
_FAINTEST = 1.0
"""Least contrast at which the ratio is meaningful."""
_DIM_FACTOR = 4.0
"""Noise darker than `dark_luma` times this is a dark room at the camera's full gain."""
_CLEAR_RATIO = 1.2
"""Hysteresis: factor on a threshold above which a fault is over."""


class ImageFault(StrEnum):
    """A defect of a picture."""

    DARK = "dark"
    COVERED = "covered"
    BLURRED = "blurred"
    FROZEN = "frozen"
    BROKEN = "broken"
    """Part of each picture is missing."""
    NOISE = "noise"
    """Only noise, as of a broken sensor."""
    SLOW = "slow"
    """Too few pictures a second."""


MEASURED = tuple(fault for fault in ImageFault if fault is not ImageFault.SLOW)
"""Faults that are measured in pictures; the frame rate is measured elsewhere."""
UNSEEING = (ImageFault.DARK, ImageFault.COVERED, ImageFault.BLURRED, ImageFault.NOISE)
"""Faults that leave nothing to describe. A frozen picture can be described: it was a good picture."""


@dataclass(frozen=True, slots=True)
class ImageStats:
    """The measurements of one picture."""

    luma: float
    """Mean brightness, 0 to 255."""
    contrast: float
    """Standard deviation of the brightness."""
    sharpness: float
    """Standard deviation of the Laplacian of the brightness, at 320 pixels."""
    digest: int
    """CRC-32 of every eighth row. Equal pictures have equal digests; sensor noise changes the digest."""
    damaged: bool = False
    """Part of it is missing."""


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A fault began (`present`) or ended."""

    fault: ImageFault
    present: bool
    at_s: float


def measure(image: Image, *, damaged: bool = False) -> ImageStats:
    """Measure a BGR uint8 picture; takes a millisecond or two at 720p."""
    luma = cv2.cvtColor(limit_size(image, _MEASURED_SIDE), cv2.COLOR_BGR2GRAY)
    mean, deviation = cv2.meanStdDev(luma)
    # Signed: as uint8 the Laplacian would lose its negative half.
    _, edges = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))
    # Rows of the full-size picture: scaling would average out the sensor noise that proves a live picture.
    digest = zlib.crc32(np.ascontiguousarray(image[::8]).data)
    return ImageStats(float(mean[0, 0]), float(deviation[0, 0]), float(edges[0, 0]), digest, damaged)


@dataclass(slots=True)
class _Track:
    """State of one fault: its presence, and since when the evidence contradicts it."""

    present: bool = False
    doubted_since_s: float | None = None

    def step(self, evidence: bool | None, now: float, after_s: float, clear_s: float) -> bool:
        """Returns True if `present` has changed. Evidence None means undecided and changes nothing."""
        # One picture that agrees or is undecided restarts the wait: only unbroken evidence counts.
        if evidence is None or evidence == self.present:
            self.doubted_since_s = None
            return False
        if self.doubted_since_s is None:
            self.doubted_since_s = now
        if now - self.doubted_since_s < (clear_s if self.present else after_s):
            return False
        self.present, self.doubted_since_s = evidence, None
        return True


class QualityMonitor:
    """Turns measurements into beginnings and ends of faults. A pure state machine."""

    def __init__(self, settings: CaptureSettings, state: Mapping[str, object] | None = None) -> None:
        """`state` is the result of `state()` of an earlier monitor."""
        self._settings = settings
        self._tracks = {trouble: _Track() for trouble in MEASURED}
        self._digest: int | None = None
        self._unseen: ImageFault | None = None
        if state is not None:
            self._restore(state)

    @property
    def present(self) -> tuple[ImageFault, ...]:
        """The faults that are present now."""
        return tuple(trouble for trouble, track in self._tracks.items() if track.present)

    @property
    def unusable_reason(self) -> ImageFault | None:
        """The fault that makes the last picture impossible to describe, or None. Not delayed."""
        return self._unseen

    def step(self, stats: ImageStats, now: float) -> tuple[FaultChange, ...]:
        """Judge the measurements of one picture taken at `now` seconds. Returns the changes."""
        evidence = self._evidence(stats)
        self._unseen = next((trouble for trouble in UNSEEING if evidence[trouble]), None)
        # After `_evidence`, which compares the picture with the one before it.
        self._digest = stats.digest
        settings = self._settings
        after_s = dict.fromkeys(ImageFault, settings.trouble_after_s) | {ImageFault.FROZEN: settings.frozen_s}
        return tuple(
            FaultChange(trouble, track.present, now)
            for trouble, track in self._tracks.items()
            if track.step(evidence[trouble], now, after_s[trouble], settings.trouble_clear_s)
        )

    def state(self) -> dict[str, object]:
        """The state, as values that JSON can hold."""
        tracks = {trouble.value: [t.present, t.doubted_since_s] for trouble, t in self._tracks.items()}
        return {"tracks": tracks, "digest": self._digest}

    def _evidence(self, stats: ImageStats) -> dict[ImageFault, bool | None]:
        """The evidence of a picture for each fault. A dark or covered picture leaves the others undecided."""
        # The second comparison demands contrast >= _FAINTEST: below, both figures are rounding errors.
        noise = stats.sharpness > _NOISE_RATIO * stats.contrast >= _NOISE_RATIO * _FAINTEST
        faint = noise and stats.luma < _DIM_FACTOR * self._settings.dark_luma
        dark = True if faint else _below(stats.luma, self._settings.dark_luma)
        covered = None if dark else _below(stats.contrast, self._settings.covered_contrast)
        unseen = bool(dark or covered or noise)
        return {
            ImageFault.DARK: dark,
            ImageFault.COVERED: covered,
            ImageFault.BLURRED: None if unseen else _below(stats.sharpness, self._settings.blurred_sharpness),
            # Two black pictures can be equal in every pixel although the camera is not frozen.
            ImageFault.FROZEN: None if unseen else stats.digest == self._digest,
            ImageFault.BROKEN: stats.damaged,
            ImageFault.NOISE: None if dark or covered else noise,
        }

    def _restore(self, state: Mapping[str, object]) -> None:
        tracks, digest = state["tracks"], state["digest"]
        if not isinstance(tracks, Mapping) or not (digest is None or isinstance(digest, int)):
            raise TypeError(f"not a state of a QualityMonitor: {state!r}")
        self._tracks = {fault: _Track(*tracks.get(fault.value, ())) for fault in MEASURED}
        self._digest = digest


class FrameInspector:
    """Measures and judges a frame every `inspect_interval_s`, so that most frames cost nothing."""

    def __init__(self, settings: CaptureSettings) -> None:
        self.judge = QualityMonitor(settings)
        self._interval_s = settings.inspect_interval_s
        self._inspected_at_s: float | None = None

    def step(self, frame: Frame) -> tuple[FaultChange, ...]:
        """The changes by this frame, at the time of its capture."""
        now = frame.captured_at_s
        if self._inspected_at_s is not None and now - self._inspected_at_s < self._interval_s:
            return ()
        self._inspected_at_s = now
        return self.judge.step(measure(frame.image, damaged=frame.damaged), now)


def _below(value: float, threshold: float) -> bool | None:
    """True below the threshold, False above it by `_CLEAR_RATIO`, None between."""
    if value < threshold:
        return True
    return False if value >= threshold * _CLEAR_RATIO else None
