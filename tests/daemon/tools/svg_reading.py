"""Reads charts back from a page: what is drawn, in the units of the axes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

Points = list[tuple[float, float]]


def charts_of(page: str) -> dict[str, ElementTree.Element]:
    """The charts of a page by their keys. Each must be well-formed and have a title and a description."""
    found = {}
    for source in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        chart = ElementTree.fromstring(source)
        title, description = chart.find("title"), chart.find("desc")
        assert chart.get("role") == "img"
        assert title is not None and title.text
        assert description is not None and description.text
        names = {title.get("id"), description.get("id")}
        assert set((chart.get("aria-labelledby") or "").split()) == names
        found[(title.get("id") or "").removesuffix("-title")] = chart
    return found


def part(chart: ElementTree.Element, key: str) -> ElementTree.Element:
    """The group of a chart with this identifier."""
    return next(one for one in chart.iter() if one.get("id") == key)


def has(chart: ElementTree.Element, key: str) -> bool:
    """True if a chart has something with this identifier."""
    return any(one.get("id") == key for one in chart.iter())


def points(group: ElementTree.Element) -> Points:
    """The points of the first path in a group, or the places of its markers, in pixels."""
    uses = list(group.iter("use"))
    if uses:
        return [(float(one.get("x") or 0), float(one.get("y") or 0)) for one in uses]
    path = next(one for one in group.iter("path"))
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path.get("d") or "")]


def shares(chart: ElementTree.Element, key: str, area: str = "area") -> Points:
    """The points of a part in shares of the plotted area: (0, 0) is its lower left corner."""
    prefix = key.partition("/")[0]
    corners = points(part(chart, f"{prefix}-{area}"))
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    return [
        ((x - left) / (right - left), (bottom - y) / (bottom - top))
        for x, y in points(part(chart, key.replace("/", "-")))
    ]
