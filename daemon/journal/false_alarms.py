"""Alerts marked as wrong, kept for calibration: a line of JSON each, and a black box."""

from __future__ import annotations

import json
import logging
import queue
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common import atomic_file
from daemon.core.black_box import SUFFIX, BlackBoxError, Recording
from daemon.core.events import Event

log = logging.getLogger(__name__)

FILE = "false_alarms.jsonl"
FOLDER = "false_alarms"
MAX_LINES = 1000
"""Kept at most; the oldest go first."""
MAX_RECORDINGS = 20
"""Black boxes kept at most: some megabytes each."""
QUEUE_LIMIT = 8


class FalseAlarms:
    """`record` never waits; `run` is the thread that writes."""

    def __init__(
        self,
        state: Path,
        metadata: Mapping[str, str],
        snapshot: Callable[[], Recording] | None,
        on_failure: Callable[[], None],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`metadata` is written with each line. `snapshot` returns the recording to save; None saves none.

        `on_failure` is called if a false alarm could not be written.
        """
        self._state = state
        self._metadata = dict(metadata)
        self._snapshot = snapshot
        self._on_failure = on_failure
        self._wall = wall
        self._queue: queue.Queue[Event | None] = queue.Queue(QUEUE_LIMIT)

    def record(self, event: Event) -> None:
        """Hand over an event of the kind `false_alarm`."""
        try:
            # Never waits: called within the core's step.
            self._queue.put_nowait(event)
        except queue.Full:
            log.error("a false alarm could not be noted: too many at once")  # noqa: TRY400 - no bug
            self._on_failure()

    def run(self) -> None:
        """Write until `close`."""
        while (event := self._queue.get()) is not None:
            try:
                self._write(event)
            except OSError as error:
                log.error("a false alarm could not be noted: %s", error)  # noqa: TRY400 - no bug
                self._on_failure()

    def close(self) -> None:
        """Let `run` end once everything handed over is written."""
        try:
            self._queue.put(None, timeout=1.0)
        except queue.Full:
            log.warning("some false alarms were not noted in time")

    def _write(self, event: Event) -> None:
        line = {
            "v": 1,
            "noted": self._wall().isoformat(timespec="seconds"),
            **self._metadata,
            "id": event.id,
            "noted_after_s": round(event.t - event.fields["raised_at_s"], 3),
            **event.fields,
            "black_box": self._save_recording(event),
        }
        self._state.mkdir(parents=True, exist_ok=True)
        file = self._state / FILE
        # Rewritten as a whole: an incomplete append would make the file useless for calibration.
        lines = [*_lines(file), json.dumps(line, ensure_ascii=False)][-MAX_LINES:]
        atomic_file.write(file, "\n".join(lines) + "\n")
        log.info("false alarm: %s %s, in %s", event.fields["alert"], event.fields["hazard"], file)

    def _save_recording(self, event: Event) -> str | None:
        """The file of the black box, below the state folder; None if none is wanted or can be had."""
        if self._snapshot is None:
            return None
        recording = self._snapshot()
        alert: Any = event.fields["alert"]
        # A recording without the alert explains nothing about it.
        if not any(_is_alert(line, alert) for line in recording.events):
            return None
        name = f"{FOLDER}/{self._wall():%Y%m%dT%H%M%SZ}-{event.id}-{alert}{SUFFIX}"
        try:
            recording.save(self._state / name)
        except BlackBoxError as error:
            log.warning("%s", error)
            return None
        # Sorted by name, which begins with the time.
        for old in sorted((self._state / FOLDER).glob(f"*{SUFFIX}"))[:-MAX_RECORDINGS]:
            old.unlink(missing_ok=True)
        return name


def _is_alert(line: str, id: str) -> bool:
    event = json.loads(line)
    return bool(event["kind"] == "alert" and event["id"] == id)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
