"""The process that reads: loaded when needed or ahead, replaced by words when it cannot, ended when idle."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.child_process import ChildError, Message
from pipeline.reading.passages import CANNOT_READ, MODEL, Passage, ReadingError, ReadText
from pipeline.reading.reading_process import KEEP_BYTES, LOAD_S, ReadingProcess
from pipeline.reading.worker import Server
from pipeline.store.errors import NotInstalledError
from tests.pipeline.reading.signs import model_folder, sign

PICTURE = np.zeros((48, 64, 3), np.uint8)


@dataclass
class Child:
    """Answers as told, and keeps what it was asked."""

    answer: dict[str, Any] = field(default_factory=lambda: asdict(ReadText((Passage("EXIT.", "en"),))))
    failure: str = ""
    pid: int | None = None
    asked: list[tuple[dict[str, Any], float, int]] = field(default_factory=list)
    stopped: int = 0

    def greeting(self) -> dict[str, Any]:
        return {}

    def ask(self, header: dict[str, Any], timeout_s: float, payload: bytes = b"") -> Message:
        self.asked.append((header, timeout_s, len(payload)))
        self.pid = 1
        if self.failure:
            raise ChildError(self.failure)
        return self.answer, b""

    def stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        self.stop()


def located(name: str) -> Path:
    return Path("/models", name)


def reading(child: Child, free: int = KEEP_BYTES) -> ReadingProcess:
    return ReadingProcess(located, child, lambda: free)


def test_the_first_picture_has_the_time_to_load_and_the_next_has_not() -> None:
    child = Child()
    process = reading(child)
    assert process.read(PICTURE, "en", 7.0) == (Passage("EXIT.", "en"),)
    process.read(PICTURE, "en", 7.0)
    process.close()
    assert [timeout for _, timeout, _ in child.asked] == [7.0 + LOAD_S, 7.0]
    assert child.asked[0][0] == {"folder": f"/models/{MODEL}", "size": [48, 64]}


def test_a_missing_or_damaged_model_is_said_in_words() -> None:
    def nowhere(name: str) -> Path:
        raise NotInstalledError(f"{name} is not here")

    assert ReadingProcess(nowhere, Child()).read(PICTURE, "ko", 7.0) == (Passage(CANNOT_READ["ko"], "ko"),)
    process = reading(Child({"unavailable": "it is damaged"}))
    assert process.read(PICTURE, "en", 7.0) == (Passage(CANNOT_READ["en"], "en"),)
    process.close()


@pytest.mark.parametrize("child", [Child(failure="its process ended"), Child({"error": "ValueError: odd"})])
def test_a_failure_is_no_text(child: Child) -> None:
    process = reading(child)
    with pytest.raises(ReadingError):
        process.read(PICTURE, "en", 7.0)
    process.close()


def test_it_is_loaded_ahead_only_if_there_is_memory() -> None:
    rich, poor = Child({}), Child({})
    for child, free in ((rich, KEEP_BYTES), (poor, KEEP_BYTES - 1)):
        process = reading(child, free)
        process.load_ahead()
        process.close()
    assert [payload for _, _, payload in rich.asked] == [0] and poor.asked == []


def test_an_odd_picture_is_an_error_and_the_next_is_read() -> None:
    serve = Server()
    assert "ValueError" in serve({"folder": str(model_folder()), "size": [5, 5]}, b"too short")["error"]
    assert serve({"size": [1, 1]}, bytes(3))["passages"] == ()
    picture = sign(("EXIT", 90))
    answer = serve({"size": list(picture.shape[:2])}, picture.tobytes())
    assert [one["text"] for one in answer["passages"]] == ["EXIT."]


def test_a_folder_without_the_model_is_named(tmp_path: Path) -> None:
    assert (
        "watchword models pull"
        in Server()({"folder": str(tmp_path), "size": [1, 1]}, bytes(3))["unavailable"]
    )


def test_loading_ahead_reads_nothing() -> None:
    assert Server()({"folder": str(model_folder())}, b"") == {}
