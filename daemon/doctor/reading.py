"""Probe of reading: its model, and Korean."""

from __future__ import annotations

from collections.abc import Iterator

from daemon.config.settings import Settings
from daemon.doctor.findings import Finding
from daemon.wiring.store import open_store
from pipeline.reading import korean
from pipeline.reading.passages import MODEL
from pipeline.store.errors import StoreError


def reading(settings: Settings) -> Iterator[Finding]:
    """Whether words in view can be read, and in which languages."""
    try:
        open_store(settings).path(MODEL)
    except StoreError as error:
        yield Finding("reading", "warn", f"`read` cannot read: {error}", f"watchword models pull {MODEL}")
        return
    yield assess_languages(korean_wanted=settings.speech.language == "ko", korean_there=korean.installed())


def assess_languages(*, korean_wanted: bool, korean_there: bool) -> Finding:
    """A missing reader of Korean is a finding only if the language is Korean."""
    if korean_there:
        return Finding("reading", "ok", "words in English and Korean")
    says = "words in English; Korean needs tesseract"
    todo = f"as root: apt-get install {' '.join(korean.PACKAGES)}"
    return Finding("reading", "warn" if korean_wanted else "ok", says, todo if korean_wanted else "")
