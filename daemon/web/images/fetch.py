"""Pictures from addresses: only from hosts that are named in the settings, at addresses that are looked at.

A name is resolved once, every address it has is checked, and the connection is made to one of these very
addresses: a name that means something else a moment later is of no use to anybody.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from common.ip_addresses import IpAddress, is_private_network, is_public
from daemon.config.sections import WebSettings
from daemon.web.images.pictures import TYPES
from daemon.web.problems import Problem

if TYPE_CHECKING:
    import httpx

TIME_S = 10.0
STEP_S = 5.0
"""Seconds for resolving, for connecting, and between two pieces."""
REDIRECTS = 2
LONGEST = 2000
PORTS = {"http": 80, "https": 443}
MOVED = frozenset({301, 302, 303, 307, 308})
Resolve = Callable[[str, int], Awaitable[Iterable[str]]]


@dataclass(frozen=True, slots=True)
class FetchTarget:
    """Where a picture is said to be."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    def at(self, address: IpAddress) -> str:
        """The same, without the name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def target(url: str) -> FetchTarget:
    """Raises Problem."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        raise Problem(422, "image: should be an address of plain printable characters, not too long")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Problem(422, "image: that address cannot be read") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in PORTS or not host or "%" in host or "@" in parts.netloc:
        raise Problem(422, "image: should be an http or https address without a user's name")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return FetchTarget(parts.scheme, host.lower(), port or PORTS[parts.scheme], path)


async def system_resolve(host: str, port: int) -> Iterable[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Fetcher:
    """Refuses everything unless `web.url_hosts` names the host."""

    def __init__(
        self, settings: WebSettings, resolve: Resolve = system_resolve, time_s: float = TIME_S
    ) -> None:
        self._hosts = frozenset(host.lower() for host in settings.url_hosts)
        self._near = frozenset(host.lower() for host in settings.url_private_hosts)
        self._largest = round(settings.largest_body_mb * 1e6)
        self._resolve = resolve
        self._time_s = time_s

    async def fetch(self, url: str) -> bytes:
        """The picture's bytes. Raises Problem."""
        if not self._hosts:
            raise Problem(403, "image: pictures are fetched from nowhere; web.url_hosts can name hosts")
        try:
            async with asyncio.timeout(self._time_s):
                return await self._followed(target(url))
        except TimeoutError:
            raise Problem(422, "image: that host was too slow") from None

    async def _followed(self, wanted: FetchTarget) -> bytes:
        import httpx

        for _ in range(REDIRECTS + 1):
            try:
                async with self._answer(wanted) as answer:
                    if answer.status_code not in MOVED:
                        return await self._content(answer)
                    moved = target(urljoin(wanted.url, answer.headers.get("location", "")))
            except httpx.HTTPError:
                raise Problem(422, "image: that host could not be asked") from None
            if wanted.scheme == "https" and moved.scheme != "https":
                raise Problem(422, "image: that address leads from https to http")
            wanted = moved
        raise Problem(422, "image: that address leads on and on")

    @asynccontextmanager
    async def _answer(self, wanted: FetchTarget) -> AsyncIterator[httpx.Response]:
        import httpx

        address = await self._address(wanted)
        headers = {"Host": wanted.authority, "Accept": ", ".join(TYPES), "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(trust_env=False, timeout=STEP_S, follow_redirects=False) as client:
            request = client.build_request(
                "GET", wanted.at(address), headers=headers, extensions={"sni_hostname": wanted.host}
            )
            answer = await client.send(request, stream=True)
            try:
                yield answer
            finally:
                await answer.aclose()

    async def _address(self, wanted: FetchTarget) -> IpAddress:
        """One that the name has, all of which are allowed. Raises Problem."""
        names = {wanted.authority, wanted.host, f"{wanted.host}:{wanted.port}"}
        if wanted.port != PORTS[wanted.scheme]:
            names.discard(wanted.host)
        if not names & self._hosts:
            raise Problem(403, "image: pictures are not fetched from that host; web.url_hosts can name it")
        allowed = is_private_network if names & self._near else is_public
        try:
            async with asyncio.timeout(STEP_S):
                found = [ip_address(each) for each in await self._resolve(wanted.host, wanted.port)]
        except (OSError, ValueError, UnicodeError, TimeoutError):
            found = []
        if not found:
            raise Problem(422, "image: that host is not known")
        if not all(allowed(each) or (allowed is is_private_network and is_public(each)) for each in found):
            raise Problem(403, "image: that host is at an address from which nothing is fetched")
        return found[0]

    async def _content(self, answer: httpx.Response) -> bytes:
        if answer.status_code != 200:
            raise Problem(422, f"image: that host answered {answer.status_code}")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in TYPES or answer.headers.get("content-encoding", "identity") != "identity":
            raise Problem(415, "image: what is there is no plain JPEG, PNG or WebP")
        content = bytearray()
        async for piece in answer.aiter_raw(64 * 1024):
            content += piece
            if len(content) > self._largest:
                raise Problem(413, f"image: more than {self._largest} bytes are there")
        return bytes(content)
