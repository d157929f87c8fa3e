"""Whether the picture is any good, reported as a component."""

from __future__ import annotations

from capture.frame import Frame
from capture.quality import FrameInspector
from capture.settings import CaptureSettings
from daemon.core.health import OK, Report


class QualityReporter:
    """One camera's picture quality as health reports. Times are those of the frames."""

    def __init__(self, settings: CaptureSettings) -> None:
        self._inspector = FrameInspector(settings)

    @property
    def unseen(self) -> str:
        """Why the last picture shows too little to be described; empty where it shows enough."""
        return self._inspector.judge.unseen or ""

    def look(self, frame: Frame) -> Report | None:
        """A report where a trouble began or ended, else None."""
        if not self._inspector.step(frame):
            return None
        present = self._inspector.judge.present
        return Report("picture", present[0].value if present else OK, ", ".join(present))
