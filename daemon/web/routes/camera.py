"""The camera's picture and its scores."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from daemon.control.commands import PictureCommand, ScoresCommand
from daemon.web.dependencies import Web, validate_reply
from daemon.web.routes import Responses, problems
from daemon.web.streams import live_view
from daemon.web.streams.streams import StreamSlot, streaming

router = APIRouter(tags=["picture"], responses=problems())

JPEG: Responses = {200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}}
PARTS: Responses = {
    200: {"content": {"multipart/x-mixed-replace": {"schema": {"type": "string", "format": "binary"}}}}
}


class ScoresBody(BaseModel):
    """Probabilities of the last minutes."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "now": 1204.5,
                "hazards": ["fire", "vehicle"],
                "thresholds": {"fire": 0.62, "vehicle": 0.7},
                "severities": {"fire": "critical", "vehicle": "warning"},
                "rows": [[1204.2, [0.01, 0.93]], [1204.4, [0.01, 0.95]]],
            }
        },
    )

    now: float = Field(description="the daemon's clock, in seconds")
    hazards: list[str]
    thresholds: dict[str, float]
    severities: dict[str, str]
    rows: list[list[float | list[float]]] = Field(
        description="time, and the smoothed probability of each hazard in the order of `hazards`"
    )


@router.get("/snapshot.jpg", response_class=Response, responses=JPEG, summary="The newest picture")
async def snapshot(
    web: Web, side: Annotated[int, Query(ge=64, le=1920, description="pixels of the longer side")] = 960
) -> Response:
    """The picture assessed last. `X-Seq` is its number, `X-Age-Seconds` its age."""
    reply = await web.ask(PictureCommand(side=side))
    headers = {"X-Seq": str(reply.get("seq", "")), "X-Age-Seconds": f"{reply.get('age_s', 0.0):.3f}"}
    return Response(base64.b64decode(reply["jpeg"]), media_type="image/jpeg", headers=headers)


@router.get(
    "/live",
    dependencies=[StreamSlot("viewers")],
    response_class=Response,
    responses=PARTS,
    summary="The picture, moving (MJPEG)",
)
async def live(web: Web) -> StreamingResponse:
    """`multipart/x-mixed-replace`: each part a JPEG, the newest at any time, with its length."""
    return streaming(web.live_view.stream(), live_view.MEDIA_TYPE)


@router.get("/scores", summary="Probabilities of the last two minutes")
async def scores(
    web: Web,
    since_s: Annotated[
        float | None, Query(allow_inf_nan=False, description="only rows newer than this, in `now`'s clock")
    ] = None,
) -> ScoresBody:
    return validate_reply(ScoresBody, await web.ask(ScoresCommand(since_s=since_s)))
