"""A camera that follows a script, for tests of what reads cameras."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from capture.camera import CameraError
from capture.frame import Frame
from capture.quality import FaultChange
from capture.reader import CameraEvent, CameraState
from tests.capture.made import street


class Hang:
    """In a script: a native call that does not return until released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def wait(self) -> None:
        self.entered.set()
        self.released.wait(60)


Step = float | Hang | CameraError | None
"""A picture after so many seconds, a call that hangs, an error, or the end."""


class ScriptedCamera:
    """Frames, errors and hangs in the order of its script; then what `after` says, again and again."""

    def __init__(self, *steps: Step, after: Step = 0.01, live: bool = True) -> None:
        self.source = "scripted"
        self.live = live
        self.closed = threading.Event()
        self._steps = list(steps)
        self._after = after
        self._seq = 0

    def read(self) -> Frame | None:
        step = self._steps.pop(0) if self._steps else self._after
        if isinstance(step, CameraError):
            raise step
        if step is None:
            return None
        if isinstance(step, Hang):
            step.wait()
        else:
            time.sleep(step)
        seq, self._seq = self._seq, self._seq + 1
        at_s = time.monotonic() if self.live else seq / 100
        return Frame(street(seq % 7), (160, 120), seq, at_s, self.source)

    def close(self) -> None:
        self.closed.set()


@dataclass
class Opener:
    """Opens the cameras (or raises the errors, or hangs) of a script, the last one again and again."""

    script: list[ScriptedCamera | CameraError | Hang]
    opened: int = 0

    def __call__(self) -> ScriptedCamera:
        step = self.script[min(self.opened, len(self.script) - 1)]
        self.opened += 1
        if isinstance(step, CameraError):
            raise step
        if isinstance(step, Hang):
            step.wait()
            return ScriptedCamera()
        return step


@dataclass
class Events:
    """Collects what a reader tells."""

    queue: queue.Queue[CameraEvent | FaultChange] = field(default_factory=queue.Queue)

    def __call__(self, event: CameraEvent | FaultChange) -> None:
        self.queue.put(event)

    def next_state(self, timeout_s: float = 10) -> CameraEvent:
        while True:
            event = self.queue.get(timeout=timeout_s)
            if isinstance(event, CameraEvent):
                return event

    def more_states(self) -> list[CameraState]:
        """The states told by now and not taken yet."""
        told = [self.queue.get_nowait() for _ in range(self.queue.qsize())]
        return [event.state for event in told if isinstance(event, CameraEvent)]

    def until(self, state: CameraState, timeout_s: float = 20) -> CameraEvent:
        deadline = time.monotonic() + timeout_s
        while (event := self.next_state(max(0.01, deadline - time.monotonic()))).state is not state:
            pass
        return event


def eventually(holds: Callable[[], bool], timeout_s: float = 10) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True
