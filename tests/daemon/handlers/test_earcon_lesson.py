"""All short sounds are taught one after another: none replaces another or waits too long."""

from __future__ import annotations

from typing import Any, cast

from daemon.config import settings
from daemon.control.commands import EarconsCommand
from daemon.control.protocol import Request
from daemon.core.earcon_lesson import lesson
from daemon.core.messages import Input
from daemon.handlers.requests import RequestHandler
from daemon.runtime.settings_updates import SettingsUpdater
from tests.daemon.core.world import World

TALKS_S = 2.0
"""Seconds that an earcon and its meaning last; the longest take less."""


def test_every_earcon_is_heard_with_its_meaning_in_order() -> None:
    world = World(talks_s=TALKS_S).watch(1)

    class Runner:
        def step(self, event: Input) -> None:
            world.tell(event)

    loaded = settings.load(None, {"HOME": "/nowhere"}, {}).settings
    handler = RequestHandler(
        runner=cast("Any", Runner()),
        updater=SettingsUpdater(loaded, lambda: loaded, lambda _settings, _voice: None, lambda _: None),
        loudspeaker=True,
        handlers={},
        unrecognised=lambda: (),
    )
    taught = list(lesson("en"))
    assert handler.answer(Request(1, EarconsCommand())) == {}
    world.watch((len(taught) + 1) * (TALKS_S + 0.5))
    heard = [(utterance.earcon, utterance.text) for _, utterance in world.heard]
    assert heard[-len(taught) :] == taught
