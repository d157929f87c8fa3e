"""The commands `journal`, `snapshot`, `purge` and `why`."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

from daemon.control.commands import JournalCommand, PurgeCommand, SnapshotCommand, WhyCommand
from daemon.core.black_box import Recording
from daemon.explain.sources import why
from daemon.handlers.requests import Handler
from daemon.journal.offline import purge
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from daemon.journal.times import to_clock
from daemon.journal.writer import JournalWriter

NO_RUN = ""
"""The run of a daemon without a journal; no run in the files has this name."""


def handlers(
    *,
    paths: JournalPaths,
    writer: JournalWriter | None,
    snapshot: Callable[[], Recording],
    forget_recording: Callable[[float], None],
    clock: Callable[[], float],
) -> Mapping[str, Handler]:
    """By the name of the command; each raises CommandError. Without a `writer`, kept events can be read.

    `snapshot` returns the recording of the last minute; `forget_recording` removes from it everything before
    a time of `clock`.
    """
    run = writer.run_name if writer else NO_RUN

    def page(command: JournalCommand) -> Mapping[str, Any]:
        with reading(paths) as reader:
            return reader.page(command)

    def picture(command: SnapshotCommand) -> Mapping[str, Any]:
        with reading(paths) as reader:
            jpeg, pixelated = reader.picture(command.row)
        return {"jpeg": base64.b64encode(jpeg).decode(), "pixelated": pixelated}

    def forget(command: PurgeCommand) -> Mapping[str, Any]:
        removed = writer.purge(command.before) if writer else purge(paths, command.before)
        # Without a writer nothing else removes the last minute from the black box.
        if writer is None:
            # `before` is a date, the black box counts monotonic seconds.
            forget_recording(to_clock(command.before, clock(), time.time()))
        return {name: max(0, count) for name, count in removed.items()}

    def explain(command: WhyCommand) -> Mapping[str, Any]:
        return why(paths, snapshot, command.event, run, command.language)

    return {"journal": page, "snapshot": picture, "purge": forget, "why": explain}
