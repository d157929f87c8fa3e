"""Answers the control socket: a thread for each client, few clients, and none can hold up the daemon.

The threads are started once: none can be started while memory is short, and the attempt may never return.
A client that has not asked anything in time, or is only idle, makes room for a new one.
"""

from __future__ import annotations

import json
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
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
from daemon.control.socket import ControlSocket, Peer, peer, rights
from daemon.errors import CommandError, ConfigError

log = logging.getLogger(__name__)

Handler = Callable[[Request], Mapping[str, Any]]
"""Carries out a request and returns the result; raises CommandError with a line for the client."""

CLIENTS = 16
OF_A_PROCESS = 12
"""Clients of one process at most, so that there is always room for a command."""
STREAMS = 8
"""Clients that listen to events at most, so that there is always room to ask for silence."""
IDLE_S = 60.0
"""Seconds for which a client may be silent, or not read its answer, until it is disconnected."""
REQUEST_S = 5.0
"""Seconds in which a whole request must have come: the first one from the connection on, others from their
first byte on. A byte now and then would hold a place for ever."""
LOOK_S = 1.0
"""Seconds between two checks that a listener is still connected."""
CLOSE_S = 2.0


@dataclass(slots=True)
class _Client:
    """A connection."""

    link: socket.socket
    pid: int
    idle_since_s: float | None
    """Since when it has been without a whole request; None while one is answered."""
    proven: bool = False
    """It has made a whole request."""


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
        request_s: float = REQUEST_S,
        of_a_process: int = OF_A_PROCESS,
    ) -> None:
        """Raises CommandError if a daemon is running there already, or the path is too long."""
        self._handler = handler
        self._feed = feed
        self._group = group
        self._rights = rights(group)
        self._most = clients
        self._most_streams = streams
        self._idle_s = idle_s
        self._request_s = request_s
        self._of_a_process = of_a_process
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._clients: list[_Client] = []
        # Threads are started once and take clients from here: starting one may fail when memory is short.
        self._accepted: SimpleQueue[_Client | None] = SimpleQueue()
        self._streams: set[Subscription] = set()
        self._socket = ControlSocket(path, self._rights)
        # One more than clients: a client that was disconnected may still occupy its thread.
        self._threads = [
            threading.Thread(target=self._serve, name="control client", daemon=True)
            for _ in range(clients + 1)
        ]

    @property
    def path(self) -> Path:
        return self._socket.path

    @property
    def clients(self) -> int:
        """Connections that have a place now."""
        return len(self._clients)

    def run(self) -> None:
        """Take clients until `close`."""
        for thread in self._threads:
            # Started already if this is another run, after a failure.
            if thread.ident is None:
                thread.start()
        told = ""
        while not self._closing.is_set():
            try:
                # A cleaner of /tmp or of the runtime folder may have removed the socket.
                self._socket.restore()
                if self._socket.wait(LOOK_S):
                    self._take(self._socket.accept())
                told = ""
            except (OSError, MemoryError, RuntimeError) as error:
                # No room for a file or for memory now, or the folder cannot be written: there may be again.
                if not self._closing.is_set():
                    # Once: a disk may stay full for days.
                    if told != str(error):
                        log.warning("the control socket takes nobody now: %s", error)
                    told = str(error)
                    self._closing.wait(LOOK_S)

    def replace_handler(self, handler: Handler) -> None:
        """Answer further requests by another handler, as soon as the daemon has started."""
        self._handler = handler

    def close(self) -> None:
        """Disconnect all clients and remove the socket."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._socket.close()
        with self._lock:
            clients, streams = tuple(self._clients), tuple(self._streams)
        # Outside the lock: the streams' threads take it when they end.
        for stream in streams:
            stream.close()
        for client in clients:
            _let_go(client)
        # One None a thread; each takes exactly one and ends.
        for _ in self._threads:
            self._accepted.put(None)
        deadline_s = time.monotonic() + CLOSE_S
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline_s - time.monotonic()))

    def _take(self, link: socket.socket) -> None:
        try:
            who = peer(link)
        except OSError:
            _refuse(link, "the kernel does not say who you are")
            return
        client = _Client(link, who.pid, time.monotonic())
        with self._lock:
            refusal = self._refusal(who)
            # Under the same lock as the check: two clients must not both get the last place.
            if not refusal and not self._closing.is_set():
                self._clients.append(client)
        if refusal:
            _refuse(link, refusal)
        elif self._closing.is_set():
            link.close()
        else:
            self._accepted.put(client)

    def _refusal(self, who: Peer) -> str:
        """The reason to refuse a client; empty if there is a place for it. Called with the lock held."""
        if not self._rights.allow(who):
            log.warning("user %d (process %d) may not talk to this daemon", who.uid, who.pid)
            members = f", members of the group {self._group}" if self._group else ""
            return f"only user {self._rights.uid}{members} and root may talk to this watchword"
        own = [one for one in self._clients if one.pid == who.pid]
        if len(own) >= self._of_a_process and not self._make_room(own):
            return f"this process has {self._of_a_process} connections already; close one"
        if len(self._clients) >= self._most and not self._make_room(self._clients):
            return f"{self._most} others are talking to it already; try again later"
        return ""

    def _make_room(self, clients: Sequence[_Client]) -> bool:
        """Let the one of them go that least needs its place; False if all are being answered, or listen.

        So a `hush` always finds a place, however many clients connect and send nothing. First those that have
        left already, then those that never asked anything, then those that have been idle longest.
        """
        # A client that has read its answer and left may still count as being answered: its thread sleeps.
        spare = [one for one in clients if one.idle_since_s is not None or _gone(one.link)]
        if not spare:
            return False
        # False sorts before True: connections already left, then those that never asked, then the longest
        # idle.
        client = min(spare, key=lambda one: (not _gone(one.link), one.proven, one.idle_since_s or 0.0))
        # Its place is free at once; its thread ends a moment later.
        self._clients.remove(client)
        _let_go(client)
        return True

    def _serve(self) -> None:
        """One thread's life: one client after the other."""
        while (client := self._accepted.get()) is not None:
            try:
                self._converse(client)
            # It has left, or was too slow, which is no fault of ours.
            except OSError as error:
                log.debug("a client was let go: %s", error)
            # The thread has to live on: no new one can be started while memory is short.
            except (MemoryError, RuntimeError) as error:
                log.warning("a client could not be answered: %s", error)
            finally:
                with self._lock:
                    # `_make_room` may have removed it already.
                    if client in self._clients:
                        self._clients.remove(client)
                client.link.close()

    def _converse(self, client: _Client) -> None:
        lines = LineReader(client.link, LONGEST_REQUEST)
        first_s = self._request_s
        try:
            while (line := lines.read(first_s, self._request_s)) is not None:
                client.proven, client.idle_since_s, first_s = True, None, self._idle_s
                # From here on for sending: a client that does not read its answer is disconnected too.
                client.link.settimeout(self._idle_s)
                self._answer(client.link, line)
                client.idle_since_s = time.monotonic()
        except LineTooLong:
            _refuse(client.link, f"a request may have {LONGEST_REQUEST} bytes at most")

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
        # A client must not be left waiting, nor end its thread.
        except Exception as error:
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
                # A timeout, so that a client that has left is noticed without any event.
                chosen = [line for line in stream.take(LOOK_S) if _wanted(line, kinds)]
                if chosen:
                    link.sendall("".join(f"{line}\n" for line in chosen).encode())
            # Ends the conversation: a stream does not go back to commands.
            link.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _listening(self, stream: Subscription) -> Iterator[bool]:
        """Yields True if there is room for one more listener, and then counts it."""
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
    # "dropped" goes to every listener: it must know that its view has gaps.
    return not kinds or json.loads(line).get("kind") in kinds | {"dropped"}


def _gone(link: socket.socket) -> bool:
    # POLLRDHUP: the peer has closed or shut down its side (poll(2)); nothing is read for that.
    poll = select.poll()
    poll.register(link, select.POLLRDHUP)
    return bool(poll.poll(0))


def _let_go(client: _Client) -> None:
    """Its thread then finds the connection closed."""
    with suppress(OSError):
        client.link.shutdown(socket.SHUT_RDWR)


def _refuse(link: socket.socket, why: str) -> None:
    with link, suppress(OSError):
        # A client that does not read must not hold up the accepting thread.
        link.settimeout(LOOK_S)
        link.sendall(encode_error(None, why))
