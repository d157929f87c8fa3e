"""The worst mistakes as pictures on a page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2

from capture.frame import Image
from daemon.report.document import heading, text
from pipeline.models.preprocess import fitted, resize

SHOWN = 12
"""Mistakes of each kind that are shown, the worst first."""
# Small enough for a dozen of each kind on one screen.
_WIDTH, _HEIGHT = 200, 150


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


def gallery(key: str, title: str, mistakes: Sequence[Mistake]) -> Iterable[str]:
    """A section with the worst of some mistakes. Everything that comes from outside is escaped."""
    worst = sorted(mistakes, key=lambda one: -one.badness)[:SHOWN]
    shown = f" (the worst {len(worst)} are shown)" if len(worst) < len(mistakes) else ""
    yield heading(key, f"{title}: {len(mistakes)}{shown}")
    if not worst:
        yield "<p>None.</p>"
        return
    yield '<div class="row pictures">'
    for one in worst:
        title_text, says = text(one.title), text(one.says)
        yield f"<figure>{_image(one)}<figcaption><b>{title_text}</b><br>{says}</figcaption></figure>"
    yield "</div>"


def _image(mistake: Mistake) -> str:
    if mistake.image is None:
        return "<p>(cannot be shown)</p>"
    # Embedded as data: URLs (RFC 2397): the page is one file and needs no network.
    good, coded = cv2.imencode(".jpg", mistake.image, [cv2.IMWRITE_JPEG_QUALITY, 75])
    data = base64.b64encode(coded.tobytes()).decode() if good else ""
    return f'<img alt="{text(mistake.title)}" src="data:image/jpeg;base64,{data}">'
