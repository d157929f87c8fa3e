"""Labelled pictures and clips in a CSV file.

Columns: `file,label` of a picture, `file,label,start_s,end_s` of a span of a clip. Optional: `labels` in
place of `label`, for pictures that show several hazards, separated by `;`; `uncertain`, the hazards that may
be visible or not; `source`, where a file came from; `camera` of a clip, `moving` or `still`. Further columns
are ignored.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from common.errors import WatchwordError

SAFE, SCENE, IGNORE = "safe", "scene", "ignore"
CameraMotion = Literal["moving", "still"]
_SEPARATOR = ";"

Row = Mapping[str, str | None]


class DatasetError(WatchwordError):
    """The manifest cannot be used; the message has the line and the cure."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One still picture."""

    path: Path
    labels: tuple[str, ...]
    """The hazards that it shows, or `safe` alone; never empty."""
    source: str
    """The collection it came from, whose pictures resemble each other; its own path if none is stated."""
    uncertain: frozenset[str] = frozenset()
    """Hazards that it may show: it counts neither for nor against them."""

    @property
    def label(self) -> str:
        """The first label."""
        return self.labels[0]


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of a clip that carry a label; `scene` marks a cut and has no length."""

    label: str
    start_s: float
    end_s: float
    uncertain: frozenset[str] = frozenset()
    """Hazards that may be visible meanwhile: an alert for one is neither right nor wrong."""

    def covers(self, time_s: float) -> bool:
        return self.start_s <= time_s < self.end_s


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """One clip with all its spans, which may overlap."""

    path: Path
    spans: tuple[Span, ...]
    source: str
    camera: CameraMotion | None = None
    """True if the camera moves; None if the manifest does not state it."""

    def labels_at(self, time_s: float) -> frozenset[str]:
        return frozenset(span.label for span in self.spans if span.covers(time_s))

    def uncertain_at(self, time_s: float) -> frozenset[str]:
        return frozenset(name for span in self.spans if span.covers(time_s) for name in span.uncertain)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything one file lists."""

    pictures: tuple[LabelledPicture, ...]
    clips: tuple[LabelledClip, ...]


def read_dataset(path: Path, hazards: Collection[str]) -> Dataset:
    """Paths are relative to the manifest. Raises DatasetError for a missing file or an unknown label."""
    pictures: list[LabelledPicture] = []
    clips: dict[Path, LabelledClip] = {}
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        file = _file(path, row, where)
        source = (row.get("source") or "").strip() or str(file)
        times = _times(row, where)
        labels = _labels(row, {SAFE, *hazards} | ({SCENE, IGNORE} if times else set()), where)
        # A labelled hazard is certain, even if the other column lists it.
        uncertain = _uncertain(row, hazards, where) - set(labels)
        if times is None:
            pictures.append(LabelledPicture(file, labels, source, uncertain))
        else:
            spans = tuple(Span(label, *times, uncertain) for label in labels)
            clips[file] = _extended(clips.get(file), LabelledClip(file, spans, source, _camera(row, where)))
    if not pictures and not clips:
        raise DatasetError(f"{path}: lists nothing")
    return Dataset(tuple(pictures), tuple(clips.values()))


def _extended(known: LabelledClip | None, added: LabelledClip) -> LabelledClip:
    """One clip of all its rows; the first row states the source."""
    if known is None:
        return added
    return LabelledClip(known.path, known.spans + added.spans, known.source, known.camera or added.camera)


def _labels(row: Row, known: Collection[str], where: str) -> tuple[str, ...]:
    labels = _names(row, "labels") or _names(row, "label") or ("",)
    for label in labels:
        if label not in known:
            raise DatasetError(f"{where}: unknown label {label!r}; one of {', '.join(sorted(known))}")
    if SAFE in labels and len(labels) > 1:
        raise DatasetError(
            f"{where}: {SAFE!r} stands beside {_SEPARATOR.join(labels)!r}; it must stand alone"
        )
    return labels


def _uncertain(row: Row, hazards: Collection[str], where: str) -> frozenset[str]:
    names = frozenset(_names(row, "uncertain"))
    if unknown := names - set(hazards):
        raise DatasetError(f"{where}: unknown hazard {min(unknown)!r} in the column 'uncertain'")
    return names


def _names(row: Row, column: str) -> tuple[str, ...]:
    """The names in a cell, each once, in their order."""
    names = (name.strip() for name in (row.get(column) or "").split(_SEPARATOR))
    return tuple(dict.fromkeys(name for name in names if name))


def _camera(row: Row, where: str) -> CameraMotion | None:
    given = (row.get("camera") or "").strip()
    motions: Sequence[CameraMotion] = get_args(CameraMotion)
    if given and given not in motions:
        raise DatasetError(f"{where}: camera {given!r}; one of {', '.join(motions)}, or nothing")
    return next((motion for motion in motions if motion == given), None)


def _rows(path: Path) -> list[tuple[int, dict[str, str | None]]]:
    try:
        # utf-8-sig: spreadsheets begin a UTF-8 file with a byte-order mark, which would spoil the first
        # column's name.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = set(reader.fieldnames or ())
            missing = {"file", "label"} - columns - ({"label"} if "labels" in columns else set())
            if missing:
                raise DatasetError(
                    f"{path}: no column {min(missing)!r} in its first line; it needs file,label"
                )
            return [(reader.line_num, dict(row)) for row in reader]
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8 ({error})") from error


def _file(manifest: Path, row: Row, where: str) -> Path:
    name = (row.get("file") or "").strip()
    file = manifest.parent / name
    if not name or not file.is_file():
        raise DatasetError(f"{where}: no such file {name!r} beside the manifest")
    return file


def _times(row: Row, where: str) -> tuple[float, float] | None:
    """Start and end in seconds; None for a picture, which has neither."""
    start, end = ((row.get(column) or "").strip() for column in ("start_s", "end_s"))
    if not start and not end:
        return None
    try:
        times = float(start), float(end)
    except ValueError as error:
        raise DatasetError(
            f"{where}: start_s and end_s must both be seconds, not {start!r}, {end!r}"
        ) from error
    if not 0 <= times[0] <= times[1] < float("inf"):
        raise DatasetError(f"{where}: from {start} to {end} s is no span of time")
    return times
