"""The daemon's events for any number of listeners, from one subscription.

Listeners share one ring and each keeps only its place in it: nobody waits for anybody, and whoever falls
behind by more than the ring, or comes back with an id that it no longer holds, is told to look anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from daemon.control.commands import StatusCommand
from daemon.errors import CommandError
from daemon.web.daemon_client import DaemonClient

log = logging.getLogger(__name__)

KEPT = 1000
"""Events that can be had again."""
HEARTBEAT_S = 15.0
SILENT_S = 5.0
"""After so long without an event the daemon is asked whether it still answers."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0


@dataclass(frozen=True, slots=True)
class StreamItem:
    """What a listener gets. `name` is empty for the daemon's own events."""

    number: int
    data: str
    name: str
    id: str


class EventBuffer:
    """The last events, numbered from 1 on within a run of the web interface. Pure.

    An id is `WEB.DAEMON-NUMBER`: which run of the web interface, and which of the daemons it has heard,
    since the daemon's own ids begin anew with each.
    """

    def __init__(self, run: str, kept: int = KEPT) -> None:
        self.run = run
        self._told: deque[StreamItem] = deque(maxlen=kept)
        self.last = 0
        self._daemon = 0

    def another_daemon(self) -> None:
        self._daemon += 1

    def put(self, data: str, name: str = "") -> None:
        self.last += 1
        self._told.append(StreamItem(self.last, data, name, self.id))

    def after(self, number: int) -> tuple[StreamItem, ...] | None:
        """Everything newer; None where some of it is no longer there."""
        missing = self.last - number
        if missing < 0 or missing > len(self._told):
            return None
        return tuple(self._told)[len(self._told) - missing :]

    @property
    def id(self) -> str:
        """The newest one's."""
        return f"{self.run}.{self._daemon}-{self.last}"

    def number(self, id: str) -> int | None:
        """The number in an id of this run."""
        run, _, number = id.partition("-")
        known = run.partition(".")[0] == self.run and len(number) < 16
        return int(number) if known and number.isascii() and number.isdigit() else None


class Feed:
    """`run` is a task: it listens to the daemon, over its restarts, until it is cancelled."""

    def __init__(
        self,
        link: DaemonClient,
        run: str | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._link = link
        self._silent_s = silent_s
        self._heartbeat_s = heartbeat_s
        self.ring = EventBuffer(run or secrets.token_hex(4))
        self._changed = asyncio.Condition()
        self._closed = False
        self.up = False
        """Whether the daemon is heard."""

    async def run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with self._link.events() as lines:
                    wait_s = FIRST_WAIT_S
                    self.ring.another_daemon()
                    await self._state(True, "")
                    await self._follow(lines)
                reason = "the daemon has stopped"
            except CommandError as error:
                reason = str(error)
            await self._state(False, reason)
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    async def _follow(self, lines: AsyncIterator[str]) -> None:
        """Tell every line to the last. Raises CommandError where the daemon hangs: its socket stays open."""
        coming = asyncio.ensure_future(anext(lines, None))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=self._silent_s)
                if not done:
                    await self._ask_beside(coming)
                    continue
                if (line := coming.result()) is None:
                    return
                await self._tell(line)
                coming = asyncio.ensure_future(anext(lines, None))
        finally:
            coming.cancel()

    async def _ask_beside(self, coming: asyncio.Future[str | None]) -> None:
        """Does it still answer? No event waits for that. Raises CommandError."""
        asking = asyncio.ensure_future(self._link.ask(StatusCommand()))
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may be all the same
        try:
            await asyncio.wait((coming, asking), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                asking.result()
        finally:
            asking.cancel()

    async def close(self) -> None:
        """Send every listener home."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def stream(self, last_id: str | None) -> AsyncIterator[str]:
        """Server-sent events, from after `last_id` on, else from now on."""
        yield "retry: 2000\n\n"
        place = self.ring.number(last_id) if last_id else self.ring.last
        if not last_id:
            yield _sent(self.ring.id, _state(self.up), "daemon")
        while not self._closed:
            told = self.ring.after(place) if place is not None else None
            if told is None:
                place = self.ring.last
                yield _sent(self.ring.id, '{"reason":"some events are no longer here"}', "reset")
                yield _sent(self.ring.id, _state(self.up), "daemon")
            elif told:
                place = told[-1].number
                yield "".join(_sent(each.id, each.data, each.name) for each in told)
            elif not await self._newer(place):
                yield ": still here\n\n"

    async def _newer(self, place: int | None) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat_s), self._changed:
                await self._changed.wait_for(lambda: self._closed or self.ring.last != place)
                return True
        return False

    async def _state(self, up: bool, reason: str) -> None:
        if up == self.up and self.ring.last:
            return
        self.up = up
        log.info("the daemon is heard" if up else "the daemon is not heard: %s", *([] if up else [reason]))
        await self._tell(_state(up), "daemon")

    async def _tell(self, data: str, name: str = "") -> None:
        async with self._changed:
            self.ring.put(data, name)
            self._changed.notify_all()


def _state(up: bool) -> str:
    return json.dumps({"state": "up" if up else "down"})


def _sent(id: str, data: str, name: str) -> str:
    """One server-sent event; `data` is one line."""
    return f"id: {id}\n{f'event: {name}' + chr(10) if name else ''}data: {data}\n\n"
