"""ASGI middleware in front of every route: access, rates, sizes and time limits."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.rate_limit import RateLimiter, whole_seconds
from daemon.config.sections import WebSettings
from daemon.web import problems
from daemon.web.problems import Problem
from daemon.web.server.origin import HostNames, is_cross_site
from daemon.web.server.sessions import Sessions, Token

COOKIE = "watchword_web"
MARK_STREAMING = "web.mark_streaming"
"""Key in the scope's state: a function that exempts a response without an end from the request's limits."""
SMALL_BODY = 64 * 1024
"""Largest body in bytes of a request that carries no picture."""
PICTURE_PATH = "/process"
OPEN = frozenset({"/healthz", "/login"})
"""Paths that need no token, beside the page's own files."""
LARGEST_HEAD = 16 * 1024
"""Largest address and headers together, in bytes."""
BODY_S = 20.0
"""Seconds a request's body may take."""
SEND_S = 30.0
"""Seconds one piece of an answer may wait for the client to read; at TCP the kernel's limit is shorter."""
BURST_S = 3.0
"""Seconds of requests at the allowed rate that may come at once."""
WRONG_PER_S, WRONG_BURST = 0.2, 5.0
"""Wrong tokens of one client, per second and at once."""
UNIX = "unix"
UNKNOWN = "unknown"
UNIX_LISTENER = "web.unix_listener"
"""Key in the scope's state, set by the server alone: true if the connection was accepted at a unix socket."""
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Checks each request, then runs the application within limits of time and size."""

    def __init__(
        self,
        app: ASGIApp,
        settings: WebSettings,
        token: str | None,
        page: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
        send_s: float = SEND_S,
    ) -> None:
        """`page`: addresses of the page's own files."""
        self._app = app
        self._settings = settings
        self._names = HostNames(settings.address, settings.hosts)
        self._token = Token(token) if token else None
        self._open = OPEN | page
        self._clock = clock
        self._send_s = send_s
        self._buckets = RateLimiter(settings.requests_per_s, BURST_S * settings.requests_per_s)
        self._foreign_buckets = RateLimiter(settings.requests_per_s, BURST_S * settings.requests_per_s)
        self._wrong = RateLimiter(WRONG_PER_S, WRONG_BURST)
        self._in_progress = 0
        self.sessions = Sessions()
        self.counts: Counter[int] = Counter()
        """Number of answers by status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Anything else, such as a websocket, is left without an answer.
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._largest(scope), self._send_s, self.counts)
        scope.setdefault("state", {})["guard"] = self
        try:
            # Everything that can be decided from the headers, before the body is read.
            self._check(scope, Headers(scope=scope))
        except Problem as problem:
            await problems.to_response(problem)(scope, exchange.receive, exchange.send)
            return
        await self._run(scope, exchange)

    async def _run(self, scope: Scope, exchange: _Exchange) -> None:
        counted = True

        def mark_streaming() -> None:
            nonlocal counted
            # A stream lasts for hours: it gives up its time limit and its place among the requests.
            limit.reschedule(None)
            self._in_progress -= counted
            counted = False

        scope["state"][MARK_STREAMING] = mark_streaming
        self._in_progress += 1
        try:
            async with asyncio.timeout(self._settings.request_timeout_s) as limit:
                await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if exchange.stalled:
                # Nothing can be sent; the server closes a connection without a complete answer.
                return
            # A TimeoutError of the application's own is a bug, and is reported as one.
            if not (isinstance(error, TimeoutError) and limit.expired()):
                raise
            # Half an answer cannot be turned into an error any more.
            if not exchange.started:
                slow = Problem(503, "it took too long", "busy", retry_s=problems.RETRY_S)
                await problems.to_response(slow)(scope, exchange.receive, exchange.send)
        finally:
            # `counted` is a bool: False subtracts nothing, since the stream has given its place up already.
            self._in_progress -= counted

    def _largest(self, scope: Scope) -> int:
        return round(self._settings.largest_body_mb * 1e6) if scope["path"] == PICTURE_PATH else SMALL_BODY

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises Problem."""
        client, now = client_of(scope), self._clock()
        if client == UNKNOWN:
            raise Problem(400, "the connection was reset")
        foreign = self._foreign(scope, headers, client)
        # Apart: the owner's browser, at the same address, must not run out of requests because of a page of
        # another site that is open in it.
        buckets = self._buckets if foreign is None else self._foreign_buckets
        if wait_s := buckets.take(client, now):
            raise Problem(429, "too many requests", retry_s=whole_seconds(wait_s))
        if foreign is not None:
            raise foreign
        _check_head(scope)
        self._check_token(scope, headers, client, now)
        _check_size(headers, self._largest(scope))
        # A form can be sent by any page; JSON from another site needs a preflight (CORS), which is not
        # granted.
        if scope["method"] == "POST" and scope["path"] != PICTURE_PATH:
            _check_type(headers)
        # Last: a refused request must not take the place of a valid one.
        if self._in_progress >= self._settings.requests_at_once:
            raise Problem(503, "too many requests at once", "busy", retry_s=problems.RETRY_S)

    def _foreign(self, scope: Scope, headers: Headers, client: str) -> Problem | None:
        """The reason to refuse a request of another site; None if it is meant for us."""
        host = headers.get("host", "")
        if client != UNIX and not self._names.contains(host):
            # 421 Misdirected Request (RFC 9110, section 15.5.20).
            return Problem(421, "unknown host name; use this machine's address, or add the name to web.hosts")
        fetched = (headers.get(name) for name in ("origin", "sec-fetch-site", "sec-fetch-mode"))
        if is_cross_site(scope["method"], scope["scheme"], host, *fetched):
            return Problem(403, "requests from another site's page are refused")
        return None

    def _check_token(self, scope: Scope, headers: Headers, client: str, now: float) -> None:
        # The unix socket's users are trusted by the file's permissions.
        if self._token is None or client == UNIX or scope["path"] in self._open:
            return
        cookie = session_cookie(headers)
        if cookie and self.sessions.renew(cookie, now):
            return
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            self.check_token(client, token.strip())
            return
        raise _unauthorized()

    def check_token(self, client: str, token: str) -> None:
        """Raises Problem if the token is wrong, or if the client has sent too many wrong ones."""
        now = self._clock()
        # Asked before the token is compared, so that guessing is slow even with the right token among the
        # guesses.
        if wait_s := self._wrong.wait_s(client, now):
            raise Problem(429, "too many wrong tokens", retry_s=whole_seconds(wait_s))
        if self._token is not None and not self._token.matches(token):
            # Only wrong tokens count: a client with the right one is never slowed down.
            self._wrong.take(client, now)
            raise _unauthorized()


