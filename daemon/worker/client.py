"""The daemon's side of the worker process: one session at a time, with a deadline; ended when idle."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, get_args

from common.child_process import ChildError, ChildLike, ChildProcess, Message
from common.memory import RESERVE_BYTES, available_bytes, gigabytes
from daemon.config.sections import WorkerSettings
from daemon.errors import Code, CommandError

log = logging.getLogger(__name__)

CHILD = "daemon.worker.worker"
LOAD_S = 300.0
"""Seconds that loading the model may take, at a low priority."""
SERVING = "another request is being served; try again in a moment"
LOADING = "the model for external pictures is still being loaded; try again in a minute"
TURN_S = 10.0
"""Seconds of its deadline that a picture waits for the session before it to end. A trial of thresholds takes
a second or two, and a page that shows the thresholds asks for one every twenty seconds.
"""
KEEP_BYTES = 2 * 2**30
"""With less free memory than this the process ends when idle, even with `worker.keep_loaded`."""
LEAST_BYTES = 400 * 2**20
"""Below this nothing can be loaded."""


@dataclass(frozen=True, slots=True)
class SessionStep:
    """One request to the worker process."""

    header: Mapping[str, Any]
    payload: bytes = b""


class WorkerClient:
    """Used by any thread. While a session is open, another waits for a moment, or is refused at once."""

    def __init__(
        self,
        settings: WorkerSettings,
        child: ChildLike | None = None,
        available: Callable[[], int] = available_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._child = child or ChildProcess(CHILD)
        self._available = available
        self._clock = clock
        self._session_lock = threading.Lock()
        self._waiting_lock = threading.Lock()
        self._limited_pid: int | None = None
        # One thread: the steps of a session, and a load that outlasts it, never overlap.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="worker")
        self._idle_timer: threading.Timer | None = None
        self._load_timer: threading.Timer | None = None
        self._loading = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the worker; None if none runs."""
        return self._child.pid

    def open_session(self, wait_s: float = 0.0) -> WorkerSession:
        """Open the session, whose deadline counts from now, or wait for it up to `wait_s` seconds.

        Raises CommandError: another session is open, another request waits already, or external requests are
        disabled.
        """
        if not self._settings.enabled:
            raise CommandError("external pictures are refused (worker.enabled = false)", "unavailable")
        session = WorkerSession(self, self._clock, self._settings.deadline_s)
        if not self._take_turn(min(wait_s, session.left_s)):
            raise CommandError(LOADING if self._loading else SERVING, "busy")
        if self._closed:
            self._session_lock.release()
            raise CommandError(SERVING, "busy")
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        return session

    def _take_turn(self, wait_s: float) -> bool:
        """True if the session is the caller's now."""
        if self._session_lock.acquire(blocking=False):
            return True
        # One at a time: each client that waits holds one of the connections that commands need, too.
        if wait_s <= 0 or not self._waiting_lock.acquire(blocking=False):
            return False
        try:
            return self._session_lock.acquire(timeout=wait_s)
        finally:
            self._waiting_lock.release()

    def load_ahead(self, **header: Any) -> bool:
        """Load the model ahead, if `worker.keep_loaded` and memory allow it; may take minutes.

        Returns False if it is not to be loaded, or failed: the first request then loads it or gets the error.
        """
        if not self._settings.keep_loaded or self._available() < KEEP_BYTES:
            return False
        try:
            with self.open_session() as session:
                session.request("ready", **header)
        except CommandError as error:
            log.debug("the model for external pictures is not loaded ahead: %s", error)
            return False
        return True

    def schedule(self, after_s: float, load: Callable[[], None]) -> None:
        """Call `load` in `after_s` seconds, in a thread of its own, unless this is closed before."""
        self._load_timer = threading.Timer(after_s, load)
        self._load_timer.daemon = True
        self._load_timer.start()

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        for timer in (self._idle_timer, self._load_timer):
            if timer is not None:
                timer.cancel()
        # Before the executor: a step that waits for the child then fails at once.
        self._child.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    # For sessions

    def submit(self, step: SessionStep, until_s: float) -> Future[Message]:
        """Carry out one step by `until_s`, in a thread that may outlast the session."""
        return self._executor.submit(self._run, step, until_s)

    def end_session(self, pending: Future[Message] | None) -> None:
        """Allow the next session as soon as the pending step has ended."""
        if pending is None or pending.done():
            self._release()
        else:
            # The step still uses the process; another session now would mix their answers.
            pending.add_done_callback(lambda _: self._release())

    def _release(self) -> None:
        self._await_idle()
        self._session_lock.release()

    def _await_idle(self) -> None:
        if not self._closed:
            self._idle_timer = threading.Timer(self._settings.idle_s, self._stop_idle)
            self._idle_timer.daemon = True
            self._idle_timer.start()

    def _stop_idle(self) -> None:
        if not self._session_lock.acquire(blocking=False):
            # In use: the end of that session starts the timer again.
            return
        try:
            if self._settings.keep_loaded and self._available() >= KEEP_BYTES:
                # Asked again later: memory may be short then.
                self._await_idle()
            else:
                self._child.stop()
        finally:
            self._session_lock.release()

    def _run(self, step: SessionStep, until_s: float) -> Message:
        try:
            self._loading = True
            self._limit_memory()
            if step.header["do"] == "ready":
                # It goes on after its session has ended: the next session finds the model loaded.
                return _checked(self._child.ask(dict(step.header), LOAD_S, step.payload))
            self._loading = False
            left_s = until_s - self._clock()
            if left_s <= 0:
                raise CommandError("there was no time left", "busy")
            return _checked(self._child.ask(dict(step.header), left_s, step.payload))
        except ChildError as error:
            # When closing, we killed it ourselves.
            log.log(logging.DEBUG if self._closed else logging.WARNING, "the worker process: %s", error)
            raise CommandError(f"the worker process failed: {error}", "unavailable") from None
        finally:
            self._loading = False

    def _limit_memory(self) -> None:
        """Start the process if none runs, with as much memory as it may have."""
        self._child.greeting()
        # Once a process: the limit stays until the process ends.
        if self._child.pid == self._limited_pid:
            return
        most = min(self._settings.memory_mb * 2**20, self._available() - RESERVE_BYTES)
        if most < LEAST_BYTES:
            self._child.stop()
            free = gigabytes(max(0, self._available()))
            raise CommandError(f"too little memory is free for external pictures ({free})", "unavailable")
        self._child.ask({"do": "limit", "memory_bytes": most}, LOAD_S)
        self._limited_pid = self._child.pid


