"""Reading in the real daemon: a sign before the camera, read by a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capture.frame import Image
from daemon.control.commands import AskCommand, ReadCommand
from tests.capture.servers import MjpegServer
from tests.daemon.living import Living
from tests.pipeline.reading.signs import model_folder, sign

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTINGS = "[health]\nlate_s = 5\n"


def closed_road(number: int) -> Image:
    """A sign in a picture that is never quite the same."""
    picture = sign(("ROAD CLOSED", 66), ("KEEP LEFT", 44))
    picture[:8, :8] = number % 256
    return picture


def test_the_words_in_view_are_read_on_request_and_on_a_question(tmp_path: Path, models: Path) -> None:
    model_folder()
    with (
        MjpegServer(closed_road) as camera,
        Living(tmp_path, models, camera.url, SETTINGS + '[describe]\nbackend = "off"\n') as living,
    ):
        living.await_event("speak", text="Ready. I am watching.")
        for command in (ReadCommand(), AskCommand(question="What does the sign say?")):
            since = living.heard
            living.ask(command)
            living.await_event("scene", since, trigger="read")
            read = living.await_event("describe", since, model="pp-ocrv4")["text"]
            assert re.findall(r"\w+", read) == ["ROAD", "CLOSED", "KEEP", "LEFT"]
            living.await_event("speak", since, text=read, language="en")


def test_without_its_model_it_says_that_it_cannot_read(tmp_path: Path, models: Path) -> None:
    store = tmp_path / "models"
    store.mkdir()
    (store / "starter").symlink_to(models / "starter")
    with (
        MjpegServer(closed_road) as camera,
        Living(tmp_path, store, camera.url, SETTINGS) as living,
    ):
        living.await_event("speak", text="Ready. I am watching.")
        since = living.heard
        living.ask(ReadCommand())
        living.await_event("speak", since, text="I cannot read. The reading model is missing.")
        assert "watchword models pull pp-ocrv4" in living.log.read_text()
