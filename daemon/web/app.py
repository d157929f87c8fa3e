"""The application: its routes, error handlers and middleware."""

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

ExtraStatus = Callable[[], Mapping[str, Any]]
"""Returns fields to add to `/status`, such as home automation's state."""


_ROUTERS = tuple(
    module.router for module in (status, camera, process, commands, settings, journal, metrics, login)
)


def create_app(
    settings: WebSettings, daemon: DaemonClient, *, token: str | None = None, extra_status: ExtraStatus = dict
) -> FastAPI:
    """Build the application. Its tasks run from the server's start to its end.

    `token`: required from clients over the network, unless None.
    """
    dependencies = Dependencies(
        settings,
        daemon,
        Feed(daemon),
        LiveView(daemon, settings.live_side, settings.live_fps),
        Shrinker(settings.largest_picture_mpx * 1e6),
        Fetcher(settings),
        extra_status,
    )
    app = FastAPI(
        title="Watchword",
        version=version("watchword"),
        description="The camera's picture, what was said, and the settings.",
        docs_url=None,  # those pages load scripts from the internet
        redoc_url=None,
        lifespan=_lifespan,
    )
    # On the application and not in a global: tests run several of them.
    app.state.dependencies = dependencies
    app.state.open_streams = Counter[str]()
    for router in _ROUTERS:
        app.include_router(router)
    # After the routers: a file of the page can never take the place of a route.
    page = add_page(app)
    _add_error_handlers(app)
    # The outermost layer: a request is refused before anything of it is parsed.
    app.add_middleware(Guard, settings=settings, token=token, page=page)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    dependencies: Dependencies = app.state.dependencies
    dependencies.start()
    try:
        yield
    finally:
        await dependencies.close()


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(CommandError)
    async def command(_: Request, error: CommandError) -> JSONResponse:
        return problems.to_response(problems.from_command_error(error))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return problems.to_response(problems.from_http_exception(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problems.to_response(problems.from_validation_errors(error.errors()))

    @app.exception_handler(ValidationError)
    async def invalid_command(_: Request, error: ValidationError) -> JSONResponse:
        """The request makes no valid command. The daemon's replies are checked by `validate_reply`."""
        return problems.to_response(
            problems.from_validation_errors(error.errors(include_url=False, include_input=False))
        )

    # Without details: they belong in the log, not to the client.
    @app.exception_handler(Exception)
    async def bug(_: Request, __: Exception) -> JSONResponse:
        return problems.to_response(Problem(500, "a bug of the web interface; its log says where", "failed"))
