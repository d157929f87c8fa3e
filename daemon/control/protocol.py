"""The wire format of the control socket: one JSON object a line, UTF-8, versioned.

Request: `{"v":1,"id":7,"do":"say","text":"hello"}`. Reply: `{"v":1,"id":7,"ok":true,"result":{}}`, or
`{"v":1,"id":7,"ok":false,"error":"a line","code":"busy"}`. After `events`, the connection carries events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from daemon.control.commands import COMMANDS, LARGEST_PICTURE, Command
from daemon.errors import Code, CommandError

VERSION = 1
LONGEST_REQUEST = LARGEST_PICTURE + 16 * 1024
LONGEST_REPLY = 4 * 1024 * 1024

CommandT = TypeVar("CommandT", bound=Command)


@dataclass(frozen=True, slots=True)
class Request:
    """A command, and the number by which its reply is known."""

    id: int
    command: Command


class BadRequest(CommandError):
    """A malformed request. `id` is the number for the reply, if one could be read."""

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
    # `bool` is a subclass of `int` in Python.
    if not isinstance(id, int) or isinstance(id, bool):
        raise BadRequest(f"id = {_short(id)}: should be a whole number")
    version = fields.pop("v", None)
    # True == 1 in Python.
    if version is True or version != VERSION:
        raise BadRequest(f"v = {_short(version)}: this daemon speaks version {VERSION} only", id)
    kind = COMMANDS.get(fields.get("do", "")) if isinstance(fields.get("do"), str) else None
    if kind is None:
        raise BadRequest(f"do = {_short(fields.get('do'))}: should be one of {', '.join(COMMANDS)}", id)
    return Request(id, _checked(kind, fields, id))


def checked(kind: type[CommandT], **fields: Any) -> CommandT:
    """Build a command from typed arguments. Raises BadRequest with a one-line message."""
    # None means "not given", as with options of the command line.
    return _checked(kind, {name: value for name, value in fields.items() if value is not None}, None)


def encode_reply(id: int | None, result: Mapping[str, Any]) -> bytes:
    """One line."""
    return _line({"v": VERSION, "id": id, "ok": True, "result": result})


def encode_error(id: int | None, message: str, code: Code = "failed") -> bytes:
    """One line."""
    # A reply is one line: line breaks in a message would end it early.
    return _line({"v": VERSION, "id": id, "ok": False, "error": " ".join(message.split()), "code": code})


def decode_reply(line: bytes, id: int) -> dict[str, Any]:
    """The result. Raises CommandError with the daemon's message, or if the reply is malformed."""
    reply = _object(line)
    if reply.get("v") != VERSION:
        raise CommandError(
            f"the daemon speaks version {_short(reply.get('v'))}, this command version {VERSION}; "
            "restart the daemon, it is of another version"
        )
    if not reply.get("ok"):
        # A daemon of a later version may know more codes.
        code: Code = reply["code"] if reply.get("code") in get_args(Code) else "failed"
        raise CommandError(str(reply.get("error", "the daemon refused without saying why")), code)
    if reply.get("id") != id or not isinstance(reply.get("result"), dict):
        raise CommandError("the daemon answered something else than it was asked; restart it")
    result: dict[str, Any] = reply["result"]
    return result


def _checked(kind: type[CommandT], fields: Mapping[str, Any], id: int | None) -> CommandT:
    try:
        # Through JSON, so that a list may become a tuple although nothing else is converted.
        return kind.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ": ".join((kind.model_fields["do"].default, *map(str, first["loc"])))
        raise BadRequest(f"{where}: {first['msg'].removeprefix('Value error, ')}", id) from None


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequest("not a line of JSON") from None
    if not isinstance(fields, dict):
        raise BadRequest("not a JSON object")
    return fields


def _line(fields: Mapping[str, Any]) -> bytes:
    # "replace": a lone surrogate must not make a reply impossible.
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:40]}…"
