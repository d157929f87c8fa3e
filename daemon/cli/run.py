"""`watchword run`: the daemon."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from common.memory import limit_arenas
from daemon.process.state_lock import lock_state
from daemon.process.systemd import is_service
from daemon.wiring.head_start import HeadStart

if TYPE_CHECKING:
    from daemon.config.sections import WebSettings
    from daemon.config.settings import Loaded


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--source", dest="capture.source", metavar="S", help="a camera, address, file, or demo"
    )
    parser.add_argument("--once", action="store_true", help="end after one pass of the demo or file")
    parser.add_argument("--events", type=Path, metavar="OUT.jsonl", help="append every event there")
    parser.add_argument(
        "--wav", type=Path, metavar="OUT.wav", help="where speech goes while there is no loudspeaker"
    )


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    """Run the daemon until it is stopped or its file ends. Returns the exit code: 0 in both cases."""
    limit_arenas()
    # Imported objects never become garbage, and searching them takes a twentieth of the time.
    gc.disable()
    with closing(HeadStart()) as head_start, ExitStack() as held:
        head_start.begin_processes()
        loaded = load()
        # Before the model: a second daemon must fail before it loads one.
        if lock := lock_state(loaded.settings.paths.state):
            held.enter_context(lock)
        head_start.begin_model(loaded.settings)
        # Late: the processes and the model are loaded beside it.
        from daemon.runtime.narrator import Narrator
        from daemon.service import Daemon

        # All objects so far stay until the end, so later searches skip them.
        gc.freeze()
        gc.enable()
        # A service does not print its speech: systemd's journal would keep it without our limits of time
        # and size.
        narrates = not is_service(os.environ)
        with Narrator(sys.stdout) if narrates else nullcontext() as narrator:
            daemon = Daemon(
                loaded,
                load,
                time.monotonic,
                os.environ,
                head_start=head_start,
                events=args.events,
                fallback=args.wav,
                once=args.once,
                narrator=narrator,
            )
            if narrator is not None and (page := page_address(daemon.settings.web)):
                narrator.tell(f"page: {page} (served by `watchword web`)")
            return daemon.run()


def page_address(web: WebSettings) -> str | None:
    """The address of the page of `watchword web`; None if it cannot run, or if its port is not fixed."""
    if not (web.address and web.port and find_spec("fastapi") and find_spec("uvicorn")):
        return None
    from daemon.web.server import listeners

    # A browser cannot open a wildcard address.
    everywhere = web.address in ("0.0.0.0", "::")  # noqa: S104 - compared only
    return listeners.page_address(web, "127.0.0.1" if everywhere else web.address)
