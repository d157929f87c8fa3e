"""The parts of the live process: started in order, stopped in reverse, and none dies unnoticed.

Without a vital part the process ends. Any other is run again, after waits that grow.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from common.backoff import Backoff
from common.errors import WatchwordError
from daemon.errors import CommandError

log = logging.getLogger(__name__)


RETRY_S, RETRY_MAX_S = 1.0, 60.0
"""Seconds before a part that is not vital is run again: doubled after each failure, up to the second."""
STEADY_S = 5.0
"""Seconds that it must have run to count as working again."""


class PartFailed(CommandError):
    """A part that must live has ended; its traceback is in the log. The process is to end too."""

    def __init__(self, name: str, how: str) -> None:
        super().__init__(f"{name} {how}, and nothing works without it; the log says where")
        self.name = name


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A request to end the process."""

    why: str


@dataclass(frozen=True, slots=True)
class ReloadRequested:
    """A request to read the settings again."""


@dataclass(frozen=True, slots=True)
class PartFinished:
    """A part that may end has ended."""

    name: str


Wake = StopRequested | ReloadRequested | PartFinished
"""Events for the main thread."""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    stop: Callable[[], None]
    stop_s: float
    thread: threading.Thread | None


@dataclass(slots=True)
class _Lost:
    """A part that has failed. `running_since_s`: since when it runs again; None while it waits."""

    how: str
    running_since_s: float | None = None


class Supervisor:
    """Belongs to the main thread; only `request` is for others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._parts: list[_Part] = []
        # Set from the stop on: a part that ends then was asked to.
        self._stopping = threading.Event()
        # A SimpleQueue may be put to from anywhere, and waiting on it ends at once.
        self._wakes: SimpleQueue[Wake | PartFailed] = SimpleQueue()
        self._failure: PartFailed | None = None
        self._lost: dict[str, _Lost] = {}
        self._lost_lock = threading.Lock()

    @property
    def failed_parts(self) -> tuple[str, ...]:
        """Names of the parts in `failures`."""
        return tuple(self.failures)

    @property
    def failures(self) -> Mapping[str, str]:
        """The reasons of parts that ended unexpectedly, until they have run for `STEADY_S` again."""
        now = self._clock()
        with self._lost_lock:
            for name, lost in tuple(self._lost.items()):
                if lost.running_since_s is not None and now - lost.running_since_s >= STEADY_S:
                    # Forgotten only after a while of running: a part that dies every minute stays reported.
                    del self._lost[name]
                    log.warning("%s works again", name)
            return {name: lost.how for name, lost in self._lost.items()}

    def start(
        self,
        name: str,
        target: Callable[[], None],
        stop: Callable[[], None],
        *,
        vital: bool = True,
        may_end: bool = False,
        stop_s: float = 5.0,
    ) -> None:
        """Run `target` in a thread of that name. `stop` makes it return, within `stop_s` seconds.

        Without a vital part the process ends, any other is run again; `may_end` allows it to return by
        itself, as at the end of a file.
        """

        def run() -> None:
            backoff = Backoff(RETRY_S, RETRY_MAX_S)
            while self._run_once(name, target, vital=vital, may_end=may_end):
                if self._stopping.wait(backoff.next_s()):
                    return
                with self._lost_lock:
                    self._lost[name].running_since_s = self._clock()

        # A daemon thread: one that hangs must not keep the process from ending.
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._parts.append(_Part(name, stop, stop_s, thread))

    def add(self, name: str, stop: Callable[[], None], *, stop_s: float = 5.0) -> None:
        """Add a part without a thread, which is stopped in its turn."""
        self._parts.append(_Part(name, stop, stop_s, None))

    def request(self, wake: Wake) -> None:
        """Wake the main thread; from any thread, and without waiting."""
        self._wakes.put(wake)

    def wait(self, timeout_s: float) -> Wake | None:
        """Return the next event for the main thread; None after the timeout. Raises PartFailed, from then on
        always.
        """
        if self._failure is None:
            try:
                wake = self._wakes.get(timeout=max(0.0, timeout_s))
            except Empty:
                return None
            if not isinstance(wake, PartFailed):
                return wake
            self._failure = wake
        # Again at every call: the process must end even if the main loop ignores the first one.
        raise self._failure

    def stop(self) -> tuple[str, ...]:
        """Stop everything in reverse order. The names of those that are still alive."""
        # First: parts that end from here on were asked to, and are not run again.
        self._stopping.set()
        survivors = tuple(part.name for part in reversed(self._parts) if not self._stopped(part))
        self._parts.clear()
        if survivors:
            log.error("did not stop in time: %s", ", ".join(survivors))
        return survivors

    def _run_once(self, name: str, target: Callable[[], None], *, vital: bool, may_end: bool) -> bool:
        """Run a part to its end, in its own thread; True if it is to be run again."""
        error = None
        try:
            target()
        # After any exception the part has ended, and the main thread must learn of it.
        except BaseException as caught:
            error, may_end = caught, False
        if self._stopping.is_set():
            if error:
                log.error("%s failed while stopping", name, exc_info=error)
            return False
        if may_end:
            self._wakes.put(PartFinished(name))
            return False
        how = f"failed ({type(error).__name__}: {error})" if error else "ended by itself"
        # What is expected needs no traceback.
        log.critical("%s %s", name, how, exc_info=None if isinstance(error, WatchwordError) else error)
        if vital:
            failure = PartFailed(name, how)
            failure.__cause__ = error
            self._wakes.put(failure)
            return False
        with self._lost_lock:
            self._lost[name] = _Lost(how)
        return True

    def _stopped(self, part: _Part) -> bool:
        """Call `stop` with a time limit; its errors are logged."""
        deadline_s = self._clock() + part.stop_s

        def stop() -> None:
            try:
                part.stop()
            except Exception:
                log.exception("%s could not be stopped", part.name)

        # In a thread, because `stop` itself may hang.
        stopper = threading.Thread(target=stop, name=f"stop {part.name}", daemon=True)
        stopper.start()
        # One deadline for both: a hanging part must not cost more than its share of the stop.
        for thread in filter(None, (stopper, part.thread)):
            thread.join(max(0.0, deadline_s - self._clock()))
        return not stopper.is_alive() and not (part.thread and part.thread.is_alive())
