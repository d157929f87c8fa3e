"""Requests that the handler answers itself: a reload tells at once what would be watched for in vain."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from daemon.config import settings as config
from daemon.config.settings import Settings
from daemon.control.commands import ReloadCommand, UtterCommand
from daemon.control.protocol import Request
from daemon.errors import CommandError
from daemon.handlers.requests import RequestHandler
from daemon.runtime.settings_updates import SettingsUpdater

PATIENCE_S = 10.0


def loaded(**changes: object) -> Settings:
    return config.load(None, {"HOME": "/nowhere"}, changes).settings


def test_the_reply_to_reload_names_what_the_model_never_recognises_once_it_holds() -> None:
    order: list[str] = []

    def apply(_settings: Settings, _voice: bool) -> None:
        order.append("applied")

    def unrecognised() -> tuple[str, ...]:
        order.append("looked at")
        return ("scooter",)

    updater = SettingsUpdater(loaded(), lambda: loaded(**{"watch.cooldown_s": 30.0}), apply, lambda _: None)
    handler = RequestHandler(
        runner=cast("Any", None),
        updater=updater,
        loudspeaker=True,
        handlers={},
        unrecognised=unrecognised,
    )
    thread = threading.Thread(target=updater.run)
    thread.start()
    try:
        reply = handler.answer(Request(1, ReloadCommand()))
    finally:
        updater.close()
        thread.join(PATIENCE_S)
    assert reply == {"changed": ["watch.cooldown_s"], "needs_restart": [], "unrecognised": ["scooter"]}
    assert order == ["applied", "looked at"], "the model binds words in one thread at a time"


def test_an_instance_that_forwards_takes_no_speech_of_others() -> None:
    handler = RequestHandler(
        runner=cast("Any", None), updater=cast("Any", None), loudspeaker=False, handlers={}
    )
    command = UtterCommand(text="Vehicle!", language="en", priority="danger", key="left:a1")
    with pytest.raises(CommandError, match="no loudspeaker of its own"):
        handler.answer(Request(1, command))
