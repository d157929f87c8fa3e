"""The core shared by the live threads: one lock, effects carried out in the order they were decided.

A step of the core takes microseconds and its effects only hand things over, so no thread ever waits
long here; whatever takes time (encoding, describing, synthesising, writing) happens outside.
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
"""Carries out one effect at once, without waiting; measured times come along."""


class CoreRunner:
    """`step` from any thread. What a performer reports back meanwhile is taken in afterwards, in order."""

    def __init__(self, box: BlackBox, clock: Callable[[], float]) -> None:
        self._box = box
        self._clock = clock
        self._lock = threading.RLock()
        self._perform: Perform = _nothing
        self._pending: deque[tuple[Input, Mapping[str, float]]] = deque()
        self._stepping = False

    def attach(self, perform: Perform) -> None:
        """Who carries the effects out; set once, before the first step."""
        self._perform = perform

    def step(self, event: Input, timing: Mapping[str, float] | None = None) -> None:
        """One input in; its effects are carried out before this returns, unless called by a performer."""
        with self._lock:
            self._pending.append((event, timing or {}))
            if self._stepping:
                return
            self._stepping = True
            try:
                while self._pending:
                    self._one(*self._pending.popleft())
            finally:
                self._stepping = False

    def _one(self, event: Input, timing: Mapping[str, float]) -> None:
        for effect in self._box.step(event, self._clock()):
            self._perform(effect, timing)

    def read(self, query: Callable[[Core], T]) -> T:
        """Read something from the core while no step is under way."""
        with self._lock:
            return query(self._box.core)

    def replace_spec(self, spec: CoreSpec) -> None:
        """Go on with other settings, or other hazards; those that stay keep their state."""
        with self._lock:
            self._box.replace_spec(spec)

    def forget(self, before_s: float) -> None:
        """The black box no longer holds what happened before."""
        with self._lock:
            self._box.forget(before_s)

    def snapshot(self) -> Recording:
        """The black box as it is now."""
        with self._lock:
            return self._box.snapshot()


def _nothing(effect: Effect, timing: Mapping[str, float]) -> None:
    raise RuntimeError(f"nobody to carry out {effect} ({timing})")
