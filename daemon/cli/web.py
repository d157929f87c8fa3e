"""`watchword web`: the web page, the HTTP interface and home automation, beside the daemon."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.install_hint import install_hint
from common.ip_addresses import is_local
from common.own_process import lower_priority
from daemon.cli.remote import connection
from daemon.config.sections import WebSettings
from daemon.errors import CommandError
from daemon.process.systemd import Notifier
from daemon.web.server.connections import ConnectionLimiter
from daemon.web.server.listeners import (
    check_certificate,
    listen_tcp,
    listen_unix,
    load_token,
    page_address,
    unix_path,
)

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Server

    from daemon.config.settings import Loaded, Settings
log = logging.getLogger(__name__)

UNPUBLISHED = "watchword.example"
"""The placeholder in pyproject.toml while the project has no public address (RFC 2606). It is never shown."""
# Several pulses fit into WatchdogSec= of watchword-web.service.
PULSE_S = 5.0
LOOK_S = 2.0
"""Seconds between two checks that home automation is alive."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--address", dest="web.address", metavar="A", help="address to listen at")
    parser.add_argument("--port", dest="web.port", metavar="N", type=int, help="port to listen at")
    parser.add_argument("--socket", dest="web.socket", metavar="PATH", help="unix socket to listen at")
    connection.configure(parser)


def execute(args: argparse.Namespace, load: Callable[[], Loaded]) -> int:
    """Serve until stopped. Raises CommandError, ConfigError."""
    settings = load().settings
    # Before threads and children start, which inherit it.
    _step_back()
    # Until the servers have started, which install handlers of their own.
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as open_until_done:
        listeners = _listeners(settings, open_until_done)
        extra_status, lives = open_until_done.enter_context(_home_automation(args, load, settings))
        asyncio.run(_serve(_application(args, load, settings, extra_status), settings.web, listeners, lives))
    return 0


def _step_back() -> None:
    """Lower the priority of this process and its children, so that the daemon comes first."""
    # Not allowed in some containers; serving at normal priority is better than not at all.
    with suppress(OSError):
        lower_priority()


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _application(
    args: argparse.Namespace,
    load: Callable[[], Loaded],
    settings: Settings,
    extra_status: Callable[[], Mapping[str, Any]],
) -> Callable[[], FastAPI]:
    try:
        from daemon.web.app import create_app
        from daemon.web.daemon_client import DaemonClient
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the web interface needs the Python package {error.name}: {install_hint('web')}"
        ) from None
    secret = load_token(settings.web)
    return lambda: create_app(
        settings.web,
        DaemonClient(lambda: connection.sockets(args.instance, load)),
        token=secret,
        extra_status=extra_status,
    )


def _listeners(settings: Settings, stack: ExitStack) -> tuple[socket.socket | None, socket.socket | None]:
    """The TCP listener and the unix listener, each None if not configured. Raises CommandError."""
    web = settings.web
    # Before listening: a missing token or certificate must not leave an open port behind.
    load_token(web)
    check_certificate(web)
    tcp = listen_tcp(web)
    path = unix_path(web, os.environ, settings.paths.state)
    unix = listen_unix(path) if path else None
    if tcp is None and unix is None:
        raise CommandError("web.address and web.socket are both empty: there is nowhere to listen")
    if unix is not None and path is not None:
        # The socket's file would make the next start believe that a server is there.
        stack.callback(path.unlink, missing_ok=True)
    _announce(web, tcp, path)
    return tcp, unix


def _announce(web: WebSettings, tcp: socket.socket | None, path: Path | None) -> None:
    if tcp is not None:
        host, port = tcp.getsockname()[:2]
        scheme = "https" if web.certificate_file else "http"
        log.info("the web interface is at %s://%s:%d/", scheme, f"[{host}]" if ":" in host else host, port)
        if scheme == "http" and not is_local(web.address):
            log.warning("token and pictures cross the network in the clear; see web.certificate_file")
    if path is not None:
        log.info("the web interface is at %s", path)


def public_address(web: WebSettings, host: str) -> str:
    """The page's address for other machines; empty if it is served to this machine only."""
    if not web.address or not web.port or is_local(web.address):
        return ""
    everywhere = web.address in ("0.0.0.0", "::")  # noqa: S104 - compared only
    return page_address(web, web.hosts[0] if web.hosts else host if everywhere else web.address)


def support_address(project_urls: Iterable[str], page: str) -> str:
    """Where people find help: the project's own address, else the page."""
    addresses = dict(url.split(", ", 1) for url in project_urls)
    issues = addresses.get("Issues", "")
    return page if UNPUBLISHED in issues or not issues else issues


