"""Reading in the real daemon: a sign before the camera, read by a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capture.frame import Image
from daemon.control.commands import AskCommand, ReadCommand
from tests.capture.servers import MjpegServer
from tests.daemon.living import Living, usual_priority
from tests.pipeline.reading.signs import model_folder, sign

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LOADING_S = 90.0
"""Seconds for the process that reads to start on a busy machine."""
SETTINGS = "[health]\nlate_s = 5\n[describe]\nbackend = 'off'\n"


def closed_road(number: int) -> Image:
    """A sign in a picture that is never quite the same."""
    picture = sign(("ROAD CLOSED", 66), ("KEEP LEFT", 44))
    picture[:8, :8] = number % 256
    return picture


def test_the_words_in_view_are_read_as_soon_as_the_model_is_there(tmp_path: Path, models: Path) -> None:
    model = model_folder()
    store = tmp_path / "models"
    store.mkdir()
    (store / "starter").symlink_to(models / "starter")
    with (
        MjpegServer(closed_road) as camera,
        Living(tmp_path, store, camera.url, SETTINGS, usual_priority(tmp_path)) as living,
    ):
        living.await_event("speak", text="Ready. I am watching.")
        since = living.heard
        living.ask(ReadCommand())
        living.await_event("speak", since, text="I cannot read. The reading model is missing.")
        assert f"watchword models pull {model.name}" in living.log.read_text()
        (store / model.name).symlink_to(model)
        for command in (ReadCommand(), AskCommand(question="What does the sign say?")):
            since = living.heard
            living.ask(command)
            living.await_event("scene", since, trigger="read")
            read = living.await_event("describe", since, LOADING_S, model=model.name)["text"]
            assert re.findall(r"\w+", read) == ["ROAD", "CLOSED", "KEEP", "LEFT"]
            living.await_event("speak", since, text=read, language="en")
