"""Probes of files: the configuration's rights, the overrides, and the journal."""

from __future__ import annotations

import sqlite3
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from common.redact import redact
from daemon.config.settings import OVERRIDES, Settings
from daemon.doctor.findings import Finding
from daemon.journal.paths import JournalPaths, bytes_free
from daemon.journal.set_aside import cure, kept_journals
from daemon.wiring.detector import unrecognised_hazards

LOOK_S = 5.0
"""Seconds that the check of the journal may take."""
_OTHERS, _GROUP_WRITES = 0o007, 0o020


def configuration(files: Iterable[Path]) -> Iterator[Finding]:
    """Whether other users can read a password, or change the configuration."""
    for file in files:
        # An unreadable or malformed file is reported by `config check`, with line numbers.
        with suppress(OSError, ValueError):
            secrets = tuple(_secrets(tomllib.loads(file.read_text("utf-8"))))
            yield assess_file(file, file.stat().st_mode & 0o777, secrets)


def assess_file(file: Path, mode: int, secrets: tuple[str, ...]) -> Finding:
    """`secrets`: keys whose values hold credentials."""
    name = f"rights of {file.name}"
    # A user who can write the file can make the daemon read any other file.
    if mode & (_GROUP_WRITES | 0o002):
        return Finding(name, "warn", f"{file} may be written by others", f"chmod go-w {file}")
    if secrets and mode & _OTHERS:
        says = f"{file} may be read by everybody and holds credentials in {', '.join(secrets)}"
        return Finding(name, "warn", says, f"chmod o= {file}")
    return Finding(
        name, "ok", f"{file}, {mode:04o}" + (f"; credentials in {', '.join(secrets)}" if secrets else "")
    )


def _secrets(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        dotted = f"{above}{key}"
        if isinstance(value, dict):
            yield from _secrets(value, f"{dotted}.")
        # Addresses contain credentials: `redact` would change exactly those values.
        elif isinstance(value, str) and redact(value) != value:
            yield dotted


def hazards(settings: Settings) -> Iterator[Finding]:
    """Whether the model can recognise the hazards that were added."""
    unknown = unrecognised_hazards(settings)
    if not unknown:
        yield Finding(
            "hazards", "ok", f"{sum(one.enabled for one in settings.hazards.values())} are watched for"
        )
    for name in unknown:
        says = f"{name}: the model cannot recognise it by its prompts and will never warn of it"
        yield Finding("hazards", "warn", says, f"teach it with pictures: `watchword teach {name} FOLDER`")


def overrides(settings: Settings) -> Iterator[Finding]:
    """The overrides, which take precedence over the configuration."""
    file = settings.paths.state / OVERRIDES
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        yield Finding("overrides", "ok", "none")
    except (OSError, ValueError) as error:
        yield Finding("overrides", "warn", f"{file} cannot be read: {error}", f"as its owner: rm {file}")
    else:
        yield assess_overrides(tuple(_keys(values)))


def assess_overrides(keys: tuple[str, ...]) -> Finding:
    if not keys:
        return Finding("overrides", "ok", "none")
    some = ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
    return Finding(
        "overrides", "ok", f"{some}, beating config.toml", "watchword config reset KEY, to drop one"
    )


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def journal(settings: Settings) -> Iterator[Finding]:
    """Whether the journal can be read, is whole, and has room."""
    places, wanted = JournalPaths.in_state(settings.paths.state), settings.journal
    if not wanted.enabled:
        yield Finding("journal", "ok", "off: nothing is kept")
        return
    # The journal's folder is made at the first start; until then its parent tells the room.
    place = next(path for path in (places.folder, *places.folder.parents) if path.exists())
    with suppress(OSError):
        yield from assess_room(bytes_free(place), wanted.leave_free_mb * 1_000_000, places.folder)
    try:
        there = places.database.is_file()
    # Folders of another user: that there is a journal is assumed, and the query below says why it is
    # unreadable.
    except OSError:
        there = True
    if not there:
        yield Finding("journal", "ok", "empty so far")
        return
    yield assess_journal(places, *_looked_through(places.database))
    with suppress(OSError):
        for folder in kept_journals(places):
            says = f"{folder} is a journal that this version could not read"
            yield Finding("kept journal", "warn", says, cure(folder))


def assess_room(free: int, reserve: int, folder: Path) -> Iterator[Finding]:
    if free < reserve:
        says = (
            f"nothing is kept: {free / 1e6:.0f} MB free at {folder}, and {reserve / 1e6:.0f} stay to others"
        )
        yield Finding("journal room", "warn", says, "make room, or set journal.leave_free_mb lower")


def assess_journal(places: JournalPaths, verdict: str, events: int) -> Finding:
    """`verdict`: `ok`, `late` if there was no time for all of it, else SQLite's message."""
    if verdict == "ok":
        return Finding("journal", "ok", f"{events} events in {places.database}, whole")
    if verdict == "late":
        return Finding("journal", "ok", f"{events} events in {places.database}; too many to look through now")
    # Not a fault: an ordinary user checks a daemon that runs as its own user.
    if "unable to open" in verdict or "readonly" in verdict or "denied" in verdict:
        return Finding(
            "journal", "ok", f"{places.database} is not ours to read", "check as its user, or as root"
        )
    todo = (
        f"restart the daemon, which begins a new one; copy {places.database} first, if it may hold evidence"
    )
    return Finding("journal", "warn", f"{places.database} is damaged: {verdict}", todo)


def _looked_through(database: Path) -> tuple[str, int]:
    events, until_s = 0, time.monotonic() + LOOK_S
    try:
        # Read-only, and at most a second of waiting for a lock: the daemon writes meanwhile.
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=1.0)) as link:
            # SQLite calls it every 10,000 instructions and interrupts the query when it returns non-zero.
            link.set_progress_handler(lambda: int(time.monotonic() > until_s), 10_000)
            # Counted first: the number is known even if the check below runs out of time.
            events = int(link.execute("SELECT count(*) FROM events").fetchone()[0])
            # quick_check takes time linear in the size; integrity_check also compares every index.
            verdict = str(link.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        return ("late" if "interrupt" in str(error) else str(error)), events
    except (sqlite3.DatabaseError, OSError) as error:
        return str(error), events
    return verdict, events
