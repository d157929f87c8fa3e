"""In front of every route: who may ask, how much, how large, and how long it may take."""

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
ENDLESS = "web.endless"
"""In the scope's state: to be called where a response goes on for ever; then other bounds hold for it."""
SMALL_BODY = 64 * 1024
"""Bytes of a request that carries no picture."""
LARGE = "/process"
OPEN = frozenset({"/healthz", "/login"})
"""What needs no token, beside the page's own files."""
LARGEST_HEAD = 16 * 1024
"""Bytes of address and headers."""
BODY_S = 20.0
"""Seconds a request's body may take."""
BURST_S = 3.0
WRONG_PER_S, WRONG_BURST = 0.2, 5.0
"""Wrong tokens of one client."""
UNIX = "unix"
UNKNOWN = "unknown"
NEIGHBOUR = "web.neighbour"
"""In the scope's state, by the server alone: true where the connection came in at a unix socket."""
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
    """ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        settings: WebSettings,
        token: str | None,
        page: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`page`: addresses of the page's own files."""
        self._app = app
        self._settings = settings
        self._names = HostNames(settings.address, settings.hosts)
        self._token = Token(token) if token else None
        self._open = OPEN | page
        self._clock = clock
        self._buckets = RateLimiter(settings.requests_per_s, BURST_S * settings.requests_per_s)
        self._wrong = RateLimiter(WRONG_PER_S, WRONG_BURST)
        self._at_once = 0
        self.sessions = Sessions()
        self.counts: Counter[int] = Counter()
        """Answers by status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._largest(scope), self.counts)
        scope.setdefault("state", {})["guard"] = self
        try:
            self._check(scope, Headers(scope=scope))
        except Problem as problem:
            await problems.answer(problem)(scope, exchange.receive, exchange.send)
            return
        await self._bounded(scope, exchange)

    async def _bounded(self, scope: Scope, exchange: _Exchange) -> None:
        held = [True]

        def endless() -> None:
            limit.reschedule(None)
            if held.pop():
                self._at_once -= 1
                held.append(False)

        scope["state"][ENDLESS] = endless
        self._at_once += 1
        try:
            async with asyncio.timeout(self._settings.request_timeout_s) as limit:
                await self._app(scope, exchange.receive, exchange.send)
        except TimeoutError:
            if not limit.expired():
                raise
            if not exchange.started:
                slow = Problem(503, "it took too long", "busy", retry_s=problems.RETRY_S)
                await problems.answer(slow)(scope, exchange.receive, exchange.send)
        finally:
            self._at_once -= held.pop()

    def _largest(self, scope: Scope) -> int:
        return round(self._settings.largest_body_mb * 1e6) if scope["path"] == LARGE else SMALL_BODY

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises Problem."""
        client, now = client_of(scope), self._clock()
        if wait_s := self._buckets.take(client, now):
            raise Problem(429, "too many requests", retry_s=whole_seconds(wait_s))
        _check_head(scope)
        host = headers.get("host", "")
        if client != UNIX and not self._names.knows(host):
            raise Problem(
                421, "this machine does not go by that name; call it by its address, or name it in web.hosts"
            )
        fetched = (headers.get(name) for name in ("origin", "sec-fetch-site", "sec-fetch-mode"))
        if is_cross_site(scope["method"], scope["scheme"], host, *fetched):
            raise Problem(403, "another site's page may not ask this")
        self._check_token(scope, headers, client, now)
        _check_size(headers, self._largest(scope))
        if scope["method"] == "POST" and scope["path"] != LARGE:
            _check_type(headers)
        if self._at_once >= self._settings.requests_at_once:
            raise Problem(503, "too many requests at once", "busy", retry_s=problems.RETRY_S)

    def _check_token(self, scope: Scope, headers: Headers, client: str, now: float) -> None:
        if self._token is None or client == UNIX or scope["path"] in self._open:
            return
        cookie = session_cookie(headers)
        if cookie and self.sessions.renew(cookie, now):
            return
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            self.show(client, shown.strip())
            return
        raise _unauthorized()

    def show(self, client: str, token: str) -> None:
        """Raises Problem where it is the wrong one, or too many were wrong before."""
        now = self._clock()
        if wait_s := self._wrong.wait_s(client, now):
            raise Problem(429, "too many wrong tokens", retry_s=whole_seconds(wait_s))
        if self._token is not None and not self._token.matches(token):
            self._wrong.take(client, now)
            raise _unauthorized()


class _Exchange:
    """One request and its answer, with their bounds."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, largest: int, counts: Counter[int]
    ) -> None:
        self._receive = receive
        self._send = send
        self._largest = largest
        self._counts = counts
        self._until_s = asyncio.get_running_loop().time() + BODY_S
        self._got = 0
        headers = Headers(scope=scope)
        self._whole = _is_empty(headers)
        """Nothing of the request is still to come."""
        self.started = False

    async def receive(self) -> Message:
        """Raises Problem where the body is too large or too slow."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until_s):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, f"the request was not here within {BODY_S:g} s") from None
        self._got += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._got > self._largest:
            self._whole = False
            raise _too_large(self._largest)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._counts[message["status"]] += 1
            self._dress(MutableHeaders(scope=message))
        await self._send(message)

    def _dress(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if not self._whole:  # what is still to come is not waited for
            headers["Connection"] = "close"


def session_cookie(headers: Headers) -> str:
    """Its value; empty where there is none."""
    with suppress(CookieError):
        cookie: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        return str(cookie.value) if cookie else ""
    return ""


def client_of(scope: Scope) -> str:
    """The address, or UNIX. One whose address is unknown is no neighbour: a client that has reset its
    connection has none either, and its request may be whole.
    """
    if client := scope.get("client"):
        return str(client[0])
    return UNIX if scope.get("state", {}).get(NEIGHBOUR) is True else UNKNOWN


def _check_size(headers: Headers, largest: int) -> None:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise Problem(400, "Content-Length should be a whole number")
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
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers


def _too_large(largest: int) -> Problem:
    return Problem(413, f"a request may have {largest} bytes at most")


def _unauthorized() -> Problem:
    return Problem(401, "show the token: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"})
