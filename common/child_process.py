"""A child process that answers requests, and its replacement when it hangs or dies."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from common.backoff import Backoff
from common.errors import WatchwordError
from common.framing import ConnectionLost, receive, send
from common.spawn import ChildHandle, spawn

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
START_TIMEOUT_S = 15.0

Message = tuple[dict[str, Any], bytes]


class ChildError(WatchwordError):
    """No answer; the message says why. Trying again later may help."""


class ChildLike(Protocol):
    """A child process that is asked one thing at a time; see `ChildProcess`."""

    @property
    def pid(self) -> int | None: ...

    def greeting(self) -> dict[str, Any]: ...

    def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _RunningChild:
    child: ChildHandle
    greeting: dict[str, Any]


class ChildProcess:
    """Runs `python -m MODULE FD PARENT` in its own session and asks it one thing at a time.

    The child dies with this process. One that hung, died or talked nonsense is killed with all it started
    and replaced at the next request: the first time at once, then with waits that double up to half a
    minute. Used by one thread at a time.
    """

    def __init__(
        self,
        module: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        started: ChildHandle | None = None,
    ) -> None:
        """`started`: a child of that module that runs already, and is taken before another is started."""
        self._module = module
        self._clock = clock
        self._started = started
        self._running: _RunningChild | None = None
        self._backoff = Backoff(FIRST_WAIT_S, LONGEST_WAIT_S)
        self._failed_before = False
        self._retry_at_s = 0.0
        self._reason = ""
        # The kernel counts the thread that forked as the parent, so that thread has to live on.
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="child-keeper")

    @property
    def pid(self) -> int | None:
        """Process id of the child; None if none runs."""
        return None if self._running is None else self._running.child.process.pid

    def greeting(self) -> dict[str, Any]:
        """The child's first message; starts it if need be. Raises ChildError."""
        return self._ready().greeting

    def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message:
        """Send one request, return the answer. Raises ChildError after `timeout_s` at the latest."""
        running = self._ready()
        try:
            running.child.link.settimeout(timeout_s)
            send(running.child.link, header, payload)
            answer = receive(running.child.link, timeout_s)
        except TimeoutError:
            # Killed after a timeout: a late answer would be mistaken for that of the next request.
            raise self._failed(f"no answer within {timeout_s:g} s") from None
        except ConnectionLost:
            raise self._failed("its process ended") from None
        self._failed_before = False
        self._backoff.reset()
        return answer

    def stop(self) -> None:
        """Kill the child; the next request starts another."""
        running, self._running = self._running, None
        if running is not None:
            running.child.end()

    def close(self) -> None:
        """Kill the child for good."""
        self.stop()
        started, self._started = self._started, None
        if started is not None:
            started.end()
        self._keeper.shutdown(wait=False)

    def _ready(self) -> _RunningChild:
        if self._running is not None and self._running.child.process.poll() is not None:
            self.stop()  # died while idle: nothing was lost, so this counts as no failure
        if self._running is not None:
            return self._running
        wait_s = self._retry_at_s - self._clock()
        if wait_s > 0:
            raise ChildError(f"{self._reason}; trying again in {wait_s:.1f} s")
        try:
            # A little longer than `_start` itself waits, so that its own error arrives and not this timeout.
            self._running = self._keeper.submit(self._start).result(START_TIMEOUT_S + 5)
        except (ConnectionLost, OSError, TimeoutError, RuntimeError) as error:
            raise self._failed(f"its process did not start ({error})") from None
        return self._running

    def _start(self) -> _RunningChild:
        started, self._started = self._started, None
        child = started or spawn(self._module)
        try:
            greeting, _ = receive(child.link, START_TIMEOUT_S)
        except (ConnectionLost, TimeoutError):
            child.end()
            raise
        return _RunningChild(child, greeting)

    def _failed(self, reason: str) -> ChildError:
        """Get rid of the child, note when the next may start."""
        self.stop()
        # One failure may be chance, and a warning should not wait: the first retry comes at once.
        wait_s = self._backoff.next_s() if self._failed_before else 0.0
        self._failed_before = True
        self._retry_at_s = self._clock() + wait_s
        self._reason = reason
        return ChildError(reason)
