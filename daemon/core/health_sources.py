"""What the camera, the loudspeaker and the describer tell of themselves, as health reports to the core."""

from __future__ import annotations

from collections.abc import Callable

from capture.quality import FaultChange, ImageFault
from capture.reader import CameraEvent, CameraState
from daemon.core.health import OK, Report
from pipeline.description.status import DescriberStatus, Phase
from speech.playback.base import AudioOutput, AudioOutputChanged

Tell = Callable[[Report], None]

FINAL = frozenset({CameraState.UNUSABLE, CameraState.STUCK, CameraState.FAILED})
"""States of the camera from which only a new start, or somebody's hand, helps."""


class CameraReporter:
    """Turns what the reader notices into reports; `over` is told when the camera's story has ended."""

    def __init__(self, tell: Tell, over: Callable[[CameraEvent], None]) -> None:
        self._tell = tell
        self._over = over
        self._troubles: list[ImageFault] = []

    def __call__(self, event: CameraEvent | FaultChange) -> None:
        """Called from the reader's threads; does not wait."""
        if isinstance(event, FaultChange):
            self._picture(event)
        elif event.state is CameraState.LIVE:
            self._tell(Report("camera"))
        elif event.state is CameraState.LOST:
            self._tell(Report("camera", "lost", event.reason))
        elif event.state in FINAL:
            self._tell(Report("camera", event.state.value, event.reason))
            self._over(event)
        elif event.state is CameraState.ENDED:
            self._over(event)

    def _picture(self, change: FaultChange) -> None:
        if change.present:
            self._troubles.append(change.trouble)
        elif change.trouble in self._troubles:
            self._troubles.remove(change.trouble)
        worst = self._troubles[0].value if self._troubles else OK
        self._tell(Report("picture", worst, ", ".join(self._troubles)))


def describer_report(status: DescriberStatus) -> Report:
    """A describer that loads is fine: tags answer meanwhile."""
    if status.phase is Phase.FAILED:
        return Report("describer", "failed", status.reason)
    return Report("describer")


def loudspeaker_report(change: AudioOutputChanged) -> Report:
    """A loudspeaker is fine; a file or nowhere is a failing one."""
    fine = change.outlet is AudioOutput.LOUDSPEAKER
    return Report("loudspeaker", OK if fine else f"to {change.outlet}", change.reason)
