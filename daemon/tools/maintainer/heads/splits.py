"""Which part a source of the training set belongs to: `locked`, looked at once at the end, or a fold."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from common.errors import WatchwordError

LOCKED = "locked"
FOLDS = ("0", "1", "2", "3", "4")
SPLITS = Path(__file__).with_name("splits.csv")


class SplitsError(WatchwordError):
    """A source has no part, or a part does not exist; the message says which."""


def read_splits(path: Path = SPLITS) -> Mapping[str, str]:
    """Part by source. Raises SplitsError."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            parts = {row["source"]: row["part"] for row in csv.DictReader(stream)}
    except (OSError, KeyError) as error:
        raise SplitsError(f"{path}: no table of source,part ({error})") from error
    if strange := set(parts.values()) - {LOCKED, *FOLDS}:
        raise SplitsError(f"{path}: part {min(strange)!r}; one of {', '.join((LOCKED, *FOLDS))}")
    return parts


def part_of(source: str, parts: Mapping[str, str]) -> str:
    """Raises SplitsError for a source that no part was drawn for: it must not slip into any."""
    try:
        return parts[source]
    except KeyError:
        raise SplitsError(f"{source}: in no part of the splits; draw one before looking at it") from None
