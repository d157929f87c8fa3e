"""The journal's thread: accepts events without blocking their sender, and encodes and writes them."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any

from daemon.config.sections import JournalSettings
from daemon.core.black_box import BlackBoxError, Recording
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.health import Report
from daemon.core.view import View
from daemon.errors import CommandError
from daemon.journal import retention
from daemon.journal.age_limit import AgeLimit
from daemon.journal.database_file import JournalLostError
from daemon.journal.disk_health import DiskHealth, NoRoom
from daemon.journal.inbox import JournalInbox, JournalJob
from daemon.journal.paths import JournalPaths, bytes_free
from daemon.journal.pending_frames import FrameEvidence, PendingFrames
from daemon.journal.pictures import KeptPicture, kept
from daemon.journal.recording_schedule import RecordingSchedule
from daemon.journal.rows import Evidence, JournalRow
from daemon.journal.schema import damaged, discard
from daemon.journal.set_aside import kept_journals
from daemon.journal.store import JournalStore
from daemon.journal.times import to_clock

log = logging.getLogger(__name__)

QUEUE_LIMIT = 2000
"""Events that may wait to be written; beyond that the newest are dropped and counted."""
BATCH = 100
"""Events in a transaction at most."""
RETENTION_S = 30.0
"""Seconds between two runs of retention; sooner after many events, and while there is more to delete."""
RETENTION_AGAIN_S = 0.05
SPACE_CHECK_S = 5.0
"""Seconds between two checks of the free disk space."""
FILE_CHECK_S = 2.0
"""Seconds between two checks that the database is still there."""
RECENT = 500
"""Events since the last check that are kept in memory, to be written again if the database is lost."""
PURGE_TIMEOUT_S = 4.0
"""Seconds that `purge` waits for its result."""
YIELD_S = 0.001
"""A pause while a recording is encoded: it holds the interpreter's lock, and frames must not wait for it."""


ReadCore = Callable[[Callable[[Core], Evidence]], Evidence]
"""Reads from the core, as `CoreRunner.read` does."""


