"""A core whose events go into a journal, with a clerk's thread of its own; and a child that only writes."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from capture.frame import Frame, Image
from daemon.config.sections import JournalSettings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.health import Report
from daemon.core.messages import Assessed, Effect, Input, Record
from daemon.core.view import View
from daemon.errors import CommandError
from daemon.handlers.journal import handlers
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import KeptPicture
from daemon.journal.reader import reading
from daemon.journal.rows import JournalRow
from daemon.journal.store import JournalStore
from daemon.journal.writer import JournalWriter
from daemon.runtime.engine import CoreRunner
from pipeline.description.policy import AnswerFinished, CancelDescription
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech
from tests.fakes import assessment, core_spec

PATIENCE_S = 20.0
WALL_S = 1_790_000_000.0
FPS = 25


def street(seed: int = 0, width: int = 320, height: int = 240) -> Image:
    """A picture with detail everywhere."""
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


class Diary:
    """Feeds a core and has its events kept. Its clock is the core's; nothing here waits but for the clerk."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.places = JournalPaths(folder / "journal")
        self.now = 0.0
        self.seq = 0
        self.mind = CoreRunner(BlackBox(Core(core_spec())), lambda: self.now)
        self.told: queue.Queue[Report] = queue.Queue()
        self.view: View | None = None
        self.handed_over = 0
        self.clerk = JournalWriter(
            self.places,
            JournalSettings(**{"leave_free_mb": 0, **settings}),
            "run1",
            {"model": "fake"},
            self.mind.read,
            self.mind.snapshot,
            self.mind.forget,
            self.told.put,
            wall=lambda: WALL_S,
        )
        self.mind.attach(self._perform)
        self._thread = threading.Thread(target=self.clerk.run, name="journal")

    def _perform(self, effect: Effect, timing: Mapping[str, float]) -> None:
        match effect:
            case Record(event):
                self.clerk.attach_frame(event, self.view)
                self.handed_over += 1
                self.clerk.write(event.timed(**timing, wall_s=WALL_S + self.now).to_json())
            case StartSpeech(utterance):
                self.mind.step(PlaybackBegan(utterance.id))
                self.mind.step(PlaybackEnded(utterance.id))
            case CancelDescription(scene_id):
                self.mind.step(AnswerFinished(scene_id))

    def watch(self, seconds: float, fire: float = 0.01, vehicle: float = 0.01) -> Diary:
        """So many seconds of frames."""
        for _ in range(round(seconds * FPS)):
            self.now = self.seq / FPS
            a = assessment(self.seq, self.now, fire, vehicle)
            self.view = View(Frame(street(self.seq), (320, 240), self.seq, self.now, "fake"), a)
            self.mind.step(Assessed(a))
            self.seq += 1
        return self

    def tell(self, *events: Input) -> Diary:
        for event in events:
            self.mind.step(event)
        return self

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Everything handed over is written when this returns."""
        self.clerk.close()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def settle(self) -> None:
        """Wait until everything handed over can be read."""

        def all_there() -> bool:
            with suppress(CommandError), reading(self.places) as reader:
                return sum(reader.counts().values()) == self.handed_over
            return False

        until(all_there)

    def heard(self, reason: str) -> Report:
        """Wait for word of the disk."""
        while True:
            report = self.told.get(timeout=PATIENCE_S)
            if report.reason == reason:
                return report


@contextmanager
def diary(folder: Path, **settings: Any) -> Iterator[Diary]:
    """Its clerk runs inside; afterwards all is written."""
    it = Diary(folder, **settings)
    it.begin()
    try:
        yield it
    finally:
        it.end()


def note(
    number: int, *, picture: KeptPicture | None = None, kind: str = "alert", **fields: Any
) -> JournalRow:
    """An event like those of the core."""
    event = {"v": 1, "id": f"a{number}", "cause": None, "t": float(number), "frame": number, "kind": kind}
    alert = {"hazard": "fire", "severity": "critical", "direction": None, "probability": 0.9}
    return JournalRow(
        WALL_S + number, {**event, **alert, "escalated": False, "again": False, **fields}, None, picture
    )


def until(true: Callable[[], bool]) -> None:
    """Wait for what no event tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def main(folder: str, first: str) -> None:
    """Write without end, and say what has been written."""
    store = JournalStore(JournalPaths(Path(folder)), "child", WALL_S, {})
    number = int(first)
    while True:
        store.write(
            [note(number, picture=KeptPicture(b"\xff\xd8" + bytes(2000), pixelated=False, seq=number))]
        )
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])


def offline_handlers(
    paths: JournalPaths, hazards: Collection[str]
) -> Mapping[str, Callable[[Any], Mapping[str, Any]]]:
    """The handlers of the journal's commands over its files alone; nothing is written or recorded."""

    def nothing(*_: Any) -> Any:
        raise AssertionError

    return handlers(
        paths=paths,
        writer=None,
        snapshot=nothing,
        forget_recording=nothing,
        hazards=lambda: hazards,
        clock=lambda: 0.0,
    )
