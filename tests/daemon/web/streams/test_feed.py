"""The event feed: a daemon that hangs is noticed, and no event waits for its status."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daemon.web.daemon_client import DaemonClient
from daemon.web.streams.feed import Feed
from tests.daemon.web.pretending import Pretender
from tests.daemon.web.serving import until

PATIENCE_S = 20.0


def test_a_daemon_that_hangs_is_told_although_its_socket_is_open(folder: Path, pretender: Pretender) -> None:
    going_on = threading.Event()

    def hangs(_pretender: Pretender, _command: object) -> Mapping[str, Any]:
        going_on.wait(PATIENCE_S)
        return {}

    async def hear() -> None:
        feed = Feed(DaemonClient(lambda: [folder / "watchword.sock"]), silence_s=0.1)
        running = asyncio.create_task(feed.run())
        await until(lambda: feed.is_up)
        await until(lambda: any(command.do == "status" for command in pretender.asked))
        assert feed.is_up, "it is only silent"
        pretender.say["status"] = hangs
        await until(lambda: not feed.is_up)
        going_on.set()
        running.cancel()

    asyncio.run(hear())


def test_no_event_waits_for_a_daemon_that_thinks_about_its_status(folder: Path, pretender: Pretender) -> None:
    going_on = threading.Event()

    def thinks(_pretender: Pretender, _command: object) -> Mapping[str, Any]:
        going_on.wait(PATIENCE_S)
        return {}

    async def hear() -> None:
        pretender.asked.clear()
        pretender.say["status"] = thinks
        feed = Feed(DaemonClient(lambda: [folder / "watchword.sock"]), silence_s=0.1)
        running = asyncio.create_task(feed.run())
        await until(lambda: any(command.do == "status" for command in pretender.asked))
        last = feed.buffer.last
        pretender.happen(kind="alert")
        async with asyncio.timeout(2.0):
            while feed.buffer.last == last:
                await asyncio.sleep(0.02)
        assert feed.is_up
        going_on.set()
        running.cancel()

    try:
        asyncio.run(hear())
    finally:
        going_on.set()
        pretender.say.clear()
