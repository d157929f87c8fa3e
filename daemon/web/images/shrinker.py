"""Decodes and scales pictures in a process of its own; see `shrink_worker`."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from daemon.process.systemd import without_notify
from daemon.web.images.pictures import measure
from daemon.web.images.shrink_worker import ANSWER, HEAD, LARGEST_JPEG
from daemon.web.problems import RETRY_S, Problem

TIME_S = 20.0
"""Seconds for one picture, the start of the process included."""
COSTLY_S = 10.0
"""Processor seconds from which a picture counts as too costly; with less, the machine was busy."""
BUSY = "the machine is too busy to decode the picture; try again in a moment"
QUEUE_SIZE = 4
"""Pictures that may wait."""


class Shrinker:
    """One picture at a time. The process starts with the first picture, and again after one that broke it."""

    def __init__(self, most_pixels: float, time_s: float = TIME_S) -> None:
        self._most_pixels = most_pixels
        self._time_s = time_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._child: asyncio.subprocess.Process | None = None

    async def shrink(self, data: bytes) -> bytes:
        """Returns a small upright JPEG. Raises Problem."""
        # Before the queue: a picture that is refused must not wait.
        measure(data, self._most_pixels)
        # Bounded, since each waiting picture holds its bytes.
        if self._waiting >= QUEUE_SIZE:
            raise Problem(503, "too many pictures are waiting", "busy", retry_s=RETRY_S)
        self._waiting += 1
        try:
            async with self._turn:
                good, content = await self._shrink_within(data)
        finally:
            self._waiting -= 1
        if not good:
            raise Problem(422, "image: it cannot be decoded")
        return content

    async def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _shrink_within(self, data: bytes) -> tuple[bool, bytes]:
        try:
            async with asyncio.timeout(self._time_s):
                return await self._exchange(data)
        except TimeoutError:
            # Before the process is killed, which takes its figures with it.
            used_s = _processor_s(self._child.pid) if self._child is not None else 0.0
            await self.close()
            # Waiting for the processor is no fault of the picture: the client may try again.
            if used_s < COSTLY_S:
                raise Problem(503, BUSY, "busy", retry_s=RETRY_S) from None
            return False, b""
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            return False, b""
        except BaseException:  # part of an answer is still in the pipe
            await self.close()
            raise

    async def _exchange(self, data: bytes) -> tuple[bool, bytes]:
        child = await self._running()
        assert child.stdin and child.stdout
        child.stdin.write(HEAD.pack(len(data)))
        child.stdin.write(data)
        await child.stdin.drain()
        good, length = ANSWER.unpack(await child.stdout.readexactly(ANSWER.size))
        # The worker has decoded untrusted data: its answer is not trusted either.
        if length > LARGEST_JPEG:
            raise OSError("too long an answer")
        return bool(good), await child.stdout.readexactly(length)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "daemon.web.images.shrink_worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=without_notify(os.environ),
            )
        return self._child


def _processor_s(pid: int) -> float:
    """Processor seconds that a process has used; 0 if it is gone."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0
