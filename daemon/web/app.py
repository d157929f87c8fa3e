"""The application: routes, errors and guards, put together."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from daemon.config.sections import WebSettings
from daemon.errors import CommandError
from daemon.web import problems
from daemon.web.daemon_client import DaemonClient
from daemon.web.dependencies import Dependencies
from daemon.web.images.fetch import Fetcher
from daemon.web.images.shrinker import Shrinker
from daemon.web.problems import Problem
from daemon.web.routes import camera, commands, journal, login, metrics, process, settings, status
from daemon.web.server.guard import Guard
from daemon.web.static_files import add_page
from daemon.web.streams.feed import Feed
from daemon.web.streams.live_view import LiveView

log = logging.getLogger(__name__)

Beside = Callable[[], Mapping[str, Any]]
"""What else `/status` tells: home automation's state."""


_ROUTERS = tuple(
    module.router for module in (status, camera, process, commands, settings, journal, metrics, login)
)


def create_app(
    settings: WebSettings, link: DaemonClient, *, token: str | None = None, beside: Beside = dict
) -> FastAPI:
    """The web interface, for whatever server; its tasks run as long as the server does.

    `token`: what callers over the network have to show.
    """
    parts = Dependencies(
        settings,
        link,
        Feed(link),
        LiveView(link, settings.live_side, settings.live_fps),
        Shrinker(settings.largest_picture_mpx * 1e6),
        Fetcher(settings),
        beside,
    )
    app = FastAPI(
        title="Watchword",
        version=version("watchword"),
        description="The owner's web: what the camera sees, what was said, and how it is set.",
        docs_url=None,  # their pages would be fetched from the internet
        redoc_url=None,
        lifespan=_life,
    )
    app.state.parts = parts
    app.state.places = Counter[str]()
    for router in _ROUTERS:
        app.include_router(router)
    page = add_page(app)
    _tell_errors(app)
    app.add_middleware(Guard, settings=settings, token=token, page=page)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    parts: Dependencies = app.state.parts
    parts.start()
    try:
        yield
    finally:
        await parts.close()


def _tell_errors(app: FastAPI) -> None:
    @app.exception_handler(CommandError)
    async def command(_: Request, error: CommandError) -> JSONResponse:
        return problems.answer(problems.of_command(error))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return problems.answer(problems.of_http(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problems.answer(problems.of_mistakes(error.errors()))

    @app.exception_handler(ValidationError)
    async def unspeakable(_: Request, error: ValidationError) -> JSONResponse:
        """No command can be made of what was asked; the daemon's answers are checked by `shaped`."""
        return problems.answer(problems.of_mistakes(error.errors(include_url=False, include_input=False)))

    @app.exception_handler(Exception)
    async def bug(_: Request, __: Exception) -> JSONResponse:
        return problems.answer(Problem(500, "a bug of the web interface; its log says where", "failed"))
