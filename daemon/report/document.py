"""The frame of a report: one file of HTML in light and dark that needs no network and no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.install_hint import install_hint
from daemon.report.svg import Chart, is_available, render

# Blue, vermilion and bluish green of Okabe and Ito (2008), which colour-blind readers tell apart; lighter on
# dark ground for contrast.
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #57606a; --grid: #dfe4ea; --card: #f6f8fa;
  --ground: #fff; --blue: #0072b2; --orange: #c44e00; --green: #00855f; --right: #d7f5dd; --wrong: #ffe3df }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --muted: #a3adba; --grid: #333b45;
  --card: #1c2128; --ground: #13171c; --blue: #56b4e9; --orange: #ff9a5a; --green: #3ddba8;
  --right: #12462a; --wrong: #5c2019 } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto 4rem; max-width: 70rem; padding: 0 1rem;
  color: var(--ink); background: var(--ground) }
h1 { font-size: 1.5rem; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; margin-top: 2.6rem }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; overflow-wrap: anywhere }
p { max-width: 46rem }
.lead { font-size: 1.15rem; border-left: .3rem solid var(--blue); padding-left: .9rem }
a { color: var(--blue) }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; list-style: none }
table { border-collapse: collapse }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--grid) }
th { font-weight: 600 }
tbody th { font-weight: 400 }
th:first-child, td:first-child { text-align: left }
small { color: var(--muted); white-space: nowrap; font-size: .85em }
.note { color: var(--muted); font-size: .92rem }
.right { background: var(--right); font-weight: 600 }
.wrong { background: var(--wrong) }
.row { margin: .6rem 0 1.4rem; display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start }
.pictures figure { width: 200px }
figure { margin: 0; max-width: 100% }
img { max-width: 200px; border-radius: 4px }
figcaption { font-size: .9rem; overflow-wrap: anywhere }
.chart { max-width: 100% }
.chart figcaption { color: var(--muted); max-width: 21rem }
.scroll { overflow-x: auto }
.scroll:focus-visible, a:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px }
.confusion th { font-size: .85rem; writing-mode: vertical-rl; text-align: left }
.key span { display: inline-block; margin-right: 1.2rem }
.key b { color: var(--blue) } .key .bad b { color: var(--orange) } .key .open b { color: var(--muted) }
.key i { background: color-mix(in srgb, var(--green) 22%, transparent); padding: 0 .8rem;
  margin-right: .3rem }
.confusion tbody th { writing-mode: horizontal-tb }
svg { display: block; max-width: 100%; height: auto }
.scroll svg { max-width: none }
svg * { stroke-linejoin: round; stroke-linecap: butt }
@media print { .scroll { overflow: visible } }
"""


def document(title: str, parts: Iterable[str]) -> str:
    """A page; `parts` are HTML, the title is escaped here."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>watchword: {text(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body></html>\n"
    )


def contents(sections: Mapping[str, str]) -> str:
    """Links to the sections of the page: identifiers and their titles."""
    items = "".join(f'<li><a href="#{key}">{text(title)}</a></li>' for key, title in sections.items())
    return f'<nav aria-label="On this page"><ul>{items}</ul></nav>'


def heading(key: str, title: str) -> str:
    """The head of a section."""
    return f'<h2 id="{key}">{text(title)}</h2>'


def curves_hint() -> Iterable[str]:
    """One line on how to get the curves; nothing if they are there."""
    if not is_available():
        yield (
            f'<p class="note">The curves are left out, because matplotlib is not installed: '
            f"<code>{text(install_hint('report'))}</code> brings them.</p>"
        )


def charts(drawn: Iterable[tuple[Chart, str]]) -> Iterable[str]:
    """Charts side by side, each with its caption; nothing without matplotlib."""
    figures = [_chart(chart, caption) for chart, caption in drawn] if is_available() else []
    if figures:
        yield f'<div class="row">{"".join(figures)}</div>'


def wide_chart(chart: Chart, caption: str = "") -> Iterable[str]:
    """A chart that scrolls sideways on a small screen; nothing without matplotlib."""
    if is_available():
        if caption:
            yield f'<p class="note">{text(caption)}</p>'
        yield f"{scroll_start(chart.title)}{render(chart)}</div>"


def timeline_key(*, before: bool = False) -> Iterable[str]:
    """What the marks of a timeline mean; nothing without matplotlib.

    `before`: thresholds before and now are compared.
    """
    if not is_available():
        return
    yield '<p class="note key">'
    if before:
        yield (
            '<span class="bad"><b>✖</b> false alert now</span><span class="open"><b>▼</b> false alert before'
            "</span><span><b>- -</b> threshold now</span><span><b>···</b> threshold before</span></p>"
        )
        return
    yield (
        '<span><b>●</b> right alert</span><span class="bad"><b>✖</b> wrong alert</span>'
        '<span class="open"><b>◆</b> alert that cannot be judged</span><span><i></i>labelled</span>'
        "<span>- - threshold</span></p>"
    )


def scroll_start(name: str) -> str:
    """Opens a `<div>` that scrolls sideways, by the keyboard too."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{text(name)}">'


def _chart(chart: Chart, caption: str) -> str:
    said = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    return f'<figure class="chart">{render(chart)}{said}</figure>'


def table(name: str, head: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls if it is wide; the cells are HTML, name and head are escaped here."""
    top = "".join(f'<th scope="col">{text(one)}</th>' for one in head or ())
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    header = f"<thead><tr>{top}</tr></thead>" if top else ""
    return f"{scroll_start(name)}<table>{header}<tbody>{body}</tbody></table></div>"


def figure(part: Mapping[str, Any], key: str) -> str:
    """A figure with its interval, as HTML."""
    value, interval = part[key], part[f"{key}_ci"]
    if value is None:
        return "-"
    bounds = f"{interval[0]:.3f}, {interval[1]:.3f}" if interval else "unknown"
    return f"{value:.3f} <small>[{bounds}]</small>"


def text(value: object) -> str:
    """Anything as text in HTML, escaped."""
    return html.escape(str(value), quote=True)
