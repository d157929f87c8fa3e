"""What the journal answers over the control socket."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

from daemon.control.commands import JournalCommand, PurgeCommand, SnapshotCommand, WhyCommand
from daemon.core.black_box import Recording
from daemon.explain.sources import why
from daemon.journal.offline import purge
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from daemon.journal.times import to_clock
from daemon.journal.writer import JournalWriter

Handler = Callable[[Any], Mapping[str, Any]]

UNKEPT = ""
"""The run of a daemon that keeps no journal: none of those in it."""


def handlers(
    places: JournalPaths,
    clerk: JournalWriter | None,
    frozen: Callable[[], Recording],
    forget_until: Callable[[float], None],
    clock: Callable[[], float],
) -> Mapping[str, Handler]:
    """By the name of the command; each raises CommandError. Without a clerk what was kept can be read.

    `frozen` gives the last minute, and `forget_until` takes out of it what was before a time of the clock.
    """
    run = clerk.run_name if clerk else UNKEPT

    def journal(wanted: JournalCommand) -> Mapping[str, Any]:
        with reading(places) as reader:
            return reader.page(wanted)

    def snapshot(wanted: SnapshotCommand) -> Mapping[str, Any]:
        with reading(places) as reader:
            jpeg, pixelated = reader.picture(wanted.row)
        return {"jpeg": base64.b64encode(jpeg).decode(), "pixelated": pixelated}

    def forget(wanted: PurgeCommand) -> Mapping[str, Any]:
        gone = clerk.purge(wanted.before) if clerk else purge(places, wanted.before)
        if clerk is None:
            forget_until(to_clock(wanted.before, clock(), time.time()))
        return {what: max(0, count) for what, count in gone.items()}

    def reasons(wanted: WhyCommand) -> Mapping[str, Any]:
        return why(places, frozen, wanted.event, run, wanted.language)

    return {"journal": journal, "snapshot": snapshot, "purge": forget, "why": reasons}