GRACE_S = 1.0
"""Seconds that a session waits beyond the deadline, so that the step's own error arrives first."""


class WorkerSession:
    """The one open session. A context manager that allows the next one when it ends."""

    def __init__(self, client: WorkerClient, clock: Callable[[], float], deadline_s: float) -> None:
        self._client = client
        self._clock = clock
        self._began_s = clock()
        self._until_s = self._began_s + deadline_s
        self._pending: Future[Message] | None = None

    @property
    def spent_s(self) -> float:
        """Seconds since it was asked for."""
        return self._clock() - self._began_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._until_s - self._clock())

    def request(self, do: str, payload: bytes = b"", **header: Any) -> Message:
        """Carry out one step. Raises CommandError by the deadline at the latest."""
        self._pending = self._client.submit(SessionStep({"do": do, **header}, payload), self._until_s)
        try:
            return self._pending.result(self.left_s + GRACE_S)
        except TimeoutError:
            raise CommandError(LOADING, "busy") from None

    def __enter__(self) -> WorkerSession:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.end_session(self._pending)


def _checked(message: Message) -> Message:
    header, _ = message
    if "error" in header:
        code: Code = header["code"] if header.get("code") in get_args(Code) else "failed"
        raise CommandError(str(header["error"]), code)
    return message
