"""Reads the journal, also while another process writes it. Queries take milliseconds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daemon.control.commands import JournalCommand
from daemon.errors import CommandError
from daemon.journal.paths import JournalPaths
from daemon.journal.schema import damaged, open_reader

Fields = Mapping[str, Any]

COLUMNS = "row, wall_s, run, event, picture IS NOT NULL, box IS NOT NULL"


class JournalReader:
    """Answers queries about the journal."""

    def __init__(self, database: sqlite3.Connection, paths: JournalPaths) -> None:
        self._database = database
        self._paths = paths

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]:
        """Events, the newest first, and the row before which the next page begins."""
        question, values = _question(wanted)
        rows = self._database.execute(question, values).fetchall()
        events = [self._event_fields(row) for row in rows[: wanted.limit]]
        if wanted.evidence:
            events = [{**event, **self._evidence_field(event["row"])} for event in events]
        # One row more than asked for tells whether there is a next page.
        return {"events": events, "next": rows[wanted.limit - 1][0] if len(rows) > wanted.limit else None}

    def _event_fields(self, row: Sequence[Any]) -> dict[str, Any]:
        number, wall_s, run, event, picture, box = row
        fields = json.loads(event)
        head = {"row": number, "wall_s": wall_s, "run": run}
        return {**head, **fields, "snapshot": bool(picture), "black_box": bool(box)}

    def _evidence_field(self, row: int) -> Fields:
        evidence = self.evidence(row)
        return {} if evidence is None else {"evidence": evidence}

    def event_at(self, row: int) -> Fields:
        """The event of that row. Raises CommandError (unknown)."""
        found = self._one("WHERE row = ?", row)
        if found is None:
            raise CommandError(f"#{row}: not in the journal; `watchword journal` shows what is", "unknown")
        return found

    def newest(self, id: str) -> Fields | None:
        """The event with that id in the newest run that has one; None without any."""
        return self._one("WHERE id = ? ORDER BY row DESC LIMIT 1", id)

    def last_said(self, run: str | None = None) -> Fields | None:
        """The last utterance; in that run, or in any."""
        # A few rows: some utterances are sounds without text.
        spoken = "WHERE kind = 'speak' AND run = ifnull(?, run) ORDER BY row DESC LIMIT 20"
        for found in self._all(spoken, run):
            if found.get("text"):
                return found
        return None

    def find(self, run: str, id: str) -> Fields | None:
        """The event with that id in a run; None if there is none."""
        return self._one("WHERE id = ? AND run = ? ORDER BY row DESC LIMIT 1", id, run)

    def effects_of(self, run: str, id: str) -> Sequence[Fields]:
        """The events that this event of a run caused, in order."""
        return self._all("WHERE run = ? AND cause = ? ORDER BY row LIMIT 50", run, id)

    def evidence(self, row: int) -> Fields | None:
        """The scores of every hazard when an alert was raised."""
        # Apart from the event: evidence is long, and most readers do not need it.
        found = self._database.execute("SELECT evidence FROM events WHERE row = ?", (row,)).fetchone()
        return json.loads(found[0]) if found and found[0] else None

    def picture(self, row: int) -> tuple[bytes, bool]:
        """JPEG, and whether it is pixelated. Raises CommandError (unknown)."""
        found = self._database.execute(
            "SELECT file, pixelated FROM pictures WHERE id = (SELECT picture FROM events WHERE row = ?)",
            (row,),
        ).fetchone()
        # Retention may delete the file between the query and this line.
        data = _read(self._paths.pictures / found[0]) if found else b""
        if not data:
            raise CommandError(f"#{row}: no picture is kept with it", "unknown")
        return data, bool(found[1])

    def recording_file(self, row: int) -> Path:
        """The file of the black box that holds this event. Raises CommandError (unknown)."""
        found = self._database.execute(
            "SELECT file FROM boxes WHERE id = (SELECT box FROM events WHERE row = ?)", (row,)
        ).fetchone()
        file = self._paths.black_boxes / str(found[0]) if found else None
        if file is None or not file.is_file():
            raise CommandError(
                f"#{row}: no black box is kept with it; alerts have one while journal.black_box_mb reaches",
                "unknown",
            )
        return file

    def newest_recording(self) -> Path | None:
        """The black box made last."""
        found = self._database.execute("SELECT file FROM boxes ORDER BY id DESC LIMIT 1").fetchone()
        file = self._paths.black_boxes / found[0] if found else None
        return file if file is not None and file.is_file() else None

    def counts(self) -> Mapping[str, int]:
        """How many events of each kind."""
        return dict(self._database.execute("SELECT kind, count(*) FROM events GROUP BY kind").fetchall())

    def _one(self, condition: str, *values: object) -> Fields | None:
        return next(iter(self._all(condition, *values)), None)

    def _all(self, condition: str, *values: object) -> Sequence[Fields]:
        question = f"SELECT {COLUMNS} FROM events {condition}"  # noqa: S608 - conditions are ours, above
        return [self._event_fields(row) for row in self._database.execute(question, values)]


@contextmanager
def reading(paths: JournalPaths) -> Iterator[JournalReader]:
    """A reader for a moment. Raises CommandError if there is no journal, or it cannot be read."""
    database = open_reader(paths.database)
    try:
        yield JournalReader(database, paths)
    except sqlite3.Error as error:
        how = (
            "is damaged; the daemon begins a new one when it starts"
            if damaged(error)
            else "cannot be read now"
        )
        raise CommandError(f"the journal {paths.database} {how}: {error}", "unavailable") from None
    finally:
        database.close()


def _question(wanted: JournalCommand) -> tuple[str, dict[str, Any]]:
    """The SQL of a page and its values. Each kind is a query of its own, which an index gives in order."""
    values = {
        "hazard": wanted.hazard,
        "since": wanted.since,
        "until": wanted.until,
        "before": wanted.before,
        "most": wanted.limit + 1,
    }
    conditions = [
        condition
        for name, condition in (("hazard", "hazard = :hazard"), ("before", "row < :before"))
        if values[name] is not None
    ]
    conditions += _time(wanted)
    parts = []
    # `fromkeys`: a kind that is named twice must not give its events twice.
    for number, kind in enumerate(dict.fromkeys(wanted.kinds) or (None,)):
        here = conditions if kind is None else [f"kind = :kind{number}", *conditions]
        where = f"WHERE {' AND '.join(here)}" if here else ""
        # The names in it are constants; the client's values are bound.
        parts.append(f"SELECT {COLUMNS} FROM events {where} ORDER BY row DESC LIMIT :most")  # noqa: S608
        values[f"kind{number}"] = kind
    if len(parts) == 1:
        return parts[0], values
    # In parentheses by way of a subquery: SQLite allows ORDER BY and LIMIT only at the end of a compound.
    merged = " UNION ALL ".join(f"SELECT * FROM ({part})" for part in parts)  # noqa: S608 - as above
    return f"{merged} ORDER BY 1 DESC LIMIT :most", values


def _time(wanted: JournalCommand) -> list[str]:
    """Conditions for the time. Rows are nearly in its order, so bounds by row speed the query up."""
    within = [] if wanted.since is None else ["wall_s >= :since"]
    within += [] if wanted.until is None else ["wall_s <= :until"]
    time = " AND ".join(within)
    bounds = []
    if wanted.since is not None:
        bounds.append(f"row >= (SELECT min(row) FROM events WHERE {time})")  # noqa: S608 - all of it ours
    if wanted.until is not None:
        bounds.append(f"row <= (SELECT max(row) FROM events WHERE {time})")  # noqa: S608 - all of it ours
    return [*within, *bounds]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
