"""Metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from daemon.control.client import NotRunning
from daemon.control.commands import MetricsCommand
from daemon.errors import CommandError
from daemon.web import prometheus
from daemon.web.dependencies import Web
from daemon.web.routes import Responses, problems

router = APIRouter(tags=["state"], responses=problems())

TEXT: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/metrics", response_class=Response, responses=TEXT, summary="Metrics for Prometheus")
async def metrics(request: Request, web: Web) -> Response:
    """`watchword_up` is 0 while the daemon does not answer; the web server's own metrics are always there."""
    try:
        figures = await web.ask(MetricsCommand())
    except CommandError as error:
        # A daemon that is away is a value (`watchword_up` 0); any other error is an error.
        if not isinstance(error, NotRunning) and error.code != "unavailable":
            raise
        figures = None
    open_streams = request.app.state.open_streams
    own = {"listeners": open_streams["listeners"], "viewers": open_streams["viewers"]}
    text = prometheus.exposition(figures, own, request.state.guard.counts)
    return Response(text, media_type=prometheus.CONTENT_TYPE)
