"""The daemon's side of the process for guests: one place, one deadline, let go when nobody comes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from common.child_process import ChildError, ChildProcess, Message
from common.memory import RESERVE_BYTES, available_bytes, gigabytes
from daemon.config.sections import WorkerSettings
from daemon.errors import Code, CommandError

log = logging.getLogger(__name__)

CHILD = "daemon.worker.worker"
LOAD_S = 300.0
"""Seconds that loading the model may take: it only runs while nobody else wants to."""
SERVING = "somebody else is being served; try again in a moment"
LOADING = "the model for guests is still being loaded; try again in a minute"
LEAST_BYTES = 400 * 2**20
"""Below this nothing can be loaded."""


class ChildLike(Protocol):
    """What answers; see `ChildProcess`."""

    @property
    def pid(self) -> int | None: ...

    def greeting(self) -> dict[str, Any]: ...

    def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SessionStep:
    """One request to the child."""

    header: Mapping[str, Any]
    payload: bytes = b""


class WorkerClient:
    """Used by any thread; whoever comes while another is there is told so at once."""

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
        self._place = threading.Lock()
        self._limited: int | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="backroom")
        self._letting_go: threading.Timer | None = None
        self._loading = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the child, where one runs."""
        return self._child.pid

    def visit(self) -> WorkerSession:
        """Take the one place. Raises CommandError: busy, or turned away altogether."""
        if not self._settings.enabled:
            raise CommandError("guests are turned away (worker.enabled = false)", "unavailable")
        if self._closed or not self._place.acquire(blocking=False):
            raise CommandError(LOADING if self._loading else SERVING, "busy")
        if self._letting_go is not None:
            self._letting_go.cancel()
        return WorkerSession(self, self._clock, self._settings.deadline_s)

    def close(self) -> None:
        """End the child for good."""
        self._closed = True
        if self._letting_go is not None:
            self._letting_go.cancel()
        self._child.close()
        self._worker.shutdown(wait=False, cancel_futures=True)

    # For visits

    def submit(self, step: SessionStep, until_s: float) -> Future[Message]:
        """Have one step done by then, in a thread that may outlast whoever waits."""
        return self._worker.submit(self._do, step, until_s)

    def leave(self, pending: Future[Message] | None) -> None:
        """The place is free again, once what is under way is over."""
        if pending is None or pending.done():
            self._free()
        else:
            pending.add_done_callback(lambda _: self._free())

    def _free(self) -> None:
        if not self._closed:
            self._letting_go = threading.Timer(self._settings.idle_s, self._let_go)
            self._letting_go.daemon = True
            self._letting_go.start()
        self._place.release()

    def _let_go(self) -> None:
        if self._place.acquire(blocking=False):
            try:
                self._child.stop()
            finally:
                self._place.release()

    def _do(self, step: SessionStep, until_s: float) -> Message:
        try:
            self._loading = True
            self._limit()
            if step.header["do"] == "ready":
                # It goes on although nobody may wait for it any more: the next guest finds it done.
                return _checked(self._child.ask(dict(step.header), LOAD_S, step.payload))
            self._loading = False
            left_s = until_s - self._clock()
            if left_s <= 0:
                raise CommandError("there was no time left", "busy")
            return _checked(self._child.ask(dict(step.header), left_s, step.payload))
        except ChildError as error:
            log.warning("the process for guests: %s", error)
            raise CommandError(f"the process for guests failed: {error}", "unavailable") from None
        finally:
            self._loading = False

    def _limit(self) -> None:
        """Start the child if need be, with as much memory as it may have."""
        self._child.greeting()
        if self._child.pid == self._limited:
            return
        most = min(self._settings.memory_mb * 2**20, self._available() - RESERVE_BYTES)
        if most < LEAST_BYTES:
            self._child.stop()
            free = gigabytes(max(0, self._available()))
            raise CommandError(f"too little memory is free for guests ({free})", "unavailable")
        self._child.ask({"do": "limit", "memory_bytes": most}, LOAD_S)
        self._limited = self._child.pid


GRACE_S = 1.0
"""Seconds in which the child's own deadline ends a step before whoever waits for it gives up."""


class WorkerSession:
    """One guest in the one place. A context manager; leave it when done."""

    def __init__(self, room: WorkerClient, clock: Callable[[], float], deadline_s: float) -> None:
        self._room = room
        self._clock = clock
        self._until_s = clock() + deadline_s
        self._pending: Future[Message] | None = None

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._until_s - self._clock())

    def ask(self, do: str, payload: bytes = b"", **header: Any) -> Message:
        """One step. Raises CommandError by the deadline at the latest."""
        self._pending = self._room.submit(SessionStep({"do": do, **header}, payload), self._until_s)
        try:
            return self._pending.result(self.left_s + GRACE_S)
        except TimeoutError:
            raise CommandError(LOADING, "busy") from None

    def __enter__(self) -> WorkerSession:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.leave(self._pending)


def _checked(message: Message) -> Message:
    header, _ = message
    if "error" in header:
        code: Code = header["code"] if header.get("code") in get_args(Code) else "failed"
        raise CommandError(str(header["error"]), code)
    return message
