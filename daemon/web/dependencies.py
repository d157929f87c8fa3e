"""Objects shared by the routes: one set for each application, injected by FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from daemon.config.sections import WebSettings
from daemon.control.commands import Command
from daemon.web.daemon_client import TIMEOUT_S, DaemonClient
from daemon.web.images.fetch import Fetcher
from daemon.web.images.shrinker import Shrinker
from daemon.web.problems import Problem
from daemon.web.streams.feed import Feed
from daemon.web.streams.live_view import LiveView

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Dependencies:
    """Built by `create_app`; started and closed with the server."""

    settings: WebSettings
    daemon: DaemonClient
    feed: Feed
    live_view: LiveView
    shrinker: Shrinker
    fetcher: Fetcher
    extra_status: Callable[[], Mapping[str, Any]]
    """Fields added to `/status`."""
    processing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while `/process` works on a picture."""
    exporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while an export of the journal is made."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        self.tasks.extend(asyncio.create_task(part.run()) for part in (self.feed, self.live_view))

    async def close_streams(self) -> None:
        """End the streams, which would otherwise keep the server from stopping."""
        # Before the tasks are cancelled: the listeners get a proper end of their stream.
        await self.feed.close()
        await self.live_view.close()

    async def close(self) -> None:
        await self.close_streams()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)  # reported by their watcher already
        await self.shrinker.close()
        await self.daemon.close()

    async def ask(self, command: Command, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """Send a command to the daemon. Raises CommandError."""
        return await self.daemon.ask(command, timeout_s)


def dependencies(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.dependencies
    return found


Web = Annotated[Dependencies, Depends(dependencies)]


def validate_reply(model: type[Model], reply: Mapping[str, Any]) -> Model:
    """The daemon's reply in its documented form. Raises Problem if it does not fit: another version."""
    try:
        return model.model_validate(reply)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Problem(
            502,
            f"the daemon's answer does not fit this version ({where}); restart daemon and web interface",
        ) from None
