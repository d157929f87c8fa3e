"""Health reports to the core from the camera, its picture quality, the loudspeaker and the describer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from capture.frame import Frame
from capture.quality import FaultChange, FrameInspector, ImageFault
from capture.reader import CameraEvent, CameraState
from capture.settings import CaptureSettings
from daemon.core.health import OK, Report
from pipeline.description.status import DescriberStatus, Phase
from speech.playback.base import AudioOutput, AudioOutputChanged

FINAL = frozenset({CameraState.UNUSABLE, CameraState.STUCK, CameraState.FAILED})
"""Camera states that end the run: the reader does not try again."""


class CameraReporter:
    """Turns camera and picture events into health reports.

    `on_end` is called once the camera has ended or failed for good.
    """

    def __init__(self, report: Callable[[Report], None], on_end: Callable[[CameraEvent], None]) -> None:
        self._report = report
        self._on_end = on_end
        self._faults: list[ImageFault] = []

    def __call__(self, event: CameraEvent | FaultChange) -> None:
        """Handle one event. Called from the reader's threads; does not wait."""
        if isinstance(event, FaultChange):
            self._picture(event)
        elif event.state is CameraState.LIVE:
            self._report(Report("camera"))
        elif event.state is CameraState.LOST:
            self._report(Report("camera", "lost", event.reason))
        elif event.state in FINAL:
            self._report(Report("camera", event.state.value, event.reason))
            self._on_end(event)
        elif event.state is CameraState.ENDED:
            self._on_end(event)

    def _picture(self, change: FaultChange) -> None:
        if change.present:
            self._faults.append(change.fault)
        elif change.fault in self._faults:
            self._faults.remove(change.fault)
        self._report(_picture_report(self._faults))


class QualityReporter:
    """Inspects frames in the caller's thread and reports their quality. Times are those of the frames."""

    def __init__(self, settings: CaptureSettings) -> None:
        self._inspector = FrameInspector(settings)

    @property
    def unseen(self) -> str:
        """The reason why the last frame shows too little to be described; empty if it shows enough."""
        return self._inspector.judge.unusable_reason or ""

    def inspect(self, frame: Frame) -> Report | None:
        """Return a report if a fault began or ended with this frame, else None."""
        return _picture_report(self._inspector.judge.present) if self._inspector.step(frame) else None


def _picture_report(faults: Sequence[ImageFault]) -> Report:
    """The first fault is the component's reason; the details name all of them."""
    return Report("picture", faults[0].value if faults else OK, ", ".join(faults))


def describer_report(status: DescriberStatus) -> Report:
    """Report a failed describer. One that is still loading is fine: the template answers meanwhile."""
    if status.phase is Phase.FAILED:
        return Report("describer", "failed", status.reason)
    return Report("describer")


def loudspeaker_report(change: AudioOutputChanged) -> Report:
    """Report the output: a loudspeaker is fine, a file or no output is a failure."""
    fine = change.output is AudioOutput.LOUDSPEAKER
    return Report("loudspeaker", OK if fine else f"to {change.output}", change.reason)


def program_report(failures: Mapping[str, str]) -> Report:
    """Report the parts of the program that have failed, with their reasons; fine without any."""
    if not failures:
        return Report("program", OK)
    return Report("program", "lost", "; ".join(f"{name} {how}" for name, how in failures.items()))


def configuration_report(mistakes: Sequence[str]) -> Report:
    """Report that the last good configuration replaces one with these mistakes; without any, report `ok`."""
    if not mistakes:
        return Report("configuration", OK)
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return Report("configuration", "invalid", f"{mistakes[0]}{more}")
