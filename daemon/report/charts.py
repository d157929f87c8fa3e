"""Draws curves, timelines and figures with intervals. Shapes stand beside colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from daemon.report.svg import BLUE, CARD, GREEN, INK, MUTED, ORANGE, Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 500
"""Stretches of a timeline, of which each keeps its lowest and highest value: enough for any screen."""
MAX_ROWS = 8
"""Hazards that a timeline shows at most."""
_TIMELINE_WIDTH, _ROW_HEIGHT = 760, 96
"""In CSS pixels."""
Kind = Literal["right", "wrong", "open", "before"]
_SHAPES: dict[Kind, tuple[str, str, str]] = {
    "right": ("o", BLUE, "right alert"),
    "wrong": ("X", ORANGE, "wrong alert"),
    "open": ("D", MUTED, "alert that cannot be judged"),
    "before": ("v", MUTED, "alert with the threshold before"),
}
"""Of each kind of alert: marker, colour, words."""
_LINES = (BLUE, ORANGE, GREEN)
_DASHES = ("-", "--", ":")
_MARKERS = ("o", "s", "^")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve."""

    key: str
    label: str
    """Empty: not in the legend."""
    xs: Sequence[float] | NDArray[np.float64]
    ys: Sequence[float] | NDArray[np.float64]
    steps: bool = False
    """Each value holds from the point before it."""
    dots: bool = False
    intervals: Sequence[Sequence[float] | None] = ()
    """Of each point, vertical; empty if none is known."""
    notes: Sequence[tuple[float, float, str]] = ()
    """Words beside points."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to be seen on a curve."""

    key: str
    label: str
    x: float
    y: float
    x_interval: Sequence[float] | None = None
    y_interval: Sequence[float] | None = None
    """Lower and upper end; None if not known."""
    named: bool = True
    """With its label in the legend."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves over two axes from 0; `x_end` is the end of the horizontal one, None as far as the curves go."""

    lines: Sequence[Curve]
    marks: Sequence[Mark]
    x_label: str
    y_label: str
    title: str = ""
    x_end: float | None = 1.0
    legend: Literal["lower right", "upper left"] = "lower right"
    diagonal: bool = False
    """With the line of equal values: chance, or perfect reliability."""