@contextmanager
def _home_automation(
    args: argparse.Namespace, load: Callable[[], Loaded], settings: Settings
) -> Iterator[tuple[Callable[[], Mapping[str, Any]], Callable[[], bool]]]:
    """Yield a function for its part of `/status`, and one that says if it is alive."""
    if not settings.mqtt.enabled:
        yield dict, lambda: True
        return
    try:
        from daemon.mqtt.bridge import MqttBridge
        from daemon.mqtt.listener import DaemonListener
    except ModuleNotFoundError as error:
        raise CommandError(
            f"home automation needs the Python package {error.name}: {install_hint('web')}"
        ) from None
    daemon = DaemonListener(lambda: connection.sockets(args.instance, load))
    bridge = MqttBridge(
        settings.mqtt,
        daemon.ask,
        daemon.subscribe,
        host=socket.gethostname(),
        instance=args.instance or settings.control.instance,
        language=settings.speech.language,
        page=(page := public_address(settings.web, socket.gethostname())),
        support=support_address(metadata("watchword").get_all("Project-URL") or (), page),
    )
    bridge.start()
    try:
        yield lambda: {"mqtt": bridge.status()}, lambda: bridge.is_alive and daemon.is_alive
    finally:
        bridge.stop()


async def _serve(
    make: Callable[[], FastAPI],
    web: WebSettings,
    listeners: tuple[socket.socket | None, socket.socket | None],
    bridge_is_alive: Callable[[], bool],
) -> None:
    from daemon.web.server.server import create_server

    app = make()
    tcp, unix = listeners
    files = check_certificate(web) or (None, None)
    wanted: list[tuple[Server, ConnectionLimiter]] = []
    if tcp is not None:
        listener = ConnectionLimiter(tcp)
        # Only one server runs the application's lifespan: it would otherwise start its tasks twice.
        server = create_server(app, listener, lifespan=True, certificate=files[0], key=files[1])
        wanted.append((server, listener))
    if unix is not None:
        listener = ConnectionLimiter(unix)
        wanted.append((create_server(app, listener, lifespan=not wanted), listener))
    await _until_stopped(app, wanted, bridge_is_alive)


async def _until_stopped(
    app: FastAPI, wanted: list[tuple[Server, ConnectionLimiter]], bridge_is_alive: Callable[[], bool]
) -> None:
    from daemon.web.server.server import serve

    # Distinguishes a stop by signal from one by a fault.
    stopping = asyncio.Event()
    notifier = Notifier(os.environ)
    serving = [asyncio.create_task(serve(each, listener)) for each, listener in wanted]
    servers = [each for each, _ in wanted]
    watched = _notify(notifier, servers), _wait_for_signal(servers, stopping)
    others = [asyncio.create_task(each) for each in watched]
    dying = asyncio.create_task(_first_death(app, servers, bridge_is_alive))
    await asyncio.wait((*serving, *others, dying), return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    notifier.stopping("stopping")
    # Streams never end by themselves; uvicorn would wait for them until its own timeout.
    await app.state.dependencies.close_streams()
    # uvicorn's way to stop a server from outside.
    for each, _ in reversed(wanted):
        each.should_exit = True
    try:
        await asyncio.gather(*serving)
    finally:
        for task in (*others, dying):
            task.cancel()
        notifier.close()
    # systemd restarts the service after this exit code.
    if dying.done() and not dying.cancelled() and not stopping.is_set():
        raise CommandError("a part of the web interface has died; the log says why") from dying.result()


async def _first_death(
    app: FastAPI, servers: list[Server], bridge_is_alive: Callable[[], bool]
) -> BaseException | None:
    """Return the cause as soon as a vital part ends; without it the web interface would only look alive."""
    # uvicorn announces the end of its start only by this flag.
    while not all(each.started for each in servers):
        await asyncio.sleep(0.05)
    done: set[asyncio.Task[None]] = set()
    while not done and bridge_is_alive():
        done, _ = await asyncio.wait(
            # With a timeout, because the life of the MQTT bridge can only be asked for.
            app.state.dependencies.tasks,
            timeout=LOOK_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
    cause = done.pop().exception() if done else None
    log.error("a part of the web interface has died" if done else "home automation has died", exc_info=cause)
    return cause


async def _wait_for_signal(servers: list[Server], stopping: asyncio.Event) -> None:
    """Return at SIGTERM or SIGINT.

    Each uvicorn server installs its own handlers when it starts, which would stop it before the streams have
    ended. So ours are installed after theirs.
    """
    while not all(each.started for each in servers):
        await asyncio.sleep(0.05)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The loop's handler and not signal.signal: it may wake coroutines.
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()


async def _notify(notifier: Notifier, servers: list[Server]) -> None:
    """Tell systemd that the service is ready once all servers listen; then feed its watchdog."""
    while not all(each.started for each in servers):
        await asyncio.sleep(0.05)
    notifier.ready("serving")
    while True:
        notifier.watchdog()
        await asyncio.sleep(PULSE_S)
