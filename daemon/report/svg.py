"""Charts as inline SVG, drawn by matplotlib, which comes with the optional extra `report`.

The same figures give the same bytes: no date, fixed identifiers, rounded coordinates. Colours are CSS
variables of the page (`daemon.report.document`), so that one drawing serves a light and a dark page.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID, CARD = "#000001", "#000002", "#000003", "#000004"
BLUE, ORANGE, GREEN = "#000011", "#000012", "#000013"
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    CARD: "var(--card)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    GREEN: "var(--green)",
}
"""Colours that stand for a variable while matplotlib draws; no chart uses them for themselves."""
_POINTS = 72
"""Units of matplotlib's SVG in an inch: one unit is one CSS pixel on the page."""
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it scales, is searched and copied
    "svg.hashsalt": "watchword",
    "text.parse_math": False,  # names of hazards may hold a $
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "lines.linewidth": 2,
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with the text that stands for it."""

    key: str
    """Begins every identifier of its SVG; unique on a page."""
    title: str
    description: str
    """The content in words, for a screen reader."""
    width: int
    """In CSS pixels."""
    height: int
    draw: Callable[[Figure], None]


@cache
def is_available() -> bool:
    """True if matplotlib can be imported."""
    try:
        import matplotlib.backends.backend_svg  # noqa: F401
    except ImportError:
        return False
    return True


def render(chart: Chart) -> str:
    """The chart as an `<svg>` element for a page of HTML. Raises ImportError without matplotlib."""
    # Lazy: the import takes half a second, and most commands draw nothing.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    stream = io.StringIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # A Korean name lacks glyphs in the font that measures it; the browser has another one.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=(chart.width / _POINTS, chart.height / _POINTS), layout="constrained")
        canvas = FigureCanvasSVG(figure)
        chart.draw(figure)
        none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.print_svg(stream, metadata=none)  # type: ignore[no-untyped-call]
    return _inline(stream.getvalue(), chart)


def _inline(text: str, chart: Chart) -> str:
    """Strip what only a file of its own needs: declarations, style rules, identifiers that may be shared."""
    body = text[text.index("<g id=") : text.rindex("</svg>")]
    # Identifiers are unique in a file, but a page holds many drawings.
    body = re.sub(r'\bid="', f'id="{chart.key}-', body)
    body = re.sub(r'xlink:href="#', f'href="#{chart.key}-', body)
    body = body.replace("url(#", f"url(#{chart.key}-")
    # Families are those of the page.
    body = re.sub(r" font-family: [^;\"]*;", "", body)
    body = re.sub(r"(\d\.\d\d)\d+", r"\1", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, variable)
    title, description = html.escape(chart.title), html.escape(chart.description)
    return (
        f'<svg role="img" aria-labelledby="{chart.key}-title {chart.key}-desc" width="{chart.width}" '
        f'height="{chart.height}" viewBox="0 0 {chart.width} {chart.height}">\n'
        f'<title id="{chart.key}-title">{title}</title><desc id="{chart.key}-desc">{description}</desc>\n'
        f"{body.strip()}\n</svg>"
    )
