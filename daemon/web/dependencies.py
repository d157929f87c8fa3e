"""What the routes share: one set for each application, found by them through the request."""

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
    """Made by `create_app`, started and ended with the server."""

    settings: WebSettings
    link: DaemonClient
    feed: Feed
    film: LiveView
    shrinker: Shrinker
    fetcher: Fetcher
    beside: Callable[[], Mapping[str, Any]]
    """What else `/status` tells."""
    one: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a picture is being processed."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        self.tasks.extend(asyncio.create_task(part.run()) for part in (self.feed, self.film))

    async def let_go(self) -> None:
        """End the streams, so that the server can end."""
        await self.feed.close()
        await self.film.close()

    async def close(self) -> None:
        await self.let_go()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)  # whoever watches them has told
        await self.shrinker.close()
        await self.link.close()

    async def ask(self, command: Command, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """Raises CommandError."""
        return await self.link.ask(command, timeout_s)


def dependencies(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.parts
    return found


Web = Annotated[Dependencies, Depends(dependencies)]


def shaped(model: type[Model], reply: Mapping[str, Any]) -> Model:
    """The daemon's reply as it is documented. Raises Problem where it is another's."""
    try:
        return model.model_validate(reply)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Problem(
            502, f"the daemon answered in another way than this web interface knows ({where}); restart both"
        ) from None
