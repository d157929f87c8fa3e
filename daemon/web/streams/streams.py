"""Responses without an end: how many there may be, and how they go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse

from daemon.web.problems import Problem
from daemon.web.server.guard import MARK_STREAMING

Kind = Literal["listeners", "viewers"]
RETRY_S = 5


def Place(kind: Kind) -> Any:  # noqa: N802 - used like FastAPI's Query and Body
    """A dependency that holds one of the places until the response is over."""

    async def held(request: Request) -> AsyncIterator[None]:
        taken: Counter[str] = request.app.state.places
        most = getattr(request.app.state.parts.settings, kind)
        if taken[kind] >= most:
            raise Problem(
                503, f"{most} {kind} are there already; raise web.{kind} for more", "busy", retry_s=RETRY_S
            )
        taken[kind] += 1
        if mark_streaming := request.scope.get("state", {}).get(MARK_STREAMING):
            mark_streaming()
        try:
            yield
        finally:
            taken[kind] -= 1

    return Depends(held, scope="request")


def streaming(parts: AsyncIterator[str] | AsyncIterator[bytes], media_type: str) -> StreamingResponse:
    """Not kept by anybody on its way."""
    return StreamingResponse(
        parts, media_type=media_type, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
