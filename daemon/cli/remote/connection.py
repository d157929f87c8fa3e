"""Finds the running daemon and its journal, for the commands that talk to it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.cli.korean import NOT_RUNNING, language, text
from daemon.control.client import ControlClient, NotRunning, connect_any
from daemon.control.commands import Command
from daemon.control.paths import client_sockets, state_socket

if TYPE_CHECKING:
    from daemon.config.settings import Loaded, Settings
    from daemon.journal.paging import EditableJournal

Load = Callable[[], "Loaded"]

INSTANCE = "WATCHWORD_CONTROL__INSTANCE"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the option `--instance`, which all of these commands take."""
    parser.add_argument("--instance", metavar="NAME", help="which daemon, where several run")


def connect(args: argparse.Namespace, load: Load) -> ControlClient:
    """Connect to the running daemon. Raises NotRunning, CommandError, ConfigError."""
    try:
        return connect_any(sockets(args.instance, load))
    except NotRunning as error:
        if language(load) != "ko":
            raise
        raise NotRunning(text(NOT_RUNNING, "ko", detail=error)) from error


def send(args: argparse.Namespace, load: Load, command: Command) -> dict[str, Any]:
    """Send a command to the running daemon; returns its result. Raises CommandError, ConfigError."""
    with connect(args, load) as client:
        return client.ask(command)


def sockets(instance: str | None, load: Load) -> Iterator[Path]:
    """Yield the sockets at which the daemon may listen, the likeliest first.

    The settings come last: a mistake in them must not prevent `hush` and `mute`.
    """
    # Without reading the settings, which also takes a tenth of a second.
    yield from client_sockets(os.environ, instance or os.environ.get(INSTANCE, ""))
    settings = load().settings
    name = instance or settings.control.instance
    yield from client_sockets(os.environ, name)
    yield state_socket(settings.paths.state, name)


def _hazard_names(settings: Settings) -> list[str]:
    # Only `journal mark` needs them, and importing the pipeline takes a second.
    from pipeline.detection.scorer import load_hazards

    return [hazard.name for hazard in load_hazards(settings.hazards, settings.paths.state)]


@contextmanager
def open_journal(args: argparse.Namespace, load: Load) -> Iterator[EditableJournal]:
    """The running daemon's journal, or its files if none runs or with `--offline`.

    Raises CommandError, ConfigError.
    """
    # SQLite and the settings are not needed to end what is being said.
    from daemon.journal.paths import JournalPaths
    from daemon.journal.sources import DaemonJournal, OfflineJournal

    client = None
    if not args.offline:
        # No daemon writes these files now, so they can be read directly.
        with suppress(NotRunning):
            client = connect(args, load)
    if client is None:
        settings = load().settings
        yield OfflineJournal(JournalPaths.in_state(settings.paths.state), lambda: _hazard_names(settings))
        return
    with client:
        yield DaemonJournal(client)
