"""Responses without an end: their number is limited, and nothing caches them."""

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


def StreamSlot(kind: Kind) -> Any:  # noqa: N802 - used like FastAPI's Query and Body
    """A dependency that holds one of `web.KIND` slots until the response has ended."""

    async def slot(request: Request) -> AsyncIterator[None]:
        open_streams: Counter[str] = request.app.state.open_streams
        limit = getattr(request.app.state.dependencies.settings, kind)
        if open_streams[kind] >= limit:
            raise Problem(
                503, f"all {limit} {kind} are in use; web.{kind} allows more", "busy", retry_s=RETRY_S
            )
        # No lock: the event loop runs this without interruption up to here.
        open_streams[kind] += 1
        if mark_streaming := request.scope.get("state", {}).get(MARK_STREAMING):
            mark_streaming()
        try:
            yield
        finally:
            open_streams[kind] -= 1

    # Until the response has been sent: with the scope "function" the slot would be free before it.
    return Depends(slot, scope="request")


def streaming(parts: AsyncIterator[str] | AsyncIterator[bytes], media_type: str) -> StreamingResponse:
    """A response that proxies neither cache nor buffer."""
    return StreamingResponse(
        # nginx buffers answers unless it is told not to by this header.
        parts,
        media_type=media_type,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
