"""Charts of a figure's frames: a histogram of their times, and their rate over time or temperature."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from daemon.bench.harness import FrameTrace, percentile
from daemon.report.svg import BLUE, INK, ORANGE, Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

_BARS = 40
_TAIL = 99.5
"""Percentile at which the histogram ends; slower frames are counted in its last bar."""
_WIDTH, _HEIGHT = 700, 280
"""In CSS pixels."""


def frame_charts(key: str, trace: FrameTrace) -> Iterator[Chart]:
    """Two charts of a trace, with `key` before their names; the second has the temperature too, if known."""
    ms = np.array(trace.took_s) * 1e3
    p50, p99 = percentile(list(ms), 50), percentile(list(ms), 99)
    yield Chart(
        f"{key}-times",
        "milliseconds a frame",
        f"Histogram of {len(ms)} frames: median {p50:.1f} ms, 99 in 100 within {p99:.1f} ms, slowest "
        f"{ms.max():.1f} ms.",
        _WIDTH,
        _HEIGHT,
        partial(draw_histogram, ms=ms),
    )
    rates = trace.rates()
    heat = f", processor {_range([c for _, c in trace.celsius])} degrees Celsius" if trace.celsius else ""
    yield Chart(
        f"{key}-rate",
        "frames a second over time" + (", and temperature" if trace.celsius else ""),
        f"{len(rates)} seconds: {_range([float(rate) for rate in rates])} frames a second{heat}.",
        _WIDTH,
        _HEIGHT,
        partial(draw_rate, rates=rates, celsius=trace.celsius),
    )


def bins(ms: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts and edges of the histogram; the last bar holds every frame from its lower edge on."""
    top = percentile(list(ms), _TAIL)
    counts, edges = np.histogram(np.minimum(ms, top), bins=_BARS, range=(0.0, max(top, 1e-6)))
    return counts, edges


def draw_histogram(figure: Drawing, ms: NDArray[np.float64]) -> None:
    """Bars, with lines at the median and the 99th percentile."""
    axes = figure.subplots()
    counts, edges = bins(ms)
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, alpha=0.6, gid="bars")
    for q, style in ((50, "-"), (99, "--")):
        at = percentile(list(ms), q)
        axes.axvline(at, color=INK, linewidth=1.5, linestyle=style, gid=f"p{q}", label=f"p{q} {at:.1f} ms")
    axes.set(
        xlim=(0, edges[-1]),
        xlabel="milliseconds a frame; the last bar holds all slower ones",
        ylabel="frames",
    )
    axes.legend(loc="upper left")


def draw_rate(figure: Drawing, rates: list[int], celsius: tuple[tuple[float, float], ...]) -> None:
    """Rate from 0; the temperature has an axis of its own on the right."""
    axes = figure.subplots()
    seconds = np.arange(len(rates)) + 0.5
    axes.plot(seconds, rates, color=BLUE, marker="o", markersize=4, gid="rate", label="frames a second")
    axes.set(xlim=(0, len(rates)), ylim=(0, 1.1 * max(rates)), xlabel="seconds", ylabel="frames a second")
    if celsius:
        right = axes.twinx()
        right.plot(*zip(*celsius, strict=True), color=ORANGE, linestyle="--", gid="heat")
        right.set(ylim=(0, 110), ylabel="degrees Celsius (dashed)")
        right.grid(visible=False)


def _range(values: list[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}"
