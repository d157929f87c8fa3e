"""What is said over the control socket: one JSON object a line, UTF-8, versioned.

Request: `{"v":1,"id":7,"do":"say","text":"hello"}`. Reply: `{"v":1,"id":7,"ok":true,"result":{}}`, or
`{"v":1,"id":7,"ok":false,"error":"a line","code":"busy"}`. After `events`, the connection carries events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError

from daemon.control.base import ControlCommand, Language, Name, Words
from daemon.control.commands import LARGEST_PICTURE, WebCommand
from daemon.errors import Code, CommandError

VERSION = 1
LONGEST_REQUEST = LARGEST_PICTURE + 16 * 1024
LONGEST_REPLY = 4 * 1024 * 1024


class StatusCommand(ControlCommand):
    """How is it? `aloud`: say it too."""

    do: Literal["status"] = "status"
    aloud: bool = False


class SayCommand(ControlCommand):
    """Say this."""

    do: Literal["say"] = "say"
    text: Words
    language: Language | None = None


class AskCommand(ControlCommand):
    """Describe what is seen now, or answer a question about it."""

    do: Literal["ask"] = "ask"
    question: Annotated[str, Field(max_length=500)] | None = None


class DescribeCommand(ControlCommand):
    """Describe what is seen now."""

    do: Literal["describe"] = "describe"


class FalseAlarmCommand(ControlCommand):
    """The last alert was wrong."""

    do: Literal["false_alarm"] = "false_alarm"


class LouderCommand(ControlCommand):
    """A step louder, now and after the next start; so with its three like."""

    do: Literal["louder"] = "louder"


class SofterCommand(ControlCommand):
    do: Literal["softer"] = "softer"


class FasterCommand(ControlCommand):
    do: Literal["faster"] = "faster"


class SlowerCommand(ControlCommand):
    do: Literal["slower"] = "slower"


class EarconsCommand(ControlCommand):
    """Play each short sound and say what it means."""

    do: Literal["earcons"] = "earcons"


class HushCommand(ControlCommand):
    """Stop talking; danger goes on."""

    do: Literal["hush"] = "hush"


class RepeatCommand(ControlCommand):
    """Say the last thing again."""

    do: Literal["repeat"] = "repeat"


class MuteCommand(ControlCommand):
    """Say nothing but danger for so long; 0 ends it. Asked for twice, danger is silent too."""

    do: Literal["mute"] = "mute"
    seconds: float = Field(ge=0, le=86400)


class ReloadCommand(ControlCommand):
    """Read the settings again."""

    do: Literal["reload"] = "reload"


class WhyCommand(ControlCommand):
    """What led to an event, by its id; without one, to what was said last."""

    do: Literal["why"] = "why"
    event: Name | None = None
    language: Literal["en", "ko"] = "en"


class EventsCommand(ControlCommand):
    """Send every event from now on, or only those of some kinds."""

    do: Literal["events"] = "events"
    kinds: tuple[Name, ...] = Field((), max_length=32)


class UtterCommand(ControlCommand):
    """Say this for another instance, which has no loudspeaker of its own."""

    do: Literal["utter"] = "utter"
    text: Annotated[str, Field(max_length=1000)]
    """Empty where there is only an earcon."""
    language: Language
    priority: Literal["danger", "message", "text", "notice"]
    key: Name
    severity: int = Field(0, ge=0, le=10)
    pan: float = Field(0.0, ge=-1, le=1)
    earcon: Name | None = None
    expires_in_s: float = Field(5.0, gt=0, le=60)
    cause: Name | None = None
    """The other's id, such as `left:a12`; by it the other finds its `speak` among our events."""


Command = (
    StatusCommand
    | SayCommand
    | AskCommand
    | DescribeCommand
    | HushCommand
    | RepeatCommand
    | MuteCommand
    | LouderCommand
    | SofterCommand
    | FasterCommand
    | SlowerCommand
    | FalseAlarmCommand
    | EarconsCommand
    | ReloadCommand
    | WhyCommand
    | EventsCommand
    | UtterCommand
    | WebCommand
)

_COMMANDS: Mapping[str, type[ControlCommand]] = {
    kind.model_fields["do"].default: kind for kind in get_args(Command)
}
"""Nested unions are flat in `get_args`."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command, and the number by which its reply is known."""

    id: int
    command: Command


class BadRequest(CommandError):
    """A request that is not understood. `id` is the number for the reply, where one could be read."""

    def __init__(self, message: str, id: int | None = None) -> None:
        super().__init__(message, "invalid")
        self.id = id


def encode_request(request: Request) -> bytes:
    """One line."""
    return _line({"v": VERSION, "id": request.id, **request.command.model_dump(mode="json")})


def decode_request(line: bytes) -> Request:
    """Raises BadRequest."""
    fields = _object(line)
    id = fields.pop("id", None)
    if not isinstance(id, int) or isinstance(id, bool):
        raise BadRequest(f"id = {_short(id)}: should be a whole number")
    version = fields.pop("v", None)
    if version is True or version != VERSION:
        raise BadRequest(f"v = {_short(version)}: this daemon speaks version {VERSION} only", id)
    kind = _COMMANDS.get(fields.get("do", "")) if isinstance(fields.get("do"), str) else None
    if kind is None:
        raise BadRequest(f"do = {_short(fields.get('do'))}: should be one of {', '.join(_COMMANDS)}", id)
    return Request(id, _checked(kind, fields, id))


def checked(kind: type[ControlCommand], **fields: Any) -> Any:
    """A command of that kind from what a person typed. Raises BadRequest with one clear line."""
    return _checked(kind, {name: value for name, value in fields.items() if value is not None}, None)


def encode_reply(id: int | None, result: Mapping[str, Any]) -> bytes:
    """One line."""
    return _line({"v": VERSION, "id": id, "ok": True, "result": result})


def encode_error(id: int | None, message: str, code: Code = "failed") -> bytes:
    """One line."""
    return _line({"v": VERSION, "id": id, "ok": False, "error": " ".join(message.split()), "code": code})


def decode_reply(line: bytes, id: int) -> dict[str, Any]:
    """The result. Raises CommandError with the daemon's own words, or where it makes no sense."""
    reply = _object(line)
    if reply.get("v") != VERSION:
        raise CommandError(
            f"the daemon speaks version {_short(reply.get('v'))}, this command version {VERSION}; "
            "restart the daemon, it is of another version"
        )
    if not reply.get("ok"):
        code: Code = reply["code"] if reply.get("code") in get_args(Code) else "failed"
        raise CommandError(str(reply.get("error", "the daemon refused without saying why")), code)
    if reply.get("id") != id or not isinstance(reply.get("result"), dict):
        raise CommandError("the daemon answered something else than it was asked; restart it")
    result: dict[str, Any] = reply["result"]
    return result


def _checked(kind: type[ControlCommand], fields: Mapping[str, Any], id: int | None) -> Any:
    try:
        # Through JSON, so that a list may become a tuple although nothing else is converted.
        return kind.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ": ".join((kind.model_fields["do"].default, *map(str, first["loc"])))
        raise BadRequest(f"{where}: {first['msg']}", id) from None


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("not a line of JSON") from None
    if not isinstance(fields, dict):
        raise BadRequest("not a JSON object")
    return fields


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:40]}…"
