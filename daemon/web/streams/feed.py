"""The daemon's events for any number of listeners, from one subscription.

Listeners share one ring buffer, and each keeps only its position, so none waits for another. A listener that
falls behind by more than the buffer, or resumes with an id that is gone, gets a `reset` event.
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

BUFFER_SIZE = 1000
"""Events kept for listeners that resume."""
HEARTBEAT_S = 15.0
SILENCE_S = 5.0
"""Seconds without an event after which the daemon is asked for its status."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One server-sent event. `name` is empty for the daemon's own events."""

    number: int
    data: str
    name: str
    id: str


class EventBuffer:
    """The last events, numbered from 1 within a run of the web server. Pure.

    An id is `RUN.CONNECTION-NUMBER`: the web server's run and the number of its connection to the daemon,
    since the daemon's own ids begin again at each of its starts.
    """

    def __init__(self, run: str, kept: int = BUFFER_SIZE) -> None:
        self.run = run
        self._items: deque[StreamItem] = deque(maxlen=kept)
        self.last = 0
        self._connections = 0

    def on_daemon_connected(self) -> None:
        self._connections += 1

    def append(self, data: str, name: str = "") -> None:
        self.last += 1
        self._items.append(StreamItem(self.last, data, name, self.id))

    def after(self, number: int) -> tuple[StreamItem, ...] | None:
        """All newer items. Returns None if some of them are gone."""
        missing = self.last - number
        if missing < 0 or missing > len(self._items):
            return None
        return tuple(self._items)[len(self._items) - missing :]

    @property
    def id(self) -> str:
        """The id of the newest item."""
        return f"{self.run}.{self._connections}-{self.last}"

    def parse_id(self, id: str) -> int | None:
        """The number in an id. Returns None if it is not of this run."""
        run, _, number = id.partition("-")
        known = run.partition(".")[0] == self.run and len(number) < 16
        return int(number) if known and number.isascii() and number.isdigit() else None


class Feed:
    """Distributes the daemon's events. `run` is a task that follows the daemon across its restarts."""

    def __init__(
        self,
        daemon: DaemonClient,
        run: str | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._daemon = daemon
        self._silence_s = silence_s
        self._heartbeat_s = heartbeat_s
        self.buffer = EventBuffer(run or secrets.token_hex(4))
        self._changed = asyncio.Condition()
        self._closed = False
        self.is_up = False
        """True while the daemon answers."""

    async def run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with self._daemon.events() as lines:
                    # A connection was made: the next wait is short again.
                    wait_s = FIRST_WAIT_S
                    self.buffer.on_daemon_connected()
                    await self._set_up(True, "")
                    await self._follow(lines)
                reason = "the daemon has stopped"
            except CommandError as error:
                reason = str(error)
            await self._set_up(False, reason)
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    async def _follow(self, lines: AsyncIterator[str]) -> None:
        """Publish each line until the last. Raises CommandError if the daemon hangs with its socket open."""
        # Kept over a timeout: cancelling it could lose half a line.
        next_line = asyncio.ensure_future(anext(lines, None))
        try:
            while True:
                # Silence is normal; only without an answer to `status` the daemon counts as hung.
                done, _ = await asyncio.wait({next_line}, timeout=self._silence_s)
                if not done:
                    await self._check_alive(next_line)
                    continue
                if (line := next_line.result()) is None:
                    return
                await self._publish(line)
                next_line = asyncio.ensure_future(anext(lines, None))
        finally:
            next_line.cancel()

    async def _check_alive(self, next_line: asyncio.Future[str | None]) -> None:
        """Ask for the status while waiting for the next line. Raises CommandError if there is no answer."""
        asking = asyncio.ensure_future(self._daemon.ask(StatusCommand()))
        # asyncio warns of an exception that is never fetched; this one may be of no interest any more.
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait((next_line, asking), return_when=asyncio.FIRST_COMPLETED)
            if not next_line.done():
                asking.result()
        finally:
            asking.cancel()

    async def close(self) -> None:
        """End all streams."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def stream(self, last_id: str | None) -> AsyncIterator[str]:
        """Server-sent events after `last_id`, or from now on without one."""
        # The browser's own wait before it connects again, in milliseconds.
        yield "retry: 2000\n\n"
        position = self.buffer.parse_id(last_id) if last_id else self.buffer.last
        # A listener that resumes knows the state from the events that it gets.
        if not last_id:
            yield _format_event(self.buffer.id, _state_data(self.is_up), "daemon")
        while not self._closed:
            items = self.buffer.after(position) if position is not None else None
            # The listener must read the state anew: which events it missed is not known.
            if items is None:
                position = self.buffer.last
                yield _format_event(self.buffer.id, '{"reason":"some events are gone"}', "reset")
                yield _format_event(self.buffer.id, _state_data(self.is_up), "daemon")
            elif items:
                position = items[-1].number
                yield "".join(_format_event(each.id, each.data, each.name) for each in items)
            elif not await self._wait_newer(position):
                # A comment line: keeps proxies and the browser from closing a quiet connection.
                yield ": still here\n\n"

    async def _wait_newer(self, position: int | None) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat_s), self._changed:
                await self._changed.wait_for(lambda: self._closed or self.buffer.last != position)
                return True
        return False

    async def _set_up(self, up: bool, reason: str) -> None:
        # The first state is published even if it is "down": listeners need one.
        if up == self.is_up and self.buffer.last:
            return
        self.is_up = up
        log.info("the daemon answers" if up else "the daemon does not answer: %s", *([] if up else [reason]))
        await self._publish(_state_data(up), "daemon")

    async def _publish(self, data: str, name: str = "") -> None:
        async with self._changed:
            self.buffer.append(data, name)
            self._changed.notify_all()


def _state_data(up: bool) -> str:
    return json.dumps({"state": "up" if up else "down"})


def _format_event(id: str, data: str, name: str) -> str:
    """One server-sent event; `data` is one line."""
    return f"id: {id}\n{f'event: {name}' + chr(10) if name else ''}data: {data}\n\n"
