"""Labelled pictures and clips in a CSV file: `file,label` or `file,label,start_s,end_s`; more is ignored."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from common.errors import WatchwordError

SAFE, SCENE, IGNORE = "safe", "scene", "ignore"


class DatasetError(WatchwordError):
    """The manifest cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One still picture."""

    path: Path
    label: str
    """A hazard's name or `safe`."""
    source: str
    """Where it came from; pictures of one source resemble each other. Its own path where not stated."""


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of a clip that carry a label; `scene` marks a cut and has no length."""

    label: str
    start_s: float
    end_s: float

    def covers(self, time_s: float) -> bool:
        return self.start_s <= time_s < self.end_s


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """One clip with all its spans, which may overlap."""

    path: Path
    spans: tuple[Span, ...]
    source: str

    def labels_at(self, time_s: float) -> frozenset[str]:
        return frozenset(span.label for span in self.spans if span.covers(time_s))


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything one file lists."""

    pictures: tuple[LabelledPicture, ...]
    clips: tuple[LabelledClip, ...]


def read_dataset(path: Path, hazards: Collection[str]) -> Dataset:
    """Paths are relative to the manifest. Raises DatasetError for a missing file or an unknown label."""
    rows = _rows(path)
    pictures: list[LabelledPicture] = []
    clips: dict[Path, tuple[str, list[Span]]] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        file, label = _file(path, row, where), (row.get("label") or "").strip()
        source = (row.get("source") or "").strip() or str(file)
        span = _span(row, label, where)
        known = {SAFE, *hazards} | ({SCENE, IGNORE} if span else set())
        if label not in known:
            raise DatasetError(f"{where}: unknown label {label!r}; one of {', '.join(sorted(known))}")
        if span is None:
            pictures.append(LabelledPicture(file, label, source))
        else:
            clips.setdefault(file, (source, []))[1].append(span)
    if not pictures and not clips:
        raise DatasetError(f"{path}: lists nothing")
    return Dataset(tuple(pictures), tuple(_clip(file, *rest) for file, rest in clips.items()))


def _clip(file: Path, source: str, spans: Iterable[Span]) -> LabelledClip:
    return LabelledClip(file, tuple(spans), source)


def _rows(path: Path) -> list[tuple[int, dict[str, str | None]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = {"file", "label"} - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(
                    f"{path}: no column {min(missing)!r} in its first line; it needs file,label"
                )
            return [(reader.line_num, dict(row)) for row in reader]
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8 ({error})") from error


def _file(manifest: Path, row: dict[str, str | None], where: str) -> Path:
    name = (row.get("file") or "").strip()
    file = manifest.parent / name
    if not name or not file.is_file():
        raise DatasetError(f"{where}: no such file {name!r} beside the manifest")
    return file


def _span(row: dict[str, str | None], label: str, where: str) -> Span | None:
    """None for a picture: neither start nor end is given."""
    start, end = ((row.get(column) or "").strip() for column in ("start_s", "end_s"))
    if not start and not end:
        return None
    try:
        span = Span(label, float(start), float(end))
    except ValueError as error:
        raise DatasetError(
            f"{where}: start_s and end_s must both be seconds, not {start!r}, {end!r}"
        ) from error
    if not 0 <= span.start_s <= span.end_s < float("inf"):
        raise DatasetError(f"{where}: from {start} to {end} s is no span of time")
    return span
