"""The live picture for any number of viewers, from one request at a time to the daemon."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from daemon.control.commands import PictureCommand
from daemon.errors import CommandError
from daemon.web.daemon_client import DaemonClient

WAIT_S = 5.0
"""Seconds the daemon waits for a newer picture."""
RETRY_S = 1.0
AWAY_S = 20.0
"""Seconds without a picture after which streams end: a browser shows a broken stream better than a still."""
BOUNDARY = "watchword"
MEDIA_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"


class LiveView:
    """Fetches pictures only while there are viewers. A slow viewer skips pictures and gets the newest."""

    def __init__(
        self, daemon: DaemonClient, side: int, fps: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._daemon = daemon
        self._side = side
        self._pause_s = 1.0 / fps
        self._clock = clock
        self._changed = asyncio.Condition()
        self._jpeg = b""
        self._number = 0
        self._seq: int | None = None
        self._viewers = 0
        self._closed = False

    async def run(self) -> None:
        """A task, until it is cancelled."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._viewers > 0)
            # Before fetching: the time that it takes belongs to the pause.
            next_s = self._clock() + self._pause_s
            try:
                await self._fetch()
            except CommandError:
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(max(0.0, next_s - self._clock()))

    async def _fetch(self) -> None:
        command = PictureCommand(side=self._side, after=self._seq, wait_s=WAIT_S)
        # Twice the daemon's own wait: its answer "unchanged" comes before our timeout.
        reply = await self._daemon.ask(command, 2 * WAIT_S, "live")
        # No newer picture came within WAIT_S.
        if "jpeg" not in reply:
            return
        jpeg = base64.b64decode(reply["jpeg"])
        async with self._changed:
            self._seq, self._jpeg = reply["seq"], jpeg
            self._number += 1
            self._changed.notify_all()

    async def close(self) -> None:
        """End all streams."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def stream(self) -> AsyncIterator[bytes]:
        """Parts of a multipart response, each a JPEG."""
        async with self._changed:
            self._viewers += 1
            if self._viewers == 1:
                self._seq = None  # the picture from earlier viewers is old
            self._changed.notify_all()
        try:
            # Not the picture that is there: with no viewers before, it is old.
            last = self._number
            while await self._wait_newer(last):
                last, jpeg = self._number, self._jpeg
                yield _format_part(jpeg)
        finally:
            self._viewers -= 1

    async def _wait_newer(self, last: int) -> bool:
        with suppress(TimeoutError):
            # A timeout, since a stream without pictures would stay open for ever.
            async with asyncio.timeout(AWAY_S), self._changed:
                await self._changed.wait_for(lambda: self._closed or self._number != last)
                return not self._closed
        return False


def _format_part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