@dataclass(frozen=True, slots=True, eq=False)
class TimelineRow:
    """The probability of one hazard over a recording."""

    name: str
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    thresholds: Sequence[tuple[str, float]]
    spans_s: Sequence[tuple[float, float]]
    """Labelled seconds."""
    alerts: Sequence[tuple[float, Kind]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with its interval, and the bounds of its target."""

    name: str
    value: float
    low: float
    high: float
    bounds: tuple[float | None, float | None] = (None, None)
    """Least and greatest good value."""
    met: bool | None = None
    before: float | None = None


def draw_plots(figure: Figure, plots: Sequence[Plot]) -> None:
    """Plots side by side."""
    for number, (axes, plot) in enumerate(
        zip(figure.subplots(1, len(plots), squeeze=False)[0], plots, strict=True)
    ):
        _draw_plot(axes, plot, str(number) if len(plots) > 1 else "")


def _draw_plot(axes: Axes, plot: Plot, suffix: str) -> None:
    # Named, so that a reader of the file can tell where 0 and 1 lie.
    axes.patch.set_gid(f"area{suffix}")
    if plot.diagonal:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    for place, line in enumerate(plot.lines):
        _draw_line(axes, line, place)
    for mark in plot.marks:
        _draw_mark(axes, mark)
    axes.set(ylim=(0, 1.0), xlabel=plot.x_label, ylabel=plot.y_label, title=plot.title)
    axes.set_xlim(0, plot.x_end)
    # A small plot has no room for more.
    ticks = [0, 0.5, 1] if suffix else [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    if plot.x_end == 1:
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    if any(line.label for line in plot.lines) or any(mark.named for mark in plot.marks):
        axes.legend(loc=plot.legend)


def _draw_line(axes: Axes, line: Curve, place: int) -> None:
    colour = _LINES[place % 3]
    axes.plot(
        line.xs,
        line.ys,
        color=colour,
        linestyle=_DASHES[place % 3],
        drawstyle="steps-pre" if line.steps else "default",
        marker=_MARKERS[place % 3] if line.dots else "",
        markersize=5,
        label=line.label or "_",
        gid=line.key,
        # A curve along the edge would lose half its width.
        clip_on=False,
    )
    for x, bounds in zip(line.xs, line.intervals, strict=bool(line.intervals)):
        if bounds:
            axes.plot([x, x], bounds, color=colour, linewidth=1.2, alpha=0.6)
    for x, y, words in line.notes:
        axes.annotate(words, (x, y), (7, -13), textcoords="offset points", fontsize=11)


def _draw_mark(axes: Axes, mark: Mark) -> None:
    if mark.y_interval:
        axes.plot([mark.x] * 2, mark.y_interval, color=ORANGE, linewidth=1.5, gid=f"{mark.key}-high")
    if mark.x_interval:
        axes.plot(mark.x_interval, [mark.y] * 2, color=ORANGE, linewidth=1.5, gid=f"{mark.key}-wide")
    axes.plot(
        [mark.x],
        [mark.y],
        linestyle="",
        marker="D",
        markersize=8,
        color=ORANGE,
        markeredgecolor=CARD,
        label=mark.label if mark.named else "_",
        gid=mark.key,
        clip_on=False,
        zorder=5,
    )


def timeline_chart(
    key: str, title: str, description: str, rows: Sequence[TimelineRow], end_s: float
) -> Chart:
    """The chart of the rows from 0 to `end_s` seconds."""
    height = 60 + _ROW_HEIGHT * len(rows)
    draw = partial(draw_timeline, rows=rows, end_s=end_s)
    return Chart(key, title, description, _TIMELINE_WIDTH, height, draw)


def draw_timeline(figure: Figure, rows: Sequence[TimelineRow], end_s: float) -> None:
    """One row a hazard, all over the same seconds."""
    grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for number, (axes, row) in enumerate(zip(grid, rows, strict=True)):
        for start, end in row.spans_s:
            axes.axvspan(start, min(end, end_s), color=GREEN, alpha=0.22, linewidth=0, gid=f"label{number}")
        times, values = thin(row.times_s, row.values)
        axes.plot(times, values, color=INK, linewidth=1.3, gid=f"score{number}")
        for place, (_, threshold) in enumerate(row.thresholds):
            style = "--" if place == len(row.thresholds) - 1 else ":"
            axes.axhline(threshold, color=INK, linewidth=1, linestyle=style, gid=f"threshold{number}{place}")
        for place, (time_s, kind) in enumerate(row.alerts):
            marker, colour, _ = _SHAPES[kind]
            axes.plot(
                [time_s],
                [1.0],
                linestyle="",
                marker=marker,
                markersize=10,
                color=colour,
                markeredgecolor=CARD,
                gid=f"alert{number}-{place}-{kind}",
                clip_on=False,
                zorder=5,
            )
        axes.set(ylim=(0, 1.0), xlim=(0, end_s), title=row.name, yticks=[0, 0.5, 1])
        axes.grid(visible=False)
    grid[-1].set_xlabel("seconds")


def thin(
    times: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A series of at most twice BINS points that keeps its peaks and valleys."""
    if len(times) <= 2 * BINS:
        return times, values
    kept = [
        int(place)
        for part in np.array_split(np.arange(len(times)), BINS)
        for place in sorted({part[values[part].argmin()], part[values[part].argmax()]})
    ]
    return times[kept], values[kept]


def draw_bars(
    figure: Figure, bars: Sequence[Bar], unit: str, x_limits: tuple[float, float] | None = None
) -> None:
    """A dot and its interval in each row, from the top. A target is a line, its good side is shaded."""
    axes = figure.subplots()
    for place, bar in enumerate(bars):
        colour = ORANGE if bar.met is False else BLUE
        axes.plot(
            [bar.low, bar.high], [place, place], color=colour, linewidth=5, alpha=0.35, gid=f"spread{place}"
        )
        if bar.before is not None:
            axes.plot(
                [bar.before], [place], "v", color=MUTED, markersize=8, fillstyle="none", gid=f"before{place}"
            )
        axes.plot(
            [bar.value], [place], "X" if bar.met is False else "o", color=colour, markersize=9,
            markeredgecolor=CARD, gid=f"value{place}", clip_on=False, zorder=5,
        )  # fmt: skip
    low, high = x_limits or _limits(bars)
    for place, bar in enumerate(bars):
        least, most = bar.bounds
        if least is None and most is None:
            continue
        inside = (low if least is None else least, high if most is None else most)
        axes.fill_betweenx([place - 0.36, place + 0.36], *inside, color=GREEN, alpha=0.18, linewidth=0)
        for bound in (least, most):
            if bound is not None:
                axes.plot(
                    [bound] * 2, [place - 0.36, place + 0.36], color=INK, linewidth=1.5, gid=f"target{place}"
                )
    axes.set(xlim=(low, high), ylim=(len(bars) - 0.5, -0.5), xlabel=unit)
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
    axes.grid(visible=False, axis="y")


def _limits(bars: Sequence[Bar]) -> tuple[float, float]:
    """From 0, with room beyond the greatest value or target."""
    ends = [end for bar in bars for end in (bar.low, bar.high, bar.value, *bar.bounds) if end is not None]
    return min(0.0, *ends) * 1.08, (max(ends) or 1.0) * 1.08
