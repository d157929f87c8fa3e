"""Keeps a model's child process: starts it, watches it, kills it when it must, and starts it again."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from common.backoff import Backoff
from common.framing import ConnectionLost, receive, send
from common.memory import gigabytes, resident_bytes
from common.spawn import ChildHandle, spawn
from pipeline.description.base import DescribeError
from pipeline.description.status import DescriberStatus, Phase
from pipeline.description.vlm.job import GenerationJob, ModelSpec
from pipeline.description.vlm.messages import (
    GarbledError,
    Inbox,
    JobCancelled,
    JobFailed,
    JobFinished,
    TextPiece,
    parse,
)

log = logging.getLogger(__name__)

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 60.0
"""Waits before a model that failed is loaded again."""
CHILD = "pipeline.description.vlm.worker"
TICK_S = 0.1
MESSAGE_S = 5.0
"""Seconds a message that has begun may take."""
SEND_S = 20.0
"""Seconds the child may take to accept a picture: it runs only while the processor is idle."""
STILL_LOADING_S = 10.0
"""Seconds between two lines of the log about a model that loads."""
MOST_PIECES = 4096
"""Messages of an answer that may wait; a child that sends more is out of its mind."""
MOST_ORDERS = 16
"""Jobs and cancellations that may wait for the child to take them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a child."""

    memory_bytes: int
    load_s: float = 600.0
    grace_s: float = 2.0
    """Seconds after a job's deadline in which a model may still notice that it was cancelled."""


Order = tuple[dict[str, Any], bytes]
"""The message for the child: header and pixels."""


T = TypeVar("T")


class _GoneError(Exception):
    """The child has to be replaced; the message says why."""


