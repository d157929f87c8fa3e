"""`bench --html`: each figure with its quartiles against its target, by group, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from daemon.bench import tables
from daemon.bench.harness import Figure, Target
from daemon.bench.lane_charts import frame_charts
from daemon.report.charts import Bar, draw_bars
from daemon.report.document import curves_hint, document, heading, table, text, wide_chart
from daemon.report.svg import Chart

_BAR = 32


def page(figures: Sequence[Figure], report: Mapping[str, Any]) -> str:
    """The whole page as HTML; `report` is that of `--json`."""
    parts = [
        "<h1>Benchmark</h1>",
        f'<p class="lead">{text(_headline(figures))}</p>',
        f'<p class="note">{text(_conditions(report))}</p>',
        *curves_hint(),
        '<p class="note">Charts: a dot is the value, or a cross if it misses its target; a bar reaches from '
        "the lower to the upper quartile of the samples; a line is the target, and green its good side.</p>",
    ]
    for number, (group, members) in enumerate(_groups(figures).items()):
        parts += [heading(f"group{number}", group), *_charts(number, members), *_traces(number, members)]
        parts.append(_table(group, members))
    return document("benchmark", parts)


def _headline(figures: Sequence[Figure]) -> str:
    judged = [figure for figure in figures if figure.target is not None]
    short = [f"{one.name} ({tables.shown(one)}, {one.target})" for one in judged if not one.met]
    if not judged:
        return f"{len(figures)} figures, none of which has a target."
    met = f"{len(judged) - len(short)} of {len(judged)} targets are met"
    return f"{met}; short: {', '.join(short)}." if short else f"{met}."


def _conditions(report: Mapping[str, Any]) -> str:
    machine, load = report["machine"], report["load"]
    quiet = "quiet" if load["quiet"] else "not quiet, the figures are not to be compared"
    return (
        f"{machine['processor']}, {machine['usable_cores']} processors, Linux {machine['kernel']}, "
        f"watchword {machine['watchword']}. Other programs used {load['others_share']:.0%} of the "
        f"processors: {quiet}."
    )


def _groups(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    """By the first part of their names, in the order in which they were measured."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(figure.name.partition(".")[0], []).append(figure)
    return groups


def _charts(number: int, members: Sequence[Figure]) -> Iterable[str]:
    """One chart for each unit: seconds and megabytes have no common axis."""
    units: dict[str, list[Figure]] = {}
    for figure in members:
        if figure.value is not None:
            units.setdefault(figure.unit, []).append(figure)
    for place, (unit, measured) in enumerate(units.items()):
        said = " ".join(
            f"{one.name} {tables.shown(one)}" + (f", target {one.target}." if one.target else ".")
            for one in measured
        )
        chart = Chart(
            f"bench{number}-{place}",
            f"{measured[0].name.partition('.')[0]} in {unit or 'numbers'}",
            said,
            700,
            64 + _BAR * len(measured),
            partial(draw_bars, bars=[_bar(one, one.value or 0.0) for one in measured], unit=unit),
        )
        yield from wide_chart(chart)


def _traces(number: int, members: Sequence[Figure]) -> Iterable[str]:
    """The charts of the figures whose frames are known one by one."""
    for place, figure in enumerate(members):
        if figure.trace is not None:
            for chart in frame_charts(f"trace{number}-{place}", figure.trace):
                yield from wide_chart(chart, f"{figure.note}: {chart.title}")


def _bar(figure: Figure, value: float) -> Bar:
    low, high = figure.spread or (value, value)
    name = figure.name.partition(".")[2] or figure.name
    return Bar(name, value, low, high, _bounds(figure.target), figure.met)


def _bounds(target: Target | None) -> tuple[float | None, float | None]:
    if target is None:
        return None, None
    if target.sense == "in":
        return target.bound, target.upper
    return (target.bound, None) if target.sense == ">=" else (None, target.bound)


def _table(group: str, members: Sequence[Figure]) -> str:
    every = tables.every(members)
    return table(f"Figures of {group}", every.head, [[text(cell) for cell in row] for row in every.rows])
