"""`evaluate --html`: all figures and the worst mistakes, as pictures, on one page that needs no network."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2

from capture.frame import Image
from daemon.tools.report_lines import few_sources
from pipeline.models.preprocess import fitted, resize

SHOWN = 12
"""Mistakes of each kind that are shown, the worst first."""
# Small enough for a dozen of each kind on one screen.
_WIDTH, _HEIGHT = 200, 150
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1b1f24; background: #fff }
h1 { font-size: 1.5rem }
h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #d8dee4 }
th { font-weight: 600 }
th:first-child, td:first-child { text-align: left }
small { color: #57606a; white-space: nowrap }
.own { background: #d7f5dd; font-weight: 600 }
.wrong { background: #ffe3df }
.pictures { display: flex; flex-wrap: wrap; gap: .9rem }
figure { margin: 0; width: 200px }
img { max-width: 200px }
figcaption { font-size: .82rem; overflow-wrap: anywhere }
.scroll { overflow-x: auto }
.confusion th { font-size: .78rem; writing-mode: vertical-rl; text-align: left }
.confusion tbody th { writing-mode: horizontal-tb }
"""


@dataclass(frozen=True, slots=True, eq=False)
class Mistake:
    """A picture, or a moment of a clip, that was judged wrongly."""

    title: str
    says: str
    badness: float
    """Sort key: the worst mistake has the largest."""
    image: Image | None
    """None if it cannot be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Mistakes:
    """Missed hazards and false alarms."""

    misses: tuple[Mistake, ...] = ()
    false_alarms: tuple[Mistake, ...] = ()

    def __add__(self, other: Mistakes) -> Mistakes:
        return Mistakes(self.misses + other.misses, self.false_alarms + other.false_alarms)


def thumbnail(image: Image) -> Image:
    """A copy of at most 200 by 150 pixels."""
    return resize(image, *fitted(image, _WIDTH, _HEIGHT))


def page(report: Mapping[str, Any], mistakes: Mistakes, manifest: str) -> str:
    """The whole page as HTML. Everything that comes from outside is escaped."""
    parts = [
        f"<h1>{_text(manifest)}</h1>",
        f"<p>Model {_text(report['model'])}. In brackets: 95 % intervals; unknown where a figure "
        "rests on a single source.</p>",
    ]
    if "hazards" in report:
        parts += [*_summary(report), *_hazards(report["hazards"]), *_confusion(report["confusion"])]
    if "videos" in report:
        parts += _videos(report["videos"])
    parts += _gallery("Misses", mistakes.misses)
    parts += _gallery("False alarms", mistakes.false_alarms)
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>watchword: {_text(manifest)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _summary(report: Mapping[str, Any]) -> Iterable[str]:
    macro, safe = report["macro"], report["safe"]
    rows = [
        ("any hazard against safe: AUC", _figure(report["any_hazard"], "auc")),
        (f"false alarms on {safe['pictures']} safe pictures", _figure(safe, "false_alarm_rate")),
        ("dangers found at 5 % false alarms", _figure(report["any_hazard"], "recall_at_5_percent")),
        ("mean recall of hazards at 5 % false alarms", _figure(macro, "recall_at_5_percent")),
        *((f"mean over hazards: {key.replace('_', ' ')}", _figure(macro, key)) for key in _MACRO),
    ]
    yield "<h2>Pictures</h2>"
    yield _table(None, [(_text(name), figure) for name, figure in rows])


_MACRO = ("recall", "any_recall", "precision", "auc")
_HAZARD = ("auc", "average_precision", "recall", "precision")


def _hazards(hazards: Mapping[str, Any]) -> Iterable[str]:
    head = ("hazard", "pictures", "AUC", "average precision", "recall", "precision")
    rows = [
        (_text(f"{name} {few_sources(one)}"), str(one["pictures"]), *(_figure(one, key) for key in _HAZARD))
        for name, one in hazards.items()
    ]
    yield "<h2>By hazard</h2>"
    yield _table(head, rows)


def _confusion(confusion: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    """Rows: labels of pictures; columns: hazards over their thresholds."""
    columns = sorted({name for counts in confusion.values() for name in counts})
    yield "<h2>Over threshold, by label</h2><p>A picture may be over several thresholds, or over none.</p>"
    heads = "".join(f'<th scope="col">{_text(name)}</th>' for name in columns)
    yield f'<div class="scroll"><table class="confusion"><thead><tr><td></td>{heads}</tr></thead><tbody>'
    for label, counts in confusion.items():
        cells = "".join(_cell(label, name, counts.get(name, 0)) for name in columns)
        yield f'<tr><th scope="row">{_text(label)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _cell(label: str, name: str, count: int) -> str:
    # The diagonal is right; anything in the row of safe pictures is a false alarm.
    kind = ' class="own"' if label == name else ' class="wrong"' if label == "safe" else ""
    return f"<td{kind}>{count}</td>" if count else "<td></td>"


def _videos(videos: Mapping[str, Any]) -> Iterable[str]:
    in_time = videos["hazards"] - videos["late_or_missed"]
    rows = [
        ("hazards alerted within 1 s", f"{in_time} of {videos['hazards']}"),
        ("share of them", _figure(videos, "in_time")),
        ("median time to alert in seconds", _figure(videos, "median_time_to_alert_s")),
        ("safe footage", f"{videos['safe_hours'] * 60:.1f} minutes"),
        ("false alerts on it", str(videos["false_alerts_on_safe"])),
        ("false alerts an hour", _figure(videos, "false_alerts_per_hour")),
        ("alerts that name what is not there", f"{videos['wrong_alerts']} of {videos['alerts']}"),
        ("share of them", _figure(videos, "wrong_alert_share")),
        (
            "scene changes found",
            f"{videos['scenes_found']} of {videos['scenes']}, {videos['scenes_extra']} more",
        ),
    ]
    yield "<h2>Clips</h2>"
    yield _table(None, [(_text(name), value) for name, value in rows])
    if curve := videos.get("operating_curve"):
        yield "<h2>All thresholds moved together</h2>"
        yield _table(_CURVE, [_curve_point(one) for one in curve])


_CURVE = ("log-odds", "hazards within 1 s", "false alerts an hour", "wrong alerts")


def _curve_point(one: Mapping[str, Any]) -> Sequence[str]:
    in_time = one["hazards"] - one["late_or_missed"]
    return (
        f"{one['log_odds']:+.1f}",
        f"{in_time} of {one['hazards']}",
        _figure(one, "false_alerts_per_hour"),
        f"{one['wrong_alerts']} of {one['alerts']}",
    )


def _gallery(title: str, mistakes: Sequence[Mistake]) -> Iterable[str]:
    worst = sorted(mistakes, key=lambda one: -one.badness)[:SHOWN]
    shown = f" (the worst {len(worst)} are shown)" if len(worst) < len(mistakes) else ""
    yield f"<h2>{_text(title)}: {len(mistakes)}{shown}</h2>"
    if not worst:
        yield "<p>None.</p>"
        return
    yield '<div class="pictures">'
    for one in worst:
        title_text, says = _text(one.title), _text(one.says)
        yield f"<figure>{_image(one)}<figcaption><b>{title_text}</b><br>{says}</figcaption></figure>"
    yield "</div>"


def _image(mistake: Mistake) -> str:
    if mistake.image is None:
        return "<p>(cannot be shown)</p>"
    # Embedded as data: URLs (RFC 2397): the page is one file and needs no network.
    good, coded = cv2.imencode(".jpg", mistake.image, [cv2.IMWRITE_JPEG_QUALITY, 75])
    data = base64.b64encode(coded.tobytes()).decode() if good else ""
    return f'<img alt="{_text(mistake.title)}" src="data:image/jpeg;base64,{data}">'


def _table(head: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are HTML, the head is escaped here."""
    top = "".join(f'<th scope="col">{_text(name)}</th>' for name in head or ())
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _figure(part: Mapping[str, Any], key: str) -> str:
    value, interval = part[key], part[f"{key}_ci"]
    if value is None:
        return "-"
    bounds = f"{interval[0]:.3f}, {interval[1]:.3f}" if interval else "unknown"
    return f"{value:.3f} <small>[{bounds}]</small>"


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
