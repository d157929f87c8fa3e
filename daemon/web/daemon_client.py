"""An asyncio client of the daemon's control socket with a pool of connections.

Commands are divided into lanes with connections of their own, so that a slow command never delays an urgent
one such as `hush`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from daemon.control.client import NotRunning
from daemon.control.commands import COMMANDS, Command, EventsCommand
from daemon.control.protocol import (
    LONGEST_REPLY,
    Request,
    decode_reply,
    encode_request,
)
from daemon.errors import CommandError, ConfigError

TIMEOUT_S = 5.0
IDLE_S = 30.0
"""Seconds after which an idle connection is not reused; the daemon closes it after a minute."""

Lane = Literal["urgent", "short", "long", "live", "process"]
_LANE_SIZES: dict[Lane, int] = {"urgent": 2, "short": 4, "long": 2, "live": 1, "process": 1}
"""Connections by lane. With one for events and two for home automation, fewer than the daemon's sixteen."""
_URGENT = frozenset(name for name, kind in COMMANDS.items() if kind.http is not None)
"""The wearer's commands: they must not wait behind slow queries."""

Sockets = Callable[[], Iterable[Path]]
"""Paths at which a daemon may listen, the likeliest first."""


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at_s: float

    def is_usable(self, now: float) -> bool:
        return not self.reader.at_eof() and not self.writer.is_closing() and now - self.used_at_s < IDLE_S

    def close(self) -> None:
        self.writer.close()


class DaemonClient:
    """For one event loop. Raises CommandError with the daemon's message, or NotRunning."""

    def __init__(self, sockets: Sockets, clock: Callable[[], float] = time.monotonic) -> None:
        self._sockets = sockets
        self._clock = clock
        self._ids = itertools.count(1)
        self._free: list[_Connection] = []
        # Semaphores: a lane that is in use makes later commands of it wait, and no others.
        self._lanes = {lane: asyncio.Semaphore(room) for lane, room in _LANE_SIZES.items()}

    async def ask(
        self, command: Command, timeout_s: float = TIMEOUT_S, lane: Lane | None = None
    ) -> dict[str, Any]:
        """Send a command and return its result. `timeout_s` includes the wait for a free connection."""
        id, lane = next(self._ids), lane or _lane(command, timeout_s)
        try:
            request = encode_request(Request(id, command))
        except (ValueError, RecursionError) as error:
            raise CommandError("nested too deeply, or contains invalid characters", "invalid") from error
        try:
            # One timeout for the turn and the answer: the client waits for both.
            async with asyncio.timeout(timeout_s), self._lanes[lane]:
                line = await self._exchange(request)
        except TimeoutError:
            # Deep nesting and lone surrogates pass JSON's parser and fail only when they are written.
            raise CommandError(
                f"the daemon did not answer within {timeout_s:g} s; its log says more", "unavailable"
            ) from None
        return decode_reply(line, id)

    async def _exchange(self, request: bytes) -> bytes:
        connection = await self._connection()
        try:
            connection.writer.write(request)
            await connection.writer.drain()
            line = await connection.reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            connection.close()
            raise _connection_lost() from error
        except (OSError, asyncio.LimitOverrunError) as error:
            connection.close()
            raise _connection_lost() from error
        except asyncio.CancelledError:
            # Its reply is still to come, and would be taken for the next command's.
            connection.close()
            raise
        connection.used_at_s = self._clock()
        self._free.append(connection)
        return line

    async def _connection(self) -> _Connection:
        # Last in, first out: the most recent connection is the least likely to be closed by the daemon.
        while self._free:
            connection = self._free.pop()
            if connection.is_usable(self._clock()):
                return connection
            connection.close()
        return await self._open_any()

    async def _open_any(self) -> _Connection:
        tried: set[Path] = set()
        try:
            # Lazily: the last path comes from the settings, which may be invalid.
            for path in self._sockets():
                # Several rules can lead to one path.
                if path not in tried and (found := await self._open(path)):
                    return found
                tried.add(path)
        except (ConfigError, OSError) as error:
            raise CommandError(f"the daemon's socket cannot be determined: {error}", "unavailable") from error
        raise NotRunning("no daemon is running")

    async def _open(self, path: Path) -> _Connection | None:
        """Returns None if no daemon listens there. Raises CommandError."""
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_REPLY)
        # A socket file without a listener is left by a daemon that was killed.
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return None
        except PermissionError:
            raise CommandError(
                "the web interface may not use the daemon's socket; put its user into control.group",
                "unavailable",
            ) from None
        except OSError as error:
            raise CommandError(f"cannot connect to the daemon: {error}", "unavailable") from error
        return _Connection(reader, writer, self._clock())

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[str]]:
        """Subscribe: yields each event from now on as a line of JSON, until the daemon ends."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                connection = await self._open_any()
        except TimeoutError as error:
            raise _connection_lost() from error
        try:
            async with asyncio.timeout(TIMEOUT_S):
                id = next(self._ids)
                connection.writer.write(encode_request(Request(id, EventsCommand())))
                decode_reply(await connection.reader.readuntil(b"\n"), id)
            yield _lines(connection.reader)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise _connection_lost() from error
        finally:
            connection.close()

    async def close(self) -> None:
        """Close the idle connections."""
        while self._free:
            self._free.pop().close()


def _lane(command: Command, timeout_s: float) -> Lane:
    if command.do in _URGENT:
        return "urgent"
    return "long" if timeout_s > TIMEOUT_S else "short"


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    # The end of the stream, however it comes, is the end of the daemon's run.
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while True:
            yield (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\n")


def _connection_lost() -> CommandError:
    return CommandError(
        "the daemon closed the connection before it answered; its log says why", "unavailable"
    )
