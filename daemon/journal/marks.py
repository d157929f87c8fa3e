"""Alerts that the user called right or wrong: their pictures and a manifest for `calibrate --labelled`."""

from __future__ import annotations

import csv
import io
import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from common import atomic_file
from daemon.errors import CommandError
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from pipeline.evaluation.dataset import SAFE

Verdict = Literal["true", "false", "none"]

FILE = "marks.csv"
COLUMNS = ("file", "label", "uncertain", "source", "run", "id", "verdict")
MAX_MARKS = 1000
"""Kept at most, with a picture each; the oldest go first."""

Row = Mapping[str, str]


class Marks:
    """Used by any thread. Everything raises OSError if the disk fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    @property
    def file(self) -> Path:
        """The manifest, in the format of `pipeline.evaluation.dataset`."""
        return self._folder / FILE

    def put(self, event: Mapping[str, Any], verdict: Verdict, jpeg: bytes, hazards: Collection[str]) -> None:
        """Keep the verdict on an alert and its picture; `none` drops it.

        A picture is labelled for its alert's hazard alone: it may show any other of `hazards`, or not.
        """
        name = f"{event['run']}-{event['id']}.jpg"
        with self._lock:
            rows = [row for row in self._rows() if row["file"] != name]
            if verdict == "none":
                (self._folder / name).unlink(missing_ok=True)
            else:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                atomic_file.write(self._folder / name, jpeg)
                rows.append(_row(name, event, verdict, hazards))
            self._write(rows[-MAX_MARKS:])
            for row in rows[:-MAX_MARKS]:
                (self._folder / row["file"]).unlink(missing_ok=True)

    def verdicts(self) -> Mapping[tuple[str, str], str]:
        """By run and id of the alert."""
        return {(row["run"], row["id"]): row["verdict"] for row in self._rows()}

    def forget(self, before_s: float | None) -> int:
        """Delete all, or those made before a time (Unix seconds). Returns the number of pictures deleted."""
        with self._lock:
            rows = self._rows()
            kept = [row for row in rows if before_s is not None and self._made_s(row) >= before_s]
            for row in rows:
                if row not in kept:
                    (self._folder / row["file"]).unlink(missing_ok=True)
            if kept:
                self._write(kept)
            elif self._folder.exists():
                shutil.rmtree(self._folder)
        return len(rows) - len(kept)

    def _made_s(self, row: Row) -> float:
        try:
            return (self._folder / row["file"]).stat().st_mtime
        except FileNotFoundError:
            return float("-inf")

    def _rows(self) -> list[Row]:
        try:
            text = self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        # A file edited by hand may lack a column, or name a file elsewhere, which is not ours to delete.
        rows = [{name: row.get(name) or "" for name in COLUMNS} for row in csv.DictReader(io.StringIO(text))]
        return [row for row in rows if row["file"] and row["file"] == Path(row["file"]).name]

    def _write(self, rows: Collection[Row]) -> None:
        if not rows:
            # A manifest that lists nothing is refused by `calibrate`.
            self.file.unlink(missing_ok=True)
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        atomic_file.write(self.file, text.getvalue())


def with_marks(events: Sequence[Mapping[str, Any]], marks: Marks) -> Sequence[Mapping[str, Any]]:
    """The events, marked ones with their verdict as `mark`."""
    verdicts = marks.verdicts()
    return [
        {**event, "mark": verdicts[key]} if (key := (event["run"], event["id"])) in verdicts else event
        for event in events
    ]


def mark_alert(
    paths: JournalPaths, marks: Marks, hazards: Callable[[], Collection[str]], row: int, verdict: Verdict
) -> Mapping[str, Any]:
    """Keep a verdict on the alert in this row, or take it back. Returns the event with `mark` and `file`.

    Raises CommandError if the row does not exist, is no alert, or has no picture to learn from.
    """
    with reading(paths) as reader:
        event = reader.event_at(row)
        if event["kind"] != "alert":
            raise CommandError(f"#{row}: is no alert; only alerts can be marked", "invalid")
        # A mark can be taken back after its picture in the journal has been deleted.
        jpeg, pixelated = (b"", False) if verdict == "none" else reader.picture(row)
    if pixelated:
        raise CommandError(
            f'#{row}: its picture is pixelated (journal.pictures = "pixelated"); '
            "nothing can be learnt from it"
        )
    try:
        marks.put(event, verdict, jpeg, hazards())
    except OSError as error:
        raise CommandError(f"{marks.file}: cannot be written: {error.strerror or error}") from None
    return {**event, "mark": verdict, "file": str(marks.file)}


def _row(name: str, event: Mapping[str, Any], verdict: Verdict, hazards: Collection[str]) -> Row:
    hazard = str(event["hazard"])
    return {
        "file": name,
        "label": hazard if verdict == "true" else SAFE,
        "uncertain": ";".join(other for other in hazards if other != hazard),
        # Pictures of one hour resemble each other: calibration must not take them for independent.
        "source": time.strftime("%Y-%m-%d %H h", time.localtime(event["wall_s"])),
        "run": str(event["run"]),
        "id": str(event["id"]),
        "verdict": verdict,
    }
