"""The journal, and explanations."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from daemon.control import commands as wire
from daemon.control.commands import Name, WhyCommand
from daemon.web.dependencies import Web, validate_reply
from daemon.web.journal_archive import make_archive
from daemon.web.problems import RETRY_S, Problem
from daemon.web.routes import Responses, problems
from daemon.web.routes.camera import JPEG

router = APIRouter(tags=["journal"], responses=problems(404))

TIMEOUT_S = 10.0
MOST_EXPORTED = 5000
"""Events: an archive is made within the time of a request, and held in memory."""
ZIP: Responses = {200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}}
# The largest whole number that JavaScript's numbers hold exactly is 2^53.
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
    """The explanation of an event."""

    model_config = ConfigDict(extra="allow")

    text: str
    steps: list[Any] = []


class MarkBody(BaseModel):
    """A verdict on an alert; `none` takes it back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"verdict": "false"}})

    verdict: Literal["true", "false", "none"]


class MarkedBody(BaseModel, extra="allow"):
    file: str = Field(description="the manifest of marked pictures, on the daemon's machine")


class PurgeBody(BaseModel):
    """Delete everything before a time; without one everything."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"before": 1760000000}})

    before: float | None = Field(None, ge=0, le=1e11, allow_inf_nan=False, description="Unix seconds")


class PurgedBody(BaseModel, extra="allow"):
    events: int
    pictures: int
    black_boxes: int


Seconds = Annotated[float | None, Query(ge=0, le=1e11, allow_inf_nan=False, description="Unix seconds")]


Kinds = Annotated[list[str], Query(max_length=32, description="repeated, or with commas")]


def _names(kinds: list[str]) -> tuple[str, ...]:
    """Raises Problem."""
    names = tuple(name for kind in kinds for name in kind.split(",") if name)
    # Once more after splitting at commas, which FastAPI's limit does not see.
    if len(names) > 32 or any(len(name) > 200 for name in names):
        raise Problem(422, "query.kinds: 32 names at most")
    return names


@router.get("/journal", summary="Recorded events")
async def journal(
    web: Web,
    kinds: Kinds = [],  # noqa: B006
    hazard: Annotated[Name | None, Query()] = None,
    since: Seconds = None,
    until: Seconds = None,
    before: Annotated[int | None, Query(ge=0, le=LARGEST_ROW)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    evidence: Annotated[bool, Query(description="with every hazard's probability")] = False,
) -> JournalBody:
    command = wire.JournalCommand(
        kinds=_names(kinds),
        hazard=hazard,
        since=since,
        until=until,
        before=before,
        limit=limit,
        evidence=evidence,
    )
    return validate_reply(JournalBody, await web.ask(command, TIMEOUT_S))


@router.get(
    "/journal/export.zip",
    response_class=Response,
    responses=ZIP,
    summary="Recorded events with their pictures, and a page that shows them",
)
async def export(
    web: Web,
    kinds: Kinds = [],  # noqa: B006
    hazard: Annotated[Name | None, Query()] = None,
    since: Seconds = None,
    until: Seconds = None,
) -> Response:
    """The newest 5000 at most; `watchword journal export` has no such limit. One export at a time."""
    command = wire.JournalCommand(kinds=_names(kinds), hazard=hazard, since=since, until=until)
    if web.exporting.locked():
        raise Problem(503, "another export is being made; try again in a moment", "busy", retry_s=RETRY_S)
    async with web.exporting:
        archive = await make_archive(web.daemon, command, MOST_EXPORTED)
    name = {"Content-Disposition": 'attachment; filename="watchword-journal.zip"'}
    return Response(archive, media_type="application/zip", headers={**name, "Cache-Control": "no-store"})


@router.get(
    "/journal/{row}/snapshot.jpg",
    response_class=Response,
    responses=JPEG,
    summary="The picture recorded with an event",
)
async def snapshot(
    web: Web,
    row: Annotated[int, Path(ge=0, le=LARGEST_ROW)],
    side: Annotated[
        int | None, Query(ge=32, le=1920, description="pixels of the longer side at most")
    ] = None,
) -> Response:
    reply = await web.ask(wire.SnapshotCommand(row=row, side=side), TIMEOUT_S)
    headers = {
        "X-Pixelated": str(bool(reply.get("pixelated"))).lower(),
        "Cache-Control": "private, max-age=60",
    }
    return Response(base64.b64decode(reply["jpeg"]), media_type="image/jpeg", headers=headers)


@router.post("/journal/{row}/mark", responses=problems(404, 409, 415), summary="Was an alert right or wrong?")
async def mark(web: Web, row: Annotated[int, Path(ge=0, le=LARGEST_ROW)], body: MarkBody) -> MarkedBody:
    """Its picture is kept, labelled, for `watchword calibrate --labelled`."""
    command = wire.MarkCommand(row=row, verdict=body.verdict)
    return validate_reply(MarkedBody, await web.ask(command, TIMEOUT_S))


@router.get("/why", summary="Why was that said, or not said?")
async def why(
    web: Web,
    event: Annotated[
        Name | None, Query(description="an event's id, or #ROW of the journal; default: what was said last")
    ] = None,
    language: Annotated[Literal["en", "ko"], Query(description="of the text")] = "en",
) -> WhyBody:
    return validate_reply(WhyBody, await web.ask(WhyCommand(event=event, language=language), TIMEOUT_S))


@router.post(
    "/purge", responses=problems(409, 415), summary="Delete recorded events, pictures and black boxes"
)
async def purge(web: Web, order: PurgeBody | None = None) -> PurgedBody:
    """This cannot be undone."""
    return validate_reply(
        PurgedBody, await web.ask(wire.PurgeCommand(before=order.before if order else None), 3 * TIMEOUT_S)
    )
