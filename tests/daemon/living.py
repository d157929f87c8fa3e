"""The real daemon in a process of its own, for tests that want to see it live and suffer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from capture.frame import Image
from daemon.control.client import ControlClient
from daemon.control.commands import Command, StatusCommand
from daemon.errors import CommandError

START_S = 90.0
"""Seconds a start may take on a busy machine."""
PATIENCE_S = 30.0
ANSWER_S = 30.0
"""Seconds an answer may take; a busy machine takes its time."""
ROOT = Path(__file__).parents[2]
USUAL_PRIORITY = """
import os
os.sched_setscheduler = os.setpriority = lambda *_: None
os.getsid = lambda _: -1  # as if it led no session, whose priority it could lower
"""
"""A `sitecustomize` with which a process cannot step back: beside other tests it might hardly get a processor
for minutes.
"""


@lru_cache(maxsize=1)
def demo_frames(clip: Path) -> tuple[Image, ...]:
    """The street clip, picture by picture."""
    video = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    frames = []
    while (read := video.read())[0]:
        frames.append(np.asarray(read[1], np.uint8))
    return tuple(frames)


def street_clip(models: Path) -> Callable[[int], Image]:
    """Paints the street clip over and over."""
    frames = demo_frames(models / "demo" / "bikes.mp4")
    return lambda index: frames[index % len(frames)]


class Living:
    """Runs `watchword run` and listens to its events. A context manager."""

    def __init__(
        self,
        folder: Path,
        models: Path,
        source: str,
        config: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.config.write_text(config)
        # A socket's path is short: the run-time folder cannot lie deep in pytest's own.
        self._runtime = tempfile.TemporaryDirectory(prefix="ww")
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("WATCHWORD_")},
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": self._runtime.name,
            "XDG_CACHE_HOME": str(own_cache()),
            "WATCHWORD_PATHS__MODELS": str(models),
            "PYTHONFAULTHANDLER": "1",
            **(env or {}),
        }
        self.socket = Path(self._runtime.name) / "watchword" / "watchword.sock"
        self.log = folder / "log.txt"
        self.wav = folder / "said.wav"
        self._source = source
        self._seen: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()  # nothing else would end it
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._runtime.cleanup()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start a process of it, and do not wait for anything."""
        command = ["run", "--config", str(self.config), "--source", self._source, "--wav", str(self.wav)]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "daemon.cli.main", *command],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start it, again if it has ended, and wait until it watches."""
        self.process = self.spawn()
        self._subscribed.clear()
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        self.until(self._answers, START_S, "the daemon to answer")
        assert self._subscribed.wait(PATIENCE_S), "its events are not heard"

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"it ended:\n{self.log.read_text()}"
        try:
            self.ask(StatusCommand())
        except CommandError:
            return False
        return True

    def ask(self, command: Command) -> dict[str, Any]:
        """The answer of the running daemon."""
        with ControlClient(self.socket, timeout_s=ANSWER_S) as client:
            return client.ask(command)

    def status(self) -> dict[str, Any]:
        return self.ask(StatusCommand())

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """From the very beginning: a busy machine may be late to listen, and would miss the first words."""
        while process.poll() is None and not self._subscribed.is_set():
            with suppress(CommandError), ControlClient(self.socket, timeout_s=ANSWER_S) as client:
                events = client.events()
                self._subscribed.set()
                for line in events:
                    with self._changed:
                        self._seen.append(json.loads(line))
                        self._changed.notify_all()
            time.sleep(0.05)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything heard so far."""
        with self._changed:
            return list(self._seen)

    def await_event(
        self, kind: str, after: int = 0, timeout_s: float = PATIENCE_S, **fields: Any
    ) -> dict[str, Any]:
        """The first event, from number `after` on, of that kind and with those fields."""

        def found() -> dict[str, Any] | None:
            for event in self._seen[after:]:
                if event["kind"] == kind and all(event.get(k) == v for k, v in fields.items()):
                    return event
            return None

        with self._changed:
            self._changed.wait_for(lambda: found() is not None, timeout_s)
            event = found()
        assert event is not None, f"no {kind} {fields} in {self._seen[after:]}\n{self.log.read_text()}"
        return event

    @property
    def heard(self) -> int:
        """How many events there are: what comes later has a higher number."""
        with self._changed:
            return len(self._seen)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def until(self, true: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait, by looking now and then, for what no event tells of."""
        deadline = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.log.read_text()}"
            time.sleep(0.05)

    def ended(self, timeout_s: float = 20) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(timeout_s)

    def children(self) -> list[int]:
        """Process ids of its children, of all its threads."""
        pids: list[int] = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            with suppress(OSError):  # a thread that has ended meanwhile
                pids += map(int, task.read_text().split())
        return pids


def usual_priority(folder: Path) -> dict[str, str]:
    """Variables with which a process and its children do not step back."""
    (folder / "sitecustomize.py").write_text(USUAL_PRIORITY)
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def own_cache() -> Path:
    """Compiled models and rendered phrases, kept between tests."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "watchword-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def copied_cache(folder: Path) -> Path:
    """A cache folder of a test's own, in `folder`, that holds what was made before; to be XDG_CACHE_HOME."""
    warm = own_cache() / "watchword"
    warm.mkdir(exist_ok=True)

    def copy(source: str, target: str) -> None:
        with suppress(FileNotFoundError):  # another test's daemon has finished writing it, or deleted it
            shutil.copy2(source, target)

    shutil.copytree(warm, folder / "watchword", copy_function=copy)
    return folder
