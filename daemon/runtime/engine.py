"""Shares the core between the live threads: one lock, and effects in the order in which they were decided.

A step of the core takes microseconds, and its effects only queue work for other threads, so no thread waits
long for the lock. Slow work (encoding, describing, synthesising, writing) happens in those threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar

from daemon.core.black_box import BlackBox, Recording
from daemon.core.core import Core
from daemon.core.messages import CoreSpec, Effect, Input

T = TypeVar("T")

Perform = Callable[[Effect, Mapping[str, float]], None]
"""Carries out one effect without waiting. Its second argument: times in seconds measured on the way to it."""


class CoreRunner:
    """Takes `step` from any thread. Inputs that arrive while effects are carried out are queued."""

    def __init__(self, box: BlackBox, clock: Callable[[], float]) -> None:
        self._box = box
        self._clock = clock
        # Reentrant: carrying out an effect may call `step` or `read` from within a step.
        self._lock = threading.RLock()
        self._perform: Perform | None = None
        self._pending: deque[tuple[Input, Mapping[str, float]]] = deque()
        self._stepping = False

    def attach(self, perform: Perform) -> None:
        """Set the function that carries effects out, and process the inputs that were queued until now.

        The parts that carry effects out also report to this runner, so they are built after it; some of
        them, such as the player, report from threads of their own as soon as they are built.
        """
        with self._lock:
            self._perform = perform
            self._drain(perform)

    def step(self, event: Input, timing: Mapping[str, float] | None = None) -> None:
        """Process one input, and carry out its effects before this returns.

        Within a step, and before `attach`, the input is only queued.
        """
        with self._lock:
            # Queued in any case: an input from within an effect must not be decided before the effects that
            # precede it.
            self._pending.append((event, timing or {}))
            if self._perform is not None and not self._stepping:
                self._drain(self._perform)

    def _drain(self, perform: Perform) -> None:
        # A queue and not recursion: effects are carried out in the order in which they were decided.
        self._stepping = True
        try:
            while self._pending:
                event, timing = self._pending.popleft()
                for effect in self._box.step(event, self._clock()):
                    perform(effect, timing)
        finally:
            self._stepping = False

    def read(self, query: Callable[[Core], T]) -> T:
        """Return the result of `query` on the core while no step is under way."""
        with self._lock:
            return query(self._box.core)

    def replace_spec(self, spec: CoreSpec) -> None:
        """Continue with other settings or hazards; hazards that stay keep their state."""
        with self._lock:
            self._box.replace_spec(spec)

    def forget(self, before_s: float) -> None:
        """Remove everything before this time from the black box."""
        with self._lock:
            self._box.forget(before_s)

    def snapshot(self) -> Recording:
        """Return the black box's present recording."""
        with self._lock:
            return self._box.snapshot()
