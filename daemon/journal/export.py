"""Exports the journal: events as lines of JSON, pictures, and a page of both; credentials are hidden."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from common.redact import redact_values
from daemon.control.commands import JournalCommand
from daemon.errors import CommandError
from daemon.journal.export_page import INDEX, index_page
from daemon.journal.paging import JournalSource, pages

PAGE = 50
"""Events asked for at once: with their evidence they are long."""
LINES, PICTURES = "events.jsonl", "pictures"
SHOWN = frozenset({"alert", "scene", "describe"})
"""Kinds whose pictures are exported; utterances about them rest on the same pictures."""


def export(
    source: JournalSource, to: Path, wanted: JournalCommand, most: int | None = None
) -> tuple[int, int]:
    """Everything that fits `wanted` into a new folder, or a new file that ends in .zip; oldest first.

    `most`: the newest events only. Returns the numbers of events and pictures. Raises CommandError.
    """
    if to.exists():
        raise CommandError(f"{to}: is there already; name another file or folder")
    if not to.parent.is_dir():
        raise CommandError(f"{to}: there is no folder {to.parent}")
    try:
        # Beside the target: a rename is atomic only within one file system, and a half export has no name.
        with tempfile.TemporaryDirectory(prefix=".journal-", dir=to.parent) as workshop:
            folder = Path(workshop) / "export"
            counts = _fill(source, folder, wanted, most)
            if to.suffix == ".zip":
                made = shutil.make_archive(str(Path(workshop) / "made"), "zip", folder)
                Path(made).replace(to)
            else:
                folder.replace(to)
    except OSError as error:
        raise CommandError(f"{to}: cannot be written: {error.strerror or error}") from None
    return counts


def _fill(source: JournalSource, folder: Path, wanted: JournalCommand, most: int | None) -> tuple[int, int]:
    (folder / PICTURES).mkdir(parents=True)
    names: dict[str, str] = {}
    # All of them in memory: the newest come first, and the file is to begin with the oldest.
    events: list[Mapping[str, Any]] = [
        # Redacted again: the rows may be of an older version that knew fewer forms of credentials.
        redact_values({**event, **_picture(source, event, folder, names)})
        for event in pages(source, wanted.model_copy(update={"limit": PAGE, "evidence": True}), most)
    ]
    with (folder / LINES).open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(event, ensure_ascii=False)}\n" for event in reversed(events))
    (folder / INDEX).write_text(index_page(events), encoding="utf-8")
    return len(events), len(names)


def _picture(
    source: JournalSource, event: Mapping[str, Any], folder: Path, names: dict[str, str]
) -> Mapping[str, str]:
    """The file of its picture; events that rest on the same frame share one."""
    if not event["snapshot"] or event["kind"] not in SHOWN:
        return {}
    # Deleted since its event was read.
    with suppress(CommandError):
        jpeg, _ = source.picture(event["row"])
        # By content: rows of one frame have the same picture, whose file names differ.
        digest = hashlib.sha256(jpeg).hexdigest()
        if digest not in names:
            names[digest] = f"{PICTURES}/{event['row']}.jpg"
            (folder / names[digest]).write_bytes(jpeg)
        return {"picture": names[digest]}
    return {}
