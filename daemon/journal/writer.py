"""The journal's thread: takes events in without anybody waiting, and does all the encoding and writing."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from daemon.config.journal_settings import JournalSettings
from daemon.core.black_box import BlackBoxError, Recording
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.health import Report
from daemon.core.view import View
from daemon.errors import CommandError
from daemon.journal import retention
from daemon.journal.disk_health import DiskHealth, NoRoom
from daemon.journal.inbox import JournalInbox, JournalJob
from daemon.journal.paths import JournalPaths, bytes_free
from daemon.journal.pending_frames import FrameEvidence, PendingFrames
from daemon.journal.pictures import KeptPicture, kept
from daemon.journal.recording_schedule import RecordingSchedule
from daemon.journal.rows import Evidence, JournalRow
from daemon.journal.schema import damaged, move_aside
from daemon.journal.store import JournalStore
from daemon.journal.times import on_the_clock

log = logging.getLogger(__name__)

WAITING = 2000
"""Events that may wait to be written; beyond that the newest are dropped and counted."""
BATCH = 100
"""Events in a transaction at most."""
CHORES_S = 30.0
"""Seconds between two looks at what is to be forgotten; sooner after many events, and while there is more."""
MORE_S = 0.05
ROOM_S = 5.0
"""Seconds between two looks at the room on the disk."""
PURGE_S = 4.0
"""Seconds that whoever asks to forget is let wait."""
BREATH_S = 0.001
"""A pause that lets the other threads run while a black box is made."""


Ask = Callable[[Callable[[Core], Evidence]], Evidence]
"""Reads from the core, as `Mind.ask`."""


class JournalWriter:
    """`saw` and `take` never wait; `run` is the thread that writes. What the disk does is told to `tell`."""

    def __init__(
        self,
        places: JournalPaths,
        settings: JournalSettings,
        run: str,
        about: Mapping[str, Any],
        ask: Ask,
        frozen: Callable[[], Recording],
        forget: Callable[[float], None],
        tell: Callable[[Report], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`run` names this run; `about` is kept with it.

        `frozen` gives the last minute, and `forget` takes out of it what was before a time of the clock.
        """
        self.places = places
        self.run_name = run
        self._settings = settings
        self._about = dict(about)
        self._ask = ask
        self._frozen = frozen
        self._forget = forget
        self._tell = tell
        self._clock = clock
        self._wall = wall
        self._inbox = JournalInbox(WAITING)
        self._moments = PendingFrames()
        self._boxes = RecordingSchedule(
            after_s=settings.black_box_after_s, every_s=settings.black_box_every_s
        )
        self._lock = ExitStack()
        self._store: JournalStore | None = None
        self._disk = DiskHealth()
        self._batch: list[JournalRow] = []
        self._retry_s = float("-inf")
        self._chores_s = float("-inf")
        self._room_s = float("-inf")
        self._since_chores = 0
        self._working = False
        self.dropped = 0
        """Events that were not written down, for they came faster than they could be."""

    # In anybody's thread, without waiting

    def saw(self, event: Event, view: View | None) -> None:
        """Before an event is handed to the scribe, in the core's own thread: what only this moment knows."""
        if view is None or event.kind not in ("alert", "scene"):
            return
        frame = None if self._settings.pictures == "off" else view.frame
        evidence = None
        if event.kind == "alert":
            assessment = view.assessment
            evidence = self._ask(lambda core: Evidence.of(core, assessment))
        self._moments.put(event.id, FrameEvidence(frame, evidence))

    def take(self, line: str) -> None:
        """An outlet of the scribe."""
        if not self._inbox.put(line):
            self.dropped += 1

    def purge(self, before_s: float | None) -> Mapping[str, int]:
        """Forget all, or what is older (Unix seconds); waits until it is done. Raises CommandError."""
        job = JournalJob(lambda store: self._purged(store, before_s))
        if not self._inbox.put_job(job):
            raise CommandError("others are asking the journal to forget; ask again in a moment", "busy")
        if not job.done.wait(PURGE_S):
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
        """For `status` and the metrics."""
        return {
            "run": self.run_name,
            "waiting": self._inbox.waiting + len(self._batch),
            "dropped": self.dropped,
            "pictures_missed": self._moments.missed,
            "disk": self._disk.reason or "ok",
            "disk_failures": self._disk.failures,
        }

    # In the thread of its own

    def run(self) -> None:
        """Write until `close`. Raises CommandError where another process writes the same journal."""
        try:
            while self._turn():
                pass
        finally:
            self._shut()

    def _turn(self) -> bool:
        """One wait, and what is to be done then; False at the end."""
        taken = self._inbox.take(max(0, BATCH - len(self._batch)), self._wait_s())
        self._batch += [note for line in taken.lines if (note := self._note(line))]
        try:
            if taken.job is not None:
                self._carry_out(taken.job)
            if self._clock() >= self._retry_s or taken.ending:
                self._attempt(taken.ending)
        except (sqlite3.Error, OSError) as error:
            self._trouble(error)
        if not taken.ending or (self._inbox.waiting and not self._batch):
            return True
        if lost := len(self._batch) + self._inbox.waiting:
            log.warning("%d events did not get into the journal", lost)
        return False

    def _wait_s(self) -> float:
        """Until something is due at the latest."""
        due_s = self._retry_s if self._disk.reason else min(self._boxes.due_s, self._chores_s + CHORES_S)
        return min(due_s - self._clock(), CHORES_S)

    def _attempt(self, ending: bool) -> None:
        """Write what there is and do what is due. Raises sqlite3.Error, OSError."""
        store = self._opened()
        self._room()
        if self._batch:
            store.write(self._batch)
            self._since_chores += len(self._batch)
            self._batch = []
        elif self._disk.reason:
            store.try_out()
        now = self._clock()
        if now >= self._boxes.due_s or (ending and self._boxes.wanted):
            self._save_box(store)
        if now - self._chores_s >= CHORES_S or self._since_chores >= retention.STEP:
            more = retention.step(store, self._settings, self._wall())
            self._chores_s, self._since_chores = now - (CHORES_S - MORE_S) * more, 0
        self._works()

    def _works(self) -> None:
        report = self._disk.worked()
        if report is None and not self._working:
            report = Report("disk")
        self._working, self._retry_s = True, float("-inf")
        if report is not None:
            self._tell(report)

    def _opened(self) -> JournalStore:
        if self._store is None:
            self._lock.close()
            self.places.prepare()
            self._lock.enter_context(self.places.owned())
            self._store = JournalStore(self.places, self.run_name, self._wall(), self._about)
        return self._store

    def _shut(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
        self._lock.close()

    def _room(self) -> None:
        now = self._clock()
        if now - self._room_s < ROOM_S and not self._disk.reason:
            return
        free_mb, leave_mb = bytes_free(self.places.folder) / retention.MB, self._settings.leave_free_mb
        if free_mb < leave_mb:
            raise NoRoom(free_mb, leave_mb)
        self._room_s = now

    def _trouble(self, error: sqlite3.Error | OSError) -> None:
        """The disk does not let us: tell, and try again later; what is damaged is moved aside at once."""
        broken = isinstance(error, sqlite3.Error) and damaged(error)
        if not isinstance(error, NoRoom):
            self._close_store()
        try:
            if broken and self.places.database.exists():
                move_aside(self.places.database, str(error))
        except OSError as failure:
            error = failure
        self._tell(self._disk.failed(error))
        self._retry_s = self._clock() + self._disk.wait_s

    def _close_store(self) -> None:
        """Opened anew at the next attempt, for the file may be another then."""
        try:
            self._shut()
        except sqlite3.Error as error:
            log.warning("the journal could not be closed: %s", error)
            self._store = None

    def _note(self, line: str) -> JournalRow | None:
        try:
            event = json.loads(line)
            moment = self._moment(event)
            return JournalRow.of(event, self._wall(), moment.evidence, self._picture(moment))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("an event cannot be kept (%s): %s", error, line[:200])
            self.dropped += 1
            return None

    def _moment(self, event: Mapping[str, Any]) -> FrameEvidence:
        """What was seen when it happened; a view's picture is kept once it has been described."""
        kind = event["kind"]
        if kind == "alert" and self._settings.black_boxes:
            self._boxes.alert(self._clock())
        return self._moments.take({"alert": event["id"], "describe": event.get("cause")}.get(kind))

    def _picture(self, moment: FrameEvidence) -> KeptPicture | None:
        return kept(moment.frame, self._settings) if moment.frame else None

    def _save_box(self, store: JournalStore) -> None:
        recording = self._frozen()
        file = store.new_box()
        try:
            recording.save(file, lambda: time.sleep(BREATH_S))
        except BlackBoxError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            log.warning("%s", error)
        else:
            store.add_box(file, [e["id"] for e in map(json.loads, recording.events) if e["kind"] == "alert"])
        self._boxes.saved(self._clock())

    def _purged(self, store: JournalStore, before_s: float | None) -> Mapping[str, int]:
        """What waits to be kept is forgotten with what was kept, and the last minute too."""
        if before_s is None:
            self._inbox.drain()
            self._batch = []
            self._moments.clear()
            self._boxes.forget()
        else:
            waiting = [*self._batch, *filter(None, map(self._note, self._inbox.drain()))]
            self._batch = [note for note in waiting if note.wall_s >= before_s]
        self._forget(on_the_clock(before_s, self._clock(), self._wall()))
        return retention.purged(store, before_s)

    def _carry_out(self, job: JournalJob) -> None:
        try:
            job.result = job.do(self._opened())
            self._retry_s = float("-inf")  # there may be room now
        except (sqlite3.Error, OSError) as error:
            job.error = str(error)
            raise
        finally:
            job.done.set()