class WorkerSupervisor:
    """One thread owns the child and its link. `submit` and `cancel` come from others and never wait."""

    def __init__(
        self,
        spec: ModelSpec,
        limits: Limits,
        *,
        module: str = CHILD,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._limits = limits
        self._module = module
        self._backoff = backoff or Backoff(FIRST_RETRY_S, LONGEST_RETRY_S)
        self._clock = clock
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        # One lock for both: status, inbox and orders change together.
        self._changed = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._orders: queue.Queue[Order] = queue.Queue(MOST_ORDERS)
        # `select` cannot wait for a queue: the bell wakes the thread when an order has been put into it.
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._status = DescriberStatus(Phase.LOADING, f"loading {spec.model}")
        self._began_s = clock()
        self._child: ChildHandle | None = None
        self._inbox: tuple[int, Inbox] | None = None
        self._overdue_at_s: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="describer-keeper", daemon=True)
        self._thread.start()

    @property
    def status(self) -> DescriberStatus:
        """While it loads, the reason says for how long."""
        status = self._status
        if status.phase is not Phase.LOADING:
            return status
        return DescriberStatus(status.phase, f"{status.reason} for {self._clock() - self._began_s:.0f} s")

    @property
    def pid(self) -> int | None:
        """Process id of the child; None if none runs."""
        child = self._child
        return None if child is None else child.process.pid

    def wait_ready(self, timeout_s: float) -> bool:
        """True once it is ready; False when it failed, or is not ready in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._status.phase is not Phase.LOADING, timeout_s)
            return self._status.phase is Phase.READY

    def submit(self, job: GenerationJob) -> tuple[int, Inbox]:
        """Hand a job to the child; its answer comes into the inbox. Raises DescribeError."""
        with self._lock:
            if self._status.phase is not Phase.READY:
                raise DescribeError(self._status.reason)
            job = replace(job, id=next(self._ids))
            inbox: Inbox = queue.Queue(MOST_PIECES)
            # Known before the order is: the thread that carries it out looks the deadline up.
            self._overdue_at_s[job.id] = self._clock() + job.deadline_s + self._limits.grace_s
            if not self._order((job.header(), job.image.tobytes())):
                del self._overdue_at_s[job.id]
                raise DescribeError("the describer's process takes no jobs")
            # Set after the order was accepted: a refused job must not hide the inbox of the running one.
            self._inbox = (job.id, inbox)
            return job.id, inbox

    def cancel(self, job_id: int | None = None) -> None:
        """The rest of an answer is not wanted (of the running one, if none is named)."""
        with self._lock:
            if self._inbox is None or job_id not in (None, self._inbox[0]):
                return
            running, inbox = self._inbox
            self._inbox = None
            _put(inbox, JobCancelled())
            self._order(({"do": "cancel", "id": running}, b""))

    def close(self) -> None:
        """Kill the child for good."""
        with self._lock:
            self._closing.set()
            self._ring()
        # Longer than a message may take: the thread may be in the middle of one.
        self._thread.join(MESSAGE_S + 2)

    def _order(self, order: Order) -> bool:
        """False if the child is so far behind that it will be replaced anyway."""
        done = _put(self._orders, order)
        self._ring()
        return done

    def _ring(self) -> None:
        """Wake the thread; only with the lock held."""
        # After the thread has ended the number may belong to another file.
        if self._bell >= 0:
            os.eventfd_write(self._bell, 1)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._live()
            except (_GoneError, GarbledError) as error:
                self._lost(str(error))
            except (ConnectionLost, OSError):
                self._lost("the describer's process ended")
        with self._lock:
            os.close(self._bell)
            self._bell = -1

    def _live(self) -> None:
        """One life of a child. Raises _GoneError, ConnectionLost or OSError at its end."""
        child = spawn(self._module)
        try:
            child.link.settimeout(MESSAGE_S)
            send(child.link, self._spec.as_json())
            self._load(child)
            while not self._closing.is_set():
                if (message := self._next(child)) is not None:
                    self._take(message)
        finally:
            with self._lock:
                self._child = None
                self._overdue_at_s.clear()
                self._orders = queue.Queue(MOST_ORDERS)
            child.end()

    def _load(self, child: ChildHandle) -> None:
        began_s, told_s = self._clock(), 0.0
        log.info("%s: loading", self._spec.model)
        while not self._closing.is_set():
            message = self._next(child)
            if message and "failed" in message:
                raise _GoneError(str(message["failed"]))
            if message and "ready" in message:
                self._set_ready(child, message["ready"], self._clock() - began_s)
                return
            took_s = self._clock() - began_s
            if took_s - told_s >= STILL_LOADING_S:
                told_s = took_s
                used = gigabytes(resident_bytes(child.process.pid))
                log.info("%s: loading for %.0f s, %s in memory", self._spec.model, took_s, used)
            if took_s > self._limits.load_s:
                raise _GoneError(f"{self._spec.model} did not load within {self._limits.load_s:g} s")

    def _set_ready(self, child: ChildHandle, facts: dict[str, Any], took_s: float) -> None:
        log.info("%s: ready on %s after %.1f s", self._spec.model, facts.get("device"), took_s)
        with self._lock:
            self._child = child
        doubt = f" (not used: {facts['doubt']})" if facts.get("doubt") else ""
        self._set(DescriberStatus(Phase.READY, f"{self._spec.model} on {facts.get('device')}{doubt}"))

    def _next(self, child: ChildHandle) -> dict[str, Any] | None:
        """The next message, None when there was none for a moment; passes orders on meanwhile."""
        link, bell = child.link.fileno(), self._bell
        readable, _, _ = select.select([link, bell], [], [], TICK_S)
        try:
            if bell in readable:
                self._tell(child)
            message = receive(child.link, MESSAGE_S)[0] if link in readable else None
        except TimeoutError:
            self._check(child)
            raise _GoneError("the describer's process stopped in the middle of a message") from None
        self._check(child)
        return message

    def _tell(self, child: ChildHandle) -> None:
        os.eventfd_read(self._bell)
        with contextlib.suppress(queue.Empty):
            while True:
                header, pixels = self._orders.get_nowait()
                child.link.settimeout(self._patience_s())
                send(child.link, header, pixels)

    def _patience_s(self) -> float:
        """Seconds that the child may take to accept a message: not longer than until a job is overdue."""
        left_s = [at_s - self._clock() for at_s in tuple(self._overdue_at_s.values())]
        # Not 0: a socket with timeout 0 does not block, and a full buffer would raise at once.
        return max(min([SEND_S, *left_s]), TICK_S)

    def _check(self, child: ChildHandle) -> None:
        """Raises _GoneError if a limit is broken."""
        used = resident_bytes(child.process.pid)
        if used > self._limits.memory_bytes:
            limit = gigabytes(self._limits.memory_bytes)
            raise _GoneError(f"{self._spec.model} took {gigabytes(used)} of memory, more than {limit}")
        now = self._clock()
        if any(now > overdue_at_s for overdue_at_s in tuple(self._overdue_at_s.values())):
            raise _GoneError("the model hung; a smaller describe.image_side or model may help")

    def _take(self, message: dict[str, Any]) -> None:
        job_id, parsed = parse(message)
        with self._lock:
            # Any last message ends the deadline, also one about a cancelled job.
            if not isinstance(parsed, TextPiece):
                self._overdue_at_s.pop(job_id, None)
            if isinstance(parsed, JobFinished):
                # A finished answer, not a finished load: a model that loads and then crashes must wait ever
                # longer.
                self._backoff.reset()
            if self._inbox is None or self._inbox[0] != job_id:
                return
            if not _put(self._inbox[1], parsed):
                raise _GoneError("the describer's process floods us")

    def _lost(self, reason: str) -> None:
        """Report the failure to waiting requests, then wait before the next start."""
        if self._closing.is_set():
            return
        with self._lock:
            if self._inbox is not None:
                _put(self._inbox[1], JobFailed(reason))
                self._inbox = None
        wait_s = self._backoff.next_s()
        # The same failure again is not logged: it repeats with every attempt.
        if reason != self._status.reason:
            log.error("describer: %s; starting again in %.1f s", reason, wait_s)
        self._set(DescriberStatus(Phase.FAILED, reason))
        # Not `sleep`: `close` must not wait for a minute of back-off.
        self._closing.wait(wait_s)

    def _set(self, status: DescriberStatus) -> None:
        with self._changed:
            self._status = status
            self._changed.notify_all()


def _put(into: queue.Queue[T], item: T) -> bool:
    """Without waiting; False if there is no room."""
    try:
        into.put_nowait(item)
    except queue.Full:
        return False
    return True
