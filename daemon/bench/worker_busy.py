"""The worker that answers /process: its effect on the danger lane, and its answer on a busy machine."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import cv2

from common.child_process import ChildError, ChildProcess
from daemon.bench.harness import Figure, at_least, at_most
from daemon.bench.lane_beside import LaneBeside
from daemon.bench.load import arithmetic_load
from daemon.bench.pipeline_under_test import picture
from daemon.config.settings import Settings
from daemon.wiring.worker import settings_for_worker
from pipeline.models.base import ImageTextModel

CHILD = "daemon.worker.worker"
"""By its name: nothing of it is imported here."""
ANSWER_S = 60.0
LOAD_S = 300.0


def measure(settings: Settings, model: ImageTextModel, samples: int) -> Iterator[Figure]:
    """The lane beside a worker that never rests, then answers while other programs keep every core busy."""
    load = PictureLoad(settings, model.name)
    with closing(load):
        load.load()
        lane = LaneBeside(settings, model, load.working, samples)
        what = "beside pictures from clients, one after another"
        yield from lane.figures("worker_busy", what, fps=at_least(0.85), p99=at_most(2.0))
        with arithmetic_load(len(os.sched_getaffinity(0)), idle=False) as programs, programs.working():
            answers = [load.answer() for _ in range(samples)]
    note = "one picture while a program of ordinary priority keeps each core busy"
    yield Figure.p95("worker_busy.answer_s_p95", answers, "s", at_most(5.0), note)


class PictureLoad:
    """A worker process, and a client that has it report on the same picture again and again."""

    def __init__(self, settings: Settings, model: str) -> None:
        self._child = ChildProcess(CHILD)
        self._settings = settings
        self._tree = settings_for_worker(settings, model)
        jpeg = cv2.imencode(".jpg", picture(1280, 720))[1]
        self._picture = base64.b64encode(jpeg.tobytes())

    def load(self) -> None:
        """Load its model. Raises ChildError."""
        self._child.greeting()
        self._child.ask({"do": "limit", "memory_bytes": self._settings.worker.memory_mb * 2**20}, ANSWER_S)
        self._child.ask({"do": "ready", "settings": dict(self._tree)}, LOAD_S)

    def answer(self) -> float:
        """Seconds until a picture is reported on. Raises ChildError."""
        began_s = time.perf_counter()
        request: dict[str, Any] = {
            "do": "inspect",
            "objects": [],
            "text": None,
            "language": "en",
            "side": self._settings.describe.image_side,
            "most_pixels": self._settings.worker.most_pixels,
        }
        told, _ = self._child.ask(request, ANSWER_S, self._picture)
        if "error" in told:
            raise ChildError(str(told["error"]))
        return time.perf_counter() - began_s

    @contextmanager
    def working(self) -> Iterator[None]:
        """Answer one picture after another until the body ends."""
        stop = threading.Event()
        failed: list[ChildError] = []

        def work() -> None:
            try:
                while not stop.is_set():
                    self.answer()
            except ChildError as error:
                failed.append(error)

        thread = threading.Thread(target=work, name="pictures", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(ANSWER_S)
        if failed:
            raise failed[0]

    def close(self) -> None:
        self._child.close()
