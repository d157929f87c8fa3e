"""The commands `journal`, `snapshot`, `mark`, `purge` and `why`."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from daemon.control.commands import JournalCommand, MarkCommand, PurgeCommand, SnapshotCommand, WhyCommand
from daemon.core.black_box import Recording
from daemon.handlers.requests import Handler
from daemon.journal.marks import Marks, mark_alert, with_marks
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import thumbnail
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
    hazards: Callable[[], Collection[str]],
    clock: Callable[[], float],
) -> Mapping[str, Handler]:
    """By the name of the command; each raises CommandError. Without a `writer`, kept events can be read.

    `snapshot` returns the recording of the last minute; `forget_recording` removes from it everything before
    a time of `clock`. `hazards` returns the names of those that are watched for.
    """
    run = writer.run_name if writer else NO_RUN
    marks = Marks(paths.marks)

    def page(command: JournalCommand) -> Mapping[str, Any]:
        with reading(paths) as reader:
            found = reader.page(command)
        return {**found, "events": with_marks(found["events"], marks)}

    def mark(command: MarkCommand) -> Mapping[str, Any]:
        return {"file": mark_alert(paths, marks, hazards, command.row, command.verdict)["file"]}

    def picture(command: SnapshotCommand) -> Mapping[str, Any]:
        with reading(paths) as reader:
            jpeg, pixelated = reader.picture(command.row)
        if command.side is not None:
            jpeg = thumbnail(jpeg, command.side)
        return {"jpeg": base64.b64encode(jpeg).decode(), "pixelated": pixelated}

    def forget(command: PurgeCommand) -> Mapping[str, Any]:
        from daemon.journal.offline import purge

        removed = writer.purge(command.before) if writer else purge(paths, command.before)
        # Without a writer nothing else removes the last minute from the black box.
        if writer is None:
            # `before` is a date, the black box counts monotonic seconds.
            forget_recording(to_clock(command.before, clock(), time.time()))
        return {name: max(0, count) for name, count in removed.items()}

    def explain(command: WhyCommand) -> Mapping[str, Any]:
        # Imported when it is asked for: a start need not wait for it.
        from daemon.explain.sources import why

        return why(paths, snapshot, command.event, run, command.language)

    return {"journal": page, "snapshot": picture, "mark": mark, "purge": forget, "why": explain}
