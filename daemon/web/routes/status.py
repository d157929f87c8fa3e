"""State and events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from daemon.control.commands import StatusCommand
from daemon.core.health import OK
from daemon.web.dependencies import Web, validate_reply
from daemon.web.problems import RETRY_S, Problem
from daemon.web.routes import Responses, problems
from daemon.web.streams.streams import StreamSlot, streaming

router = APIRouter(tags=["state"], responses=problems())

SSE: Responses = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


class ComponentBody(BaseModel, extra="allow"):
    reason: str = OK
    since_s: float = 0.0
    detail: str = ""


class StatusBody(BaseModel):
    """The fields of `watchword status --json`, and home automation's state; further fields are possible."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "version": "0.1.0",
                "fps": 24.9,
                "source": "/dev/video0",
                "model": "starter",
                "components": {"camera": {"reason": "ok", "since_s": 812.0, "detail": ""}},
                "active": ["vehicle"],
                "muted_s": 0.0,
            }
        },
    )

    fps: float | None = None
    source: str | None = None
    model: str | None = None
    components: dict[str, ComponentBody] = {}
    active: list[str] = []
    muted_s: float = 0.0
    lost: list[str] = []


class AliveBody(BaseModel):
    """The web server runs."""

    alive: bool = True


class ReadyBody(BaseModel):
    """The daemon answers, and all its components work."""

    ready: bool = True


@router.get("/healthz", summary="Does the web server run?")
async def healthz() -> AliveBody:
    """Needs no token, and does not ask the daemon."""
    return AliveBody()


@router.get("/readyz", summary="Does the daemon answer, and do all its components work?")
async def readyz(web: Web) -> ReadyBody:
    """503 with the reasons if not."""
    status = validate_reply(StatusBody, await web.ask(StatusCommand()))
    failing = [
        f"{name}: {component.reason}"
        for name, component in status.components.items()
        if component.reason != OK
    ]
    failing += [f"{name}: lost" for name in status.lost]
    if failing:
        raise Problem(503, ", ".join(failing), "unavailable", retry_s=RETRY_S)
    return ReadyBody()


@router.get("/status", summary="State of the daemon")
async def status(web: Web) -> StatusBody:
    return validate_reply(StatusBody, {**await web.ask(StatusCommand()), **web.extra_status()})


@router.get(
    "/events",
    dependencies=[StreamSlot("listeners")],
    response_class=StreamingResponse,
    responses=SSE,
    summary="Events as they happen",
)
async def events(
    web: Web,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """Server-sent events: each of the daemon's as a line of JSON.

    `event: daemon` with `{"state": "up"|"down"}` says whether the daemon answers. With `Last-Event-ID` the
    missed events come first; `event: reset` says that they are gone: read `/status` again.
    """
    return streaming(web.feed.stream(last_event_id), "text/event-stream")
