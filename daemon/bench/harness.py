"""Figures, targets and interleaved timing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

Cost = Callable[[], float]
"""Does some work once and says what it cost, in seconds unless stated otherwise."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure has to keep."""

    sense: Literal[">=", "<=", "in"]
    bound: float
    upper: float = 0.0
    """Of "in", whose lower bound is `bound`."""

    def met_by(self, value: float) -> bool:
        if self.sense == "in":
            return self.bound <= value <= self.upper
        return value >= self.bound if self.sense == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.bound:g}..{self.upper:g}" if self.sense == "in" else f"{self.sense} {self.bound:g}"


def at_least(bound: float) -> Target:
    return Target(">=", bound)


def at_most(bound: float) -> Target:
    return Target("<=", bound)


def between(bound: float, upper: float) -> Target:
    return Target("in", bound, upper)


@dataclass(frozen=True, slots=True)
class FrameTrace:
    """The frames behind a figure, one by one, for plots."""

    ended_s: tuple[float, ...]
    """The end of each frame, in seconds since the first began."""
    took_s: tuple[float, ...]
    celsius: tuple[tuple[float, float], ...] = ()
    """Seconds and temperature of the processor; empty if nothing measures it."""

    def rates(self) -> list[int]:
        """Frames that ended within each whole second; the last, incomplete second is left out."""
        counts = Counter(int(at_s) for at_s in self.ended_s)
        whole = int(self.ended_s[-1]) if self.ended_s else 0
        return [counts[second] for second in range(whole)] or [len(self.ended_s)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and its target."""

    name: str
    value: float | None
    """None if it could not be measured; `note` says why."""
    unit: str
    target: Target | None = None
    samples: int = 1
    spread: tuple[float, float] | None = None
    """Lower and upper quartile of the samples."""
    note: str = ""
    trace: FrameTrace | None = None

    @property
    def met(self) -> bool | None:
        """None without a target; False if the figure could not be measured."""
        if self.target is None:
            return None
        # A figure that could not be measured does not meet its target: it must not pass unnoticed.
        return self.value is not None and self.target.met_by(self.value)

    @classmethod
    def median(
        cls, name: str, values: Sequence[float], unit: str, target: Target | None = None, note: str = ""
    ) -> Self:
        return cls.at_percentile(50, name, values, unit, target, note)

    @classmethod
    def p95(
        cls, name: str, values: Sequence[float], unit: str, target: Target | None = None, note: str = ""
    ) -> Self:
        return cls.at_percentile(95, name, values, unit, target, note)

    @classmethod
    def p99(
        cls, name: str, values: Sequence[float], unit: str, target: Target | None = None, note: str = ""
    ) -> Self:
        return cls.at_percentile(99, name, values, unit, target, note)

    @classmethod
    def at_percentile(
        cls, q: float, name: str, values: Sequence[float], unit: str, target: Target | None, note: str = ""
    ) -> Self:
        """The figure at percentile `q`, 0 to 100, of the samples."""
        spread = (percentile(values, 25), percentile(values, 75))
        return cls(name, percentile(values, q), unit, target, len(values), spread, note)

    def as_json(self) -> dict[str, Any]:
        """Value, unit, target, met and samples, and the rest where there is any."""
        rest = {"spread": self.spread, "note": self.note}
        return {
            "value": self.value,
            "unit": self.unit,
            "target": str(self.target) if self.target else None,
            "met": self.met,
            "samples": self.samples,
        } | {key: value for key, value in rest.items() if value}


def unmeasured(name: str, unit: str, target: Target | None, why: str) -> Figure:
    """A figure that exists but cannot be had here."""
    return Figure(name, None, unit, target, samples=0, note=why)


@dataclass(frozen=True, slots=True)
class Pairs:
    """The costs of two ways of doing a thing, measured alternately."""

    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Cost of `a` over cost of `b`, pair by pair, so that a slow moment weighs on both."""
        return tuple(a / b for a, b in zip(self.a, self.b, strict=True))


def interleave(a: Cost, b: Cost, pairs: int, warmup: int = 1) -> Pairs:
    """Measure A B, B A, A B, ... so that neither has the better place in a drifting run."""
    for _ in range(warmup):
        a(), b()
    costs_a, costs_b = [], []
    for index in range(pairs):
        # In turn first: caches and a rising temperature favour neither.
        if index % 2:
            costs_b.append(b())
            costs_a.append(a())
        else:
            costs_a.append(a())
            costs_b.append(b())
    return Pairs(tuple(costs_a), tuple(costs_b))


def timed(work: Callable[[], object], repeat: int = 1) -> Cost:
    """Seconds a call of `work`, over `repeat` calls in a row."""

    def cost() -> float:
        # perf_counter has the finest resolution and does not jump with the clock.
        start = time.perf_counter()
        for _ in range(repeat):
            work()
        return (time.perf_counter() - start) / repeat

    return cost


PAUSE_S = 0.01
"""The rest of a camera's 33 ms after the network's part."""


def paced(work: Callable[[], object], pause_s: float = PAUSE_S) -> Cost:
    """Seconds of one call of `work`, after a pause that is not counted.

    For libraries measured in turn: the threads of one spin for a while after its call, waiting for the next,
    and would take processor time from the other.
    """

    once = timed(work)

    def cost() -> float:
        time.sleep(pause_s)
        return once()

    return cost


def percentile(values: Sequence[float], q: float) -> float:
    """Percentile `q`, 0 to 100, linear between ranks."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), q))
