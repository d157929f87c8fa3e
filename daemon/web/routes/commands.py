"""The wearer's commands as routes: one `POST` for each command with a `Command.http`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import Parameter, Signature
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, create_model

from daemon.control.commands import COMMANDS, Command, HttpPost
from daemon.web.dependencies import Web
from daemon.web.routes import problems

router = APIRouter(tags=["commands"], responses=problems(409, 415))


class EmptyBody(BaseModel, extra="forbid"):
    """An empty body."""


class Accepted(BaseModel, extra="allow"):
    """The daemon has accepted the command; `/events` reports its outcome."""


def body_of(kind: type[Command], offer: HttpPost) -> type[BaseModel]:
    """The fields of a command as the model of a JSON body."""
    fields: dict[str, Any] = {
        name: (info.rebuild_annotation(), info)
        for name, info in kind.model_fields.items()
        if name != "do" and name not in offer.fixed
    }
    if not fields:
        return EmptyBody
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    if offer.example:
        config["json_schema_extra"] = {"example": dict(offer.example)}
    name = kind.__name__.removesuffix("Command") + "Body"
    return create_model(name, __config__=config, __doc__=kind.__doc__, **fields)


def _endpoint(
    kind: type[Command], offer: HttpPost, body: type[BaseModel]
) -> Callable[..., Awaitable[Accepted]]:
    async def endpoint(web: Web, content: BaseModel | None = None) -> Accepted:
        fields = content.model_dump() if content is not None else {}
        return Accepted.model_validate(await web.ask(kind(**fields, **offer.fixed)))

    # FastAPI reads the signature: the body's own model, optional unless a field of it is required.
    required = any(info.is_required() for info in body.model_fields.values())
    endpoint.__name__ = kind.model_fields["do"].default
    endpoint.__doc__ = None
    endpoint.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter("web", Parameter.POSITIONAL_OR_KEYWORD, annotation=Web),
            Parameter(
                "content",
                Parameter.POSITIONAL_OR_KEYWORD,
                annotation=body if required else body | None,
                default=Parameter.empty if required else None,
            ),
        ],
        return_annotation=Accepted,
    )
    return endpoint


# A command with an `http` field gets its route by this loop alone.
for _kind in COMMANDS.values():
    if _kind.http is not None:
        router.add_api_route(
            _kind.http.path,
            _endpoint(_kind, _kind.http, body_of(_kind, _kind.http)),
            methods=["POST"],
            summary=_kind.http.summary,
            description=_kind.http.description or None,
        )