class JournalWriter:
    """`attach_frame` and `write` never wait; `run` is the thread that writes.

    The disk's health goes to `report`.
    """

    def __init__(
        self,
        paths: JournalPaths,
        settings: JournalSettings,
        run_name: str,
        metadata: Mapping[str, Any],
        read_core: ReadCore,
        snapshot: Callable[[], Recording],
        forget_recording: Callable[[float], None],
        report: Callable[[Report], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`run_name` identifies this run of the daemon; `metadata` is kept with it.

        `read_core` reads from the core. `snapshot` returns the recording of the last minute;
        `forget_recording` removes everything before a time of `clock` from it.
        """
        self.paths = paths
        self.run_name = run_name
        self._settings = settings
        self._metadata = dict(metadata)
        self._read_core = read_core
        self._snapshot = snapshot
        self._forget_recording = forget_recording
        self._report = report
        self._clock = clock
        self._wall = wall
        self._inbox = JournalInbox(QUEUE_LIMIT)
        self._pending = PendingFrames()
        self._schedule = RecordingSchedule(
            after_s=settings.black_box_after_s, every_s=settings.black_box_every_s
        )
        self._lock = ExitStack()
        self._store: JournalStore | None = None
        self._disk = DiskHealth()
        self._batch: list[JournalRow] = []
        # Minus infinity means "at once".
        self._retry_s = float("-inf")
        self._retention_s = float("-inf")
        self._space_checked_s = float("-inf")
        self._file_checked_s = float("-inf")
        self._recent: deque[JournalRow] = deque(maxlen=RECENT)
        self._age: AgeLimit | None = None
        self._rows_since_retention = 0
        self._working = False
        self._lost_at_end = False
        self._kept_apart: tuple[str, ...] = ()
        self.dropped = 0
        """Events that were not written because the queue was full, or that were malformed."""

    # From any thread, without waiting

    def attach_frame(self, event: Event, view: View | None) -> None:
        """Keep the frame and the evidence of an event, before the event itself is written.

        Called within the core's step: later the policy has moved on.
        """
        if view is None or event.kind not in ("alert", "scene"):
            return
        frame = None if self._settings.pictures == "off" else view.frame
        evidence = None
        if event.kind == "alert":
            assessment = view.assessment
            # Read now: this is called within the core's step, where its lock is held and the state is that of
            # the alert.
            evidence = self._read_core(lambda core: Evidence.of(core, assessment))
        self._pending.put(event.id, FrameEvidence(frame, evidence))

    def write(self, line: str) -> None:
        """Queue one event (a line of JSON). Drops and counts it if the queue is full."""
        if not self._inbox.put(line):
            self.dropped += 1

    def purge(self, before_s: float | None) -> Mapping[str, int]:
        """Delete everything, or everything older than `before_s` (Unix seconds), and return the counts.

        Waits up to PURGE_TIMEOUT_S. Raises CommandError.
        """
        job = JournalJob(lambda store: self._purge_store(store, before_s))
        if not self._inbox.put_job(job):
            raise CommandError("others are asking the journal to forget; ask again in a moment", "busy")
        # A timeout: a failing disk can block the writer for long.
        if not job.done.wait(PURGE_TIMEOUT_S):
            raise CommandError(
                "the journal is still forgetting; `watchword journal` shows what is left", "busy"
            )
        if job.result is None:
            raise CommandError(f"the journal cannot forget now: {job.error}")
        return job.result

    def close(self) -> None:
        """Let `run` end once everything handed over so far is written."""
        self._inbox.close()

    def status(self) -> Mapping[str, Any]:
        """Return the figures for `status` and the metrics."""
        return {
            "run": self.run_name,
            "waiting": self._inbox.waiting + len(self._batch),
            "dropped": self.dropped,
            "pictures_missed": self._pending.missed,
            "disk": self._disk.reason or "ok",
            "disk_failures": self._disk.failures,
            "kept_apart": list(self._kept_apart),
        }

    # In the journal's own thread

    def run(self) -> None:
        """Write until `close`. Raises CommandError if another process writes the same journal."""
        try:
            while self._run_once():
                pass
        finally:
            self._close()

    def _run_once(self) -> bool:
        """Wait for input once and process it; False after the last."""
        # While the disk fails the batch stays full, so lines wait in the bounded inbox and are counted there.
        batch = self._inbox.get(max(0, BATCH - len(self._batch)), self._wait_s())
        self._batch += [row for line in batch.lines if (row := self._row(line))]
        try:
            if batch.job is not None:
                self._run_job(batch.job)
            if self._clock() >= self._retry_s or batch.ending:
                self._process(batch.ending)
        except (sqlite3.Error, OSError) as error:
            self._on_error(error)
            if batch.ending and isinstance(error, JournalLostError) and not self._lost_at_end:
                # A stop does not wait until the loss has been announced: the rest goes into the new journal.
                self._lost_at_end = True
                return True
        # At the end one more round for each batch that was written, none if writing fails: a stop must not
        # hang.
        if not batch.ending or (self._inbox.waiting and not self._batch):
            return True
        if lost := len(self._batch) + self._inbox.waiting:
            log.warning("%d events did not get into the journal", lost)
        return False

    def _wait_s(self) -> float:
        """Seconds until the next job is due."""
        due_s = (
            self._retry_s if self._disk.reason else min(self._schedule.due_s, self._retention_s + RETENTION_S)
        )
        # At least every FILE_CHECK_S: a deleted database must be noticed without any event.
        return min(due_s - self._clock(), FILE_CHECK_S)

    def _process(self, ending: bool) -> None:
        """Write the pending batch, then save a recording or run retention if due.

        Raises sqlite3.Error, OSError.
        """
        store = self._open_store()
        self._check_space()
        if self._batch:
            store.write(self._batch)
            # Kept until the file has been checked: if it was deleted meanwhile, these rows are lost with it.
            self._recent.extend(self._batch)
            self._rows_since_retention += len(self._batch)
            self._batch = []
        elif self._disk.reason:
            # Nothing to write, but failing: only a real write shows that the disk works again.
            store.probe()
        now = self._clock()
        if now >= self._schedule.due_s or (ending and self._schedule.pending):
            self._save_recording(store)
        if now - self._retention_s >= RETENTION_S or self._rows_since_retention >= retention.BATCH:
            more = retention.step(store, self._settings, self._age or AgeLimit(None), now, self._wall())
            self._retention_s, self._rows_since_retention = now - (RETENTION_S - RETENTION_AGAIN_S) * more, 0
        self._on_success()

    def _on_success(self) -> None:
        report = self._disk.on_success()
        if report is None and not self._working:
            report = Report("disk")
        self._working, self._retry_s = True, float("-inf")
        if report is not None:
            self._report(report)

    def _open_store(self) -> JournalStore:
        if self._store is not None:
            self._check_file(self._store)
        else:
            # An earlier attempt may have failed after taking the lock.
            self._lock.close()
            self.paths.prepare()
            # Before the database is opened: a purge from the command line must not run beside us.
            self._lock.enter_context(self.paths.lock())
            self._store = JournalStore(self.paths, self.run_name, self._wall(), self._metadata)
            self._age = self._age or AgeLimit(self._store.newest_s)
            self._look_for_kept()
        return self._store

    def _look_for_kept(self) -> None:
        # If the folder cannot be read, the disk's own state tells of that.
        with suppress(OSError):
            self._kept_apart = tuple(map(str, kept_journals(self.paths)))

    def _check_file(self, store: JournalStore) -> None:
        """Raises JournalLostError; the lines since the last check are then written again."""
        now = self._clock()
        if now - self._file_checked_s < FILE_CHECK_S and not self._disk.reason:
            return
        store.check_file()
        self._file_checked_s = now
        self._recent.clear()

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
        self._lock.close()

    def _check_space(self) -> None:
        now = self._clock()
        if now - self._space_checked_s < SPACE_CHECK_S and not self._disk.reason:
            return
        free_mb, leave_mb = bytes_free(self.paths.folder) / retention.MB, self._settings.leave_free_mb
        if free_mb < leave_mb:
            raise NoRoom(free_mb, leave_mb)
        self._space_checked_s = now

    def _on_error(self, error: sqlite3.Error | OSError) -> None:
        """Report the failure and retry later; a damaged database is deleted at once."""
        lost = isinstance(error, JournalLostError)
        broken = lost or (isinstance(error, sqlite3.Error) and damaged(error))
        if broken:
            # What was written since the last check went into the lost file; it is written again.
            self._batch = [*self._recent, *self._batch]
            self._recent.clear()
        # Too little room says nothing against the file: it stays open.
        if not isinstance(error, NoRoom):
            self._close_store()
        try:
            if broken and os.path.lexists(self.paths.database):
                discard(self.paths.database, str(error))
        # Reported instead of the first error: that the bad file cannot be deleted is the more urgent fact.
        except OSError as failure:
            error = failure
        if broken:
            self._look_for_kept()
        self._report(self._disk.on_loss(error) if broken else self._disk.on_failure(error))
        self._retry_s = self._clock() + self._disk.wait_s

    def _close_store(self) -> None:
        """Close the store; the next attempt opens it again, since the file may be another one by then."""
        try:
            self._close()
        except sqlite3.Error as error:
            log.warning("the journal could not be closed: %s", error)
            self._store = None

    def _row(self, line: str) -> JournalRow | None:
        try:
            event = json.loads(line)
            frame_evidence = self._frame_evidence(event)
            return JournalRow.of(event, self._wall(), frame_evidence.evidence, self._picture(frame_evidence))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("an event cannot be kept (%s): %s", error, line[:200])
            self.dropped += 1
            return None

    def _frame_evidence(self, event: Mapping[str, Any]) -> FrameEvidence:
        """Return the evidence that `attach_frame` kept for an event. A view's frame is used once it has been
        described.
        """
        kind = event["kind"]
        # Scheduled when the alert's line arrives, which is a moment after the alert.
        if kind == "alert" and self._settings.black_boxes:
            self._schedule.on_alert(self._clock())
        return self._pending.pop({"alert": event["id"], "describe": event.get("cause")}.get(kind))

    def _picture(self, frame_evidence: FrameEvidence) -> KeptPicture | None:
        return kept(frame_evidence.frame, self._settings) if frame_evidence.frame else None

    def _save_recording(self, store: JournalStore) -> None:
        recording = self._snapshot()
        file = store.new_recording()
        try:
            recording.save(file, lambda: time.sleep(YIELD_S))
        except BlackBoxError as error:
            # A full disk is reported as such; any other failure costs only this recording.
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            log.warning("%s", error)
        else:
            store.add_recording(
                file, [e["id"] for e in map(json.loads, recording.events) if e["kind"] == "alert"]
            )
        self._schedule.on_saved(self._clock())

    def _purge_store(self, store: JournalStore, before_s: float | None) -> Mapping[str, int]:
        """Delete from the store, and from everything that would still be written to it."""
        if before_s is None:
            # Events that wait would otherwise be written after the purge.
            self._inbox.drain()
            self._batch = []
            self._pending.clear()
            self._schedule.cancel()
        else:
            waiting = [*self._batch, *filter(None, map(self._row, self._inbox.drain()))]
            self._batch = [row for row in waiting if row.wall_s >= before_s]
        # The core's black box holds the last minute, and would be saved with the next alert.
        self._forget_recording(to_clock(before_s, self._clock(), self._wall()))
        counts = retention.purge_store(store, before_s)
        self._look_for_kept()
        return counts

    def _run_job(self, job: JournalJob) -> None:
        try:
            job.result = job.do(self._open_store())
            # The purge may have made room on a full disk.
            self._retry_s = float("-inf")
        except (sqlite3.Error, OSError) as error:
            job.error = str(error)
            # Raised after it has been noted for the client: the disk's health must learn of it as well.
            raise
        finally:
            job.done.set()
