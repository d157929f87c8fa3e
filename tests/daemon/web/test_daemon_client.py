"""The web interface's way to the daemon: nobody waits behind slow questions, and no bad moment lasts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon.control.commands import ConfigCommand, HushCommand, JournalCommand, StatusCommand, TryCommand
from daemon.errors import CommandError, ConfigError
from daemon.mqtt.listener import DaemonListener
from daemon.web.daemon_client import DaemonClient
from daemon.web.streams.feed import Feed
from tests.daemon.web.pretending import Pretender
from tests.daemon.web.serving import until

PATIENCE_S = 20.0


def test_hush_waits_behind_nothing(folder: Path, pretender: Pretender) -> None:
    going_on = threading.Event()

    def slowly(_pretender: Pretender, _command: object) -> Mapping[str, Any]:
        assert going_on.wait(PATIENCE_S)
        return {}

    pretender.say |= {"config": slowly, "try": slowly, "journal": slowly}

    async def ask() -> None:
        link = DaemonClient(lambda: [folder / "watchword.sock"])
        questions = (ConfigCommand(), TryCommand(thresholds={"fire": 0.5}), JournalCommand())
        slow = [asyncio.create_task(link.ask(q, 30.0)) for q in questions * 3]
        slow += [asyncio.create_task(link.ask(JournalCommand())) for _ in range(6)]
        await until(lambda: len(pretender.asked) >= 6)
        await link.ask(HushCommand(), 2.0)
        going_on.set()
        await asyncio.gather(*slow)
        await link.close()

    asyncio.run(ask())


def test_settings_that_are_wrong_for_a_while_deafen_nobody_for_good(
    folder: Path, pretender: Pretender
) -> None:
    tries: list[None] = []

    def sockets() -> Iterable[Path]:
        tries.append(None)
        if len(tries) < 3:
            raise ConfigError("config.toml:3: speach: no such setting")
        return [folder / "watchword.sock"]

    async def hear() -> None:
        link = DaemonClient(sockets)
        with pytest.raises(CommandError, match="no such setting"):
            await link.ask(StatusCommand())
        feed = Feed(link)
        running = asyncio.create_task(feed.run())
        await until(lambda: feed.is_up)
        running.cancel()

    asyncio.run(hear())


def test_settings_that_are_wrong_keep_nobody_from_a_daemon_that_is_there(
    folder: Path, pretender: Pretender
) -> None:
    def sockets() -> Iterator[Path]:
        yield folder / "nobody.sock"
        yield folder / "watchword.sock"
        raise ConfigError("config.toml:3: speach: no such setting")

    async def ask() -> None:
        link = DaemonClient(sockets)
        await link.ask(HushCommand())
        async with link.events():
            pass
        await link.close()

    asyncio.run(ask())
    listener = DaemonListener(sockets)
    listener.ask(HushCommand())
    with pytest.raises(CommandError, match="no such setting"):
        DaemonListener(lambda: (each for each in sockets() if each.name == "nobody.sock")).ask(HushCommand())


def test_a_path_no_socket_can_have_is_a_plain_refusal(tmp_path: Path) -> None:
    async def ask() -> None:
        with pytest.raises(CommandError, match="cannot connect to the daemon"):
            await DaemonClient(lambda: [tmp_path / ("long" * 60)]).ask(StatusCommand())

    asyncio.run(ask())
