"""Every command of the socket is answered, and every offer of a command is derived from its definition."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daemon.cli.remote.commands import REMOTE
from daemon.config.settings import load
from daemon.control.commands import COMMANDS, KEY_ACTIONS, KEY_COMMANDS, Command, UtterCommand
from daemon.control.protocol import checked
from daemon.core.messages import INPUT_TAGS
from daemon.errors import CommandError
from daemon.handlers.commands import build_handlers
from daemon.mqtt.discovery import BUTTONS, WORDS
from daemon.mqtt.labels import ENTITIES
from daemon.web.routes.commands import router

BY_REQUEST_HANDLER = {"reload", "earcons", "louder", "softer", "faster", "slower"}
BY_SERVER = {"events"}
SAMPLES: dict[str, dict[str, Any]] = {
    "say": {"text": "Hello."},
    "mute": {"seconds": 60.0},
    "utter": {"text": "Hello.", "language": "en", "priority": "text", "key": "k"},
}


class Anything:
    """Stands for every part that handlers only keep until they are called."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: object) -> None:
        pass


def handled(home: Path) -> set[str]:
    """The names that `build_handlers` answers."""
    parts = cast("Any", Anything())
    loaded = load(None, {"HOME": str(home)}, {})
    info = cast("Any", SimpleNamespace(loaded=loaded, defaults=loaded.settings, clock=None))
    return set(build_handlers(live=parts, info=info, updater=parts, worker=parts))


def core_input(kind: type[Command]) -> object:
    name = kind.model_fields["do"].default
    try:
        return checked(kind, **SAMPLES.get(name, {})).core_input()
    except CommandError:  # fields are missing: only commands with a handler need any besides SAMPLES
        return None


def test_each_command_has_exactly_one_answer(tmp_path: Path) -> None:
    to_core = {name for name, kind in COMMANDS.items() if core_input(kind) is not None}
    by_handler = handled(tmp_path)
    assert not to_core & by_handler
    assert to_core | by_handler | BY_REQUEST_HANDLER | BY_SERVER == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_core_input_is_one_that_recordings_keep(name: str) -> None:
    event = core_input(COMMANDS[name])
    assert event is None or type(event) in INPUT_TAGS.values()


def test_speech_of_another_instance_keeps_every_field() -> None:
    sent = UtterCommand(
        text="Car.", language="ko", priority="danger", key="k", severity=3, pan=-0.5, cause="left:a1"
    )
    event: Any = sent.core_input()
    assert event.priority.name == "DANGER"
    fields = sent.model_dump(exclude={"do", "priority"})
    assert {name: getattr(event, name) for name in fields} == fields


def test_http_mqtt_keys_and_shell_offer_what_the_definitions_say() -> None:
    posts = {kind.http.path for kind in COMMANDS.values() if kind.http}
    assert {cast("Any", route).path for route in router.routes} == posts
    assert {*BUTTONS, *WORDS} == {name for name, kind in COMMANDS.items() if kind.mqtt}
    for name in WORDS:
        entity = COMMANDS[name].mqtt
        assert entity and entity.text_field in COMMANDS[name].model_fields, name
    assert {*BUTTONS, *WORDS} <= ENTITIES.keys()
    assert {*KEY_COMMANDS, "mute"} == set(KEY_ACTIONS)
    assert {name.replace("-", "_") for name in REMOTE} <= set(COMMANDS)
