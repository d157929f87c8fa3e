"""How it is, and what happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from daemon.control.commands import StatusCommand as AskStatus
from daemon.core.health import OK
from daemon.web.dependencies import Web, shaped
from daemon.web.problems import RETRY_S, Problem
from daemon.web.routes import Responses, problems
from daemon.web.streams.streams import Place, streaming

router = APIRouter(tags=["state"], responses=problems())

SSE: Responses = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


class ComponentBody(BaseModel, extra="allow"):
    reason: str = OK
    since_s: float = 0.0
    detail: str = ""


class StatusBody(BaseModel):
    """What `watchword status --json` shows, and home automation's state; more may stand beside it."""

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


class Alive(BaseModel):
    """This process lives."""

    alive: bool = True


class Ready(BaseModel):
    """The daemon answers, and all of it works."""

    ready: bool = True


@router.get("/healthz", summary="Does the web interface live?")
async def healthz() -> Alive:
    """Needs no token, and does not ask the daemon."""
    return Alive()


@router.get("/readyz", summary="Does the daemon answer, and is all of it well?")
async def readyz(web: Web) -> Ready:
    """503 with the reasons where something is missing."""
    status = shaped(StatusBody, await web.ask(AskStatus()))
    ill = [
        f"{name}: {component.reason}"
        for name, component in status.components.items()
        if component.reason != OK
    ]
    ill += [f"{name}: lost" for name in status.lost]
    if ill:
        raise Problem(503, ", ".join(ill), "unavailable", retry_s=RETRY_S)
    return Ready()


@router.get("/status", summary="How is it?")
async def status(web: Web) -> StatusBody:
    return shaped(StatusBody, {**await web.ask(AskStatus()), **web.beside()})


@router.get(
    "/events",
    dependencies=[Place("listeners")],
    response_class=StreamingResponse,
    responses=SSE,
    summary="What happens, as it happens",
)
async def events(
    web: Web,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """Server-sent events: each of the daemon's as a line of JSON.

    `event: daemon` with `{"state": "up"|"down"}` tells whether the daemon is there. With `Last-Event-ID`
    what was missed comes first; `event: reset` says that it cannot: look at `/status` anew.
    """
    return streaming(web.feed.stream(last_event_id), "text/event-stream")
