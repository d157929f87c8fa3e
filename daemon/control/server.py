"""Answers the control socket: a thread for each client, few clients, and none can hold up the daemon."""

from __future__ import annotations

import json
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from daemon.control.commands import EventsCommand
from daemon.control.event_feed import EventFeed, Subscription
from daemon.control.lines import LineReader, LineTooLong
from daemon.control.protocol import (
    LONGEST_REQUEST,
    BadRequest,
    Request,
    decode_request,
    encode_error,
    encode_reply,
)
from daemon.control.socket import ControlSocket, peer, rights
from daemon.errors import CommandError, ConfigError

log = logging.getLogger(__name__)

Handler = Callable[[Request], Mapping[str, Any]]
"""Does what is asked and returns the result; raises CommandError with a line for whoever asked."""

CLIENTS = 16
STREAMS = 8
"""Clients that listen to events at most, so that there is always room to ask for silence."""
IDLE_S = 60.0
"""Seconds a client may be silent, or not read what it is sent, until it is let go."""
LOOK_S = 1.0
"""Seconds between two looks whether a listener is still there."""
CLOSE_S = 2.0


class ControlServer:
    """Takes the socket when it is made; `run` is a thread's target and `close` its end."""

    def __init__(
        self,
        path: Path,
        handler: Handler,
        feed: EventFeed,
        *,
        group: str = "",
        clients: int = CLIENTS,
        streams: int = STREAMS,
        idle_s: float = IDLE_S,
    ) -> None:
        """Raises CommandError where a daemon is running there already, or the path is of no use."""
        self._handler = handler
        self._feed = feed
        self._group = group
        self._rights = rights(group)
        self._most = clients
        self._most_streams = streams
        self._idle_s = idle_s
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._streams: set[Subscription] = set()
        self._socket = ControlSocket(path, self._rights)

    @property
    def path(self) -> Path:
        return self._socket.path

    def run(self) -> None:
        """Take clients until `close`."""
        while not self._closing.is_set():
            try:
                link, _ = self._socket.listener.accept()
            except OSError as error:
                if not self._closing.is_set():
                    log.warning("the control socket takes nobody now: %s", error)
                    self._closing.wait(LOOK_S)
                continue
            link.settimeout(self._idle_s)
            self._take(link)

    def replace_handler(self, handler: Handler) -> None:
        """Answer further requests by another handler, as soon as the daemon has started."""
        self._handler = handler

    def close(self) -> None:
        """Let everybody go and give the socket up."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._socket.close()
        with self._lock:
            clients, streams = dict(self._clients), tuple(self._streams)
        for stream in streams:
            stream.close()
        for link in clients:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        deadline_s = time.monotonic() + CLOSE_S
        for thread in clients.values():
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _take(self, link: socket.socket) -> None:
        refusal = self._refusal(link)
        if refusal:
            _refuse(link, refusal)
            return
        thread = threading.Thread(target=self._client, args=(link,), name="control client", daemon=True)
        with self._lock:
            if self._closing.is_set():
                link.close()
                return
            self._clients[link] = thread
            thread.start()

    def _refusal(self, link: socket.socket) -> str:
        with suppress(OSError):
            who = peer(link)
            if not self._rights.allow(who):
                log.warning("user %d (process %d) may not talk to this daemon", who.uid, who.pid)
                members = f", members of the group {self._group}" if self._group else ""
                return f"only user {self._rights.uid}{members} and root may talk to this watchword"
            full = len(self._clients) >= self._most
            return f"{self._most} others are talking to it already; try again later" if full else ""
        return "the kernel does not say who you are"

    def _client(self, link: socket.socket) -> None:
        try:
            self._converse(link)
        except OSError as error:  # it left, or was too slow: its own affair
            log.debug("a client was let go: %s", error)
        finally:
            with self._lock:
                del self._clients[link]
            link.close()

    def _converse(self, link: socket.socket) -> None:
        lines = LineReader(link, LONGEST_REQUEST)
        try:
            while (line := lines.read()) is not None:
                self._answer(link, line)
        except LineTooLong:
            _refuse(link, f"a request may have {LONGEST_REQUEST} bytes at most")

    def _answer(self, link: socket.socket, line: bytes) -> None:
        try:
            request = decode_request(line)
        except BadRequest as error:
            link.sendall(encode_error(error.id, str(error), error.code))
            return
        if isinstance(request.command, EventsCommand):
            self._stream(link, request.id, frozenset(request.command.kinds))
        else:
            link.sendall(self._handled(request))

    def _handled(self, request: Request) -> bytes:
        try:
            return encode_reply(request.id, self._handler(request))
        except CommandError as error:
            return encode_error(request.id, str(error), error.code)
        except ConfigError as error:
            return encode_error(request.id, "; ".join(error.problems), "invalid")
        except Exception as error:  # a client must not be left waiting, nor bring down its thread
            log.exception("%s could not be answered", request.command.do)
            return encode_error(
                request.id, f"a bug: {type(error).__name__}: {error}; the daemon's log says where"
            )

    def _stream(self, link: socket.socket, id: int, kinds: frozenset[str]) -> None:
        """Events until the client leaves; it is not asked anything any more."""
        with self._feed.subscribed() as stream, self._listening(stream) as welcome:
            if not welcome:
                link.sendall(encode_error(id, f"{self._most_streams} others are listening already"))
                return
            link.sendall(encode_reply(id, {}))
            while not self._closing.is_set() and not _gone(link):
                chosen = [line for line in stream.take(LOOK_S) if _wanted(line, kinds)]
                if chosen:
                    link.sendall("".join(f"{line}\n" for line in chosen).encode())
            link.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _listening(self, stream: Subscription) -> Iterator[bool]:
        """Whether there is room for one more listener."""
        with self._lock:
            welcome = len(self._streams) < self._most_streams
            if welcome:
                self._streams.add(stream)
        try:
            yield welcome
        finally:
            with self._lock:
                self._streams.discard(stream)


def _wanted(line: str, kinds: frozenset[str]) -> bool:
    return not kinds or json.loads(line).get("kind") in kinds | {"dropped"}


def _gone(link: socket.socket) -> bool:
    poll = select.poll()
    poll.register(link, select.POLLRDHUP)
    return bool(poll.poll(0))


def _refuse(link: socket.socket, why: str) -> None:
    with link, suppress(OSError):
        link.sendall(encode_error(None, why))
