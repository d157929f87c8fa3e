"""Answers the requests of the control socket and the presses of keys."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daemon.control.commands import (
    KEY_COMMANDS,
    MUTE_ACTION,
    Command,
    EarconsCommand,
    MuteCommand,
    ReloadCommand,
    UtterCommand,
)
from daemon.control.protocol import Request
from daemon.core.earcon_lesson import lesson
from daemon.core.messages import Say
from daemon.errors import CommandError
from daemon.runtime.engine import CoreRunner
from daemon.runtime.settings_updates import SettingsUpdater
from pipeline import wording

log = logging.getLogger(__name__)

Handler = Callable[[Any], Mapping[str, Any]]
"""Answers one command in the client's thread. Raises CommandError, ConfigError."""

APPLY_S = 2.0
"""Seconds that the reply to `reload` waits for the settings to be applied. Rendering phrases takes longer,
and clients wait five seconds for a reply; `status` then tells what is not recognised."""
LESSON_S = 120.0
"""Seconds that all earcons with their meanings may wait to be spoken."""


def still_starting(_: Request) -> Mapping[str, Any]:
    """Refuses every request: models are still loading. Raises CommandError."""
    raise CommandError("still starting; try again in a few seconds")


class RequestHandler:
    """Passes each command to its handler or, as an input, to the core."""

    def __init__(
        self,
        *,
        runner: CoreRunner,
        updater: SettingsUpdater,
        loudspeaker: bool,
        handlers: Mapping[str, Handler],
        unrecognised: Callable[[], Sequence[str]] = tuple,
        keep_mute: Callable[[], None] = lambda: None,
    ) -> None:
        """`loudspeaker`: this instance has one. `handlers`: for all other commands, by their names.

        `unrecognised`: the hazards of the settings file that the running model can never recognise.
        `keep_mute` is called after each mute: it is to outlast a restart.
        """
        self._unrecognised = unrecognised
        self._keep_mute = keep_mute
        self._handlers = handlers
        self._runner = runner
        self._updater = updater
        self._loudspeaker = loudspeaker

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Carry out one request in the client's thread. Raises CommandError, ConfigError."""
        command = request.command
        if handler := self._handlers.get(command.do):
            return handler(command)
        match command:
            case ReloadCommand():
                return self._reload()
            case EarconsCommand():
                return self._play_earcons()
        if isinstance(command, UtterCommand) and not self._loudspeaker:
            # Passed on, it could go in a circle of instances, and each would count it as handed over.
            raise CommandError("this instance has no loudspeaker of its own: forward to the one that has it")
        if command.adjusts is not None:
            return self._adjust(command)
        if (core_input := command.core_input()) is None:
            raise CommandError(f"{command.do} is not for this daemon")
        self._runner.step(core_input)
        if isinstance(command, MuteCommand):
            self._keep_mute()
        return {}

    def press(self, action: str, mute_s: float) -> None:
        """Carry out the action of a key (`KEY_ACTIONS`); a failure is spoken."""
        command = MuteCommand(seconds=mute_s, by="keys") if action == MUTE_ACTION else KEY_COMMANDS[action]
        try:
            self.answer(Request(0, command))
        # Keys have no screen: the wearer must hear that nothing has happened.
        except CommandError as error:
            log.warning("keys: %s: %s", action, error)
            words = wording.NOT_POSSIBLE[self._updater.settings.speech.language]
            self._runner.step(Say(words, earcon="error"))

    def _reload(self) -> Mapping[str, Any]:
        """Reload; the reply also names the hazards that would be watched for in vain."""
        reply = self._updater.reload()
        # The settings thread binds words to the model, which only one thread may do at a time.
        if not self._updater.wait_idle(APPLY_S):
            return reply
        return {**reply, "unrecognised": list(self._unrecognised())}

    def _adjust(self, command: Command) -> Mapping[str, Any]:
        if not self._loudspeaker:
            raise CommandError("this instance has no loudspeaker of its own: ask the one that speaks for it")
        # Narrows the type; `answer` has checked it.
        assert command.adjusts is not None
        return self._updater.adjust(*command.adjusts)

    def _play_earcons(self) -> Mapping[str, Any]:
        language = self._updater.settings.speech.language
        for name, words in lesson(language):
            # A key of its own for each: with a common one every earcon would replace the one before.
            self._runner.step(Say(words, earcon=name, key=f"earcon:{name}", expires_in_s=LESSON_S))
        return {}
