"""Pictures of clients and trials of thresholds share one worker process; the child is a fake."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from common.child_process import Message
from daemon.config.settings import load
from daemon.control.commands import ProcessCommand, TryCommand
from daemon.core.black_box import Recording
from daemon.core.core import Core
from daemon.errors import CommandError
from daemon.handlers.process import ProcessHandler
from daemon.journal.paths import JournalPaths
from daemon.runtime.description_loop import DescriptionLoop
from daemon.worker.client import WorkerClient
from tests.fakes import core_spec

FACTS = {
    "objects": [],
    "hazards": [],
    "prompt": "safe",
    "image_text_model": "starter",
    "recognise_s": 0.1,
    "said": "A street.",
    "asks": "",
    "seen": [],
    "hazard": None,
    "size": [1, 1],
}


class Child:
    """Answers at once, but a trial of thresholds only when it is told to."""

    pid = 4711

    def __init__(self) -> None:
        self.trying, self.go = threading.Event(), threading.Event()

    def greeting(self) -> dict[str, Any]:
        return {}

    def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message:
        if header["do"] == "what_if":
            self.trying.set()
            assert self.go.wait(10)
            return {"seconds": 0.0, "before": [], "after": []}, b""
        return FACTS, bytes(3)

    def stop(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def child() -> Child:
    return Child()


@pytest.fixture
def handler(tmp_path: Path, child: Child) -> Iterator[ProcessHandler]:
    settings = load(None, {"HOME": str(tmp_path)}, {}).settings
    worker = WorkerClient(settings.worker, child, lambda: 2**40)
    yield ProcessHandler(
        worker=worker,
        description_loop=DescriptionLoop(None, lambda *_: None, lambda _: (), lambda: 0.0),
        snapshot=lambda: Recording(core_spec(), Core(core_spec()).state(), ()),
        settings=lambda: settings,
        model="starter",
        journal=JournalPaths(tmp_path),
    )
    worker.close()


def test_a_picture_waits_for_a_trial_of_thresholds_which_is_short(
    handler: ProcessHandler, child: Child
) -> None:
    """A page that shows the thresholds tries them by itself."""
    with ThreadPoolExecutor(2) as pool:
        trial = pool.submit(handler.what_if, TryCommand(thresholds={"fire": 0.5}))
        assert child.trying.wait(10)
        processed = pool.submit(handler.process, ProcessCommand(picture="AAAA"))
        with pytest.raises(TimeoutError):
            processed.result(0.1)
        with pytest.raises(CommandError) as refused:
            handler.what_if(TryCommand(thresholds={"fire": 0.5}))
        assert refused.value.code == "busy"
        child.go.set()
        assert trial.result(10)["after"] == []
        told = processed.result(10)
    assert told["text"] == "A street."
    assert told["timings"]["wait_s"] >= 0.1, "the wait for the turn is told"