class _Exchange:
    """One request and its answer: limits the body's size and time, and adds headers to the answer."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        largest: int,
        send_s: float,
        counts: Counter[int],
    ) -> None:
        self._receive = receive
        self._send = send
        self._largest = largest
        self._send_s = send_s
        self._counts = counts
        self._body_deadline_s = asyncio.get_running_loop().time() + BODY_S
        self._received = 0
        headers = Headers(scope=scope)
        self._body_complete = _is_empty(headers)
        self.started = False
        self.stalled = False
        """The client has stopped reading."""

    async def receive(self) -> Message:
        """Raises Problem if the body is too large or too slow."""
        # After the body, `receive` waits for the client's disconnect, which has no time limit.
        if self._body_complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._body_deadline_s):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, f"the request was not here within {BODY_S:g} s") from None
        self._received += len(message.get("body", b""))
        self._body_complete = not message.get("more_body", False)
        if self._received > self._largest:
            # Marked incomplete, so that the answer closes the connection instead of reading the rest.
            self._body_complete = False
            raise _too_large(self._largest)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._counts[message["status"]] += 1
            self._add_headers(MutableHeaders(scope=message))
        try:
            async with asyncio.timeout(self._send_s):
                await self._send(message)
        except TimeoutError:
            self.stalled = True
            raise

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if not self._body_complete:  # the rest of the body will not be read
            headers["Connection"] = "close"


def session_cookie(headers: Headers) -> str:
    """The value of the session cookie; empty without one."""
    with suppress(CookieError):
        cookie: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        return str(cookie.value) if cookie else ""
    return ""


def client_of(scope: Scope) -> str:
    """The client's address, UNIX, or UNKNOWN.

    A missing address does not mean a unix socket: a TCP client that has reset its connection has none either,
    and its request may be complete.
    """
    if client := scope.get("client"):
        return str(client[0])
    return UNIX if scope.get("state", {}).get(UNIX_LISTENER) is True else UNKNOWN


def _check_size(headers: Headers, largest: int) -> None:
    length = headers.get("content-length", "0")
    # `str.isdigit` accepts digits of other scripts; HTTP knows ASCII only.
    if not length.isascii() or not length.isdigit():
        raise Problem(400, "Content-Length should be a whole number")
    # Python refuses to convert very long numbers, with an error of its own.
    if len(length) > 15 or int(length) > largest:
        raise _too_large(largest)


def _check_head(scope: Scope) -> None:
    lengths = (len(name) + len(value) for name, value in scope["headers"])
    if sum(lengths) + len(scope.get("raw_path", b"")) + len(scope["query_string"]) > LARGEST_HEAD:
        raise Problem(431, f"address and headers may have {LARGEST_HEAD} bytes at most")


def _check_type(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not _is_empty(headers):
        raise Problem(415, "Content-Type should be application/json")


def _is_empty(headers: Headers) -> bool:
    # Without either header a request has no body (RFC 9112, section 6.3).
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers


def _too_large(largest: int) -> Problem:
    return Problem(413, f"a request may have {largest} bytes at most")


def _unauthorized() -> Problem:
    return Problem(401, "a token is needed: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"})
