"""What was, and why."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from daemon.control import commands as wire
from daemon.control.commands import Name
from daemon.control.commands import WhyCommand as AskWhy
from daemon.web.dependencies import Web, shaped
from daemon.web.problems import Problem
from daemon.web.routes import problems
from daemon.web.routes.camera import JPEG

router = APIRouter(tags=["journal"], responses=problems(404))

PATIENCE_S = 10.0
LARGEST_ROW = 2**53


class JournalEntryBody(BaseModel, extra="allow"):
    """An event, with its own fields beside these."""

    row: int
    wall_s: float = Field(description="Unix seconds")
    run: str | None = Field(None, description="which run of the daemon; ids are unique in it")
    id: str | None = None
    kind: str
    snapshot: bool = Field(False, description="/journal/{row}/snapshot.jpg is there")
    black_box: bool = False


class JournalBody(BaseModel, extra="allow"):
    """A page, the newest first."""

    events: list[JournalEntryBody]
    next: int | None = Field(None, description="`before` for the next page; null at the end")


class WhyBody(BaseModel):
    """What led to it."""

    model_config = ConfigDict(extra="allow")

    text: str
    steps: list[Any] = []


class PurgeOrder(BaseModel):
    """Forget what is older; without a time everything."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"before": 1760000000}})

    before: float | None = Field(None, ge=0, le=1e11, allow_inf_nan=False, description="Unix seconds")


class Purged(BaseModel, extra="allow"):
    events: int
    pictures: int
    black_boxes: int


Seconds = Annotated[float | None, Query(ge=0, le=1e11, allow_inf_nan=False, description="Unix seconds")]


@router.get("/journal", summary="Events that were kept")
async def journal(
    web: Web,
    kinds: Annotated[list[str], Query(max_length=32, description="repeated, or with commas")] = [],  # noqa: B006
    hazard: Annotated[Name | None, Query()] = None,
    since: Seconds = None,
    until: Seconds = None,
    before: Annotated[int | None, Query(ge=0, le=LARGEST_ROW)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    evidence: Annotated[bool, Query(description="with every hazard's probability")] = False,
) -> JournalBody:
    names = tuple(name for kind in kinds for name in kind.split(",") if name)
    if len(names) > 32 or any(len(name) > 200 for name in names):
        raise Problem(422, "query.kinds: 32 names at most")
    command = wire.JournalCommand(
        kinds=names,
        hazard=hazard,
        since=since,
        until=until,
        before=before,
        limit=limit,
        evidence=evidence,
    )
    return shaped(JournalBody, await web.ask(command, PATIENCE_S))


@router.get(
    "/journal/{row}/snapshot.jpg",
    response_class=Response,
    responses=JPEG,
    summary="The picture that was kept with an event",
)
async def snapshot(web: Web, row: Annotated[int, Path(ge=0, le=LARGEST_ROW)]) -> Response:
    reply = await web.ask(wire.SnapshotCommand(row=row), PATIENCE_S)
    headers = {
        "X-Pixelated": str(bool(reply.get("pixelated"))).lower(),
        "Cache-Control": "private, max-age=60",
    }
    return Response(base64.b64decode(reply["jpeg"]), media_type="image/jpeg", headers=headers)


@router.get("/why", summary="Why was that said, or not said?")
async def why(
    web: Web,
    event: Annotated[
        Name | None, Query(description="an event's id, or #ROW of the journal; else what was said last")
    ] = None,
    language: Annotated[Literal["en", "ko"], Query(description="it is told in this one")] = "en",
) -> WhyBody:
    return shaped(WhyBody, await web.ask(AskWhy(event=event, language=language), PATIENCE_S))


@router.post("/purge", responses=problems(409, 415), summary="Forget what was kept")
async def purge(web: Web, order: PurgeOrder | None = None) -> Purged:
    """This cannot be undone."""
    return shaped(
        Purged, await web.ask(wire.PurgeCommand(before=order.before if order else None), 3 * PATIENCE_S)
    )
