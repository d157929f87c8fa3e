"""Fetches pictures from hosts that the settings allow.

Against server-side request forgery a name is resolved once, all its addresses are checked, and the connection
is made to one of these addresses, so that a name that changes its address in between has no effect.
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

from common.image_header import image_kind
from common.ip_addresses import IpAddress, is_private_network, is_public
from daemon.config.sections import WebSettings
from daemon.web.images.pictures import ACCEPTED, TYPES
from daemon.web.problems import Problem

if TYPE_CHECKING:
    import httpx

TIME_S = 10.0
STEP_S = 5.0
"""Seconds for resolving, for connecting, and between two chunks."""
REDIRECTS = 2
LONGEST_URL = 2000
SNIFF_BYTES = 64
"""Bytes from which the kind of a picture is recognised."""
NO_PICTURE = "image: that host did not send a plain JPEG, PNG or WebP"
PORTS = {"http": 80, "https": 443}
SNIFFED = ("image/", "application/octet-stream", "binary/octet-stream", "application/binary")
"""Content types with which the bytes decide, as without any type: cameras use many."""
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
Resolve = Callable[[str, int], Awaitable[Iterable[str]]]


@dataclass(frozen=True, slots=True)
class FetchTarget:
    """A parsed address."""

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
        """The URL with the IP address in place of the name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def parse_target(url: str) -> FetchTarget:
    """Parse an http(s) address. Raises Problem."""
    # Parsers disagree about backslashes, spaces and control characters; refusing them avoids the question.
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        raise Problem(422, "image: should be an address of plain printable characters, not too long")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Problem(422, "image: that address cannot be read") from None
    # "%" would be a zone id of IPv6 (RFC 6874) or an encoded letter.
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in PORTS or not host or "%" in host or "@" in parts.netloc:
        raise Problem(422, "image: should be an http or https address without a user's name")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return FetchTarget(parts.scheme, host.lower(), port or PORTS[parts.scheme], path)


async def system_resolve(host: str, port: int) -> Iterable[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Fetcher:
    """Fetches from hosts in `web.url_hosts` only."""

    def __init__(
        self, settings: WebSettings, resolve: Resolve = system_resolve, time_s: float = TIME_S
    ) -> None:
        self._hosts = frozenset(host.lower() for host in settings.url_hosts)
        self._private_hosts = frozenset(host.lower() for host in settings.url_private_hosts)
        self._largest = round(settings.largest_body_mb * 1e6)
        self._resolve = resolve
        self._time_s = time_s

    async def fetch(self, url: str) -> bytes:
        """Download the picture. Raises Problem."""
        if not self._hosts:
            raise Problem(403, "image: no hosts are allowed; list them in web.url_hosts")
        try:
            async with asyncio.timeout(self._time_s):
                return await self._follow_redirects(parse_target(url))
        except TimeoutError:
            raise Problem(422, "image: that host was too slow") from None

    async def _follow_redirects(self, target: FetchTarget) -> bytes:
        import httpx

        # Redirects are followed by hand: each target goes through all checks again.
        for _ in range(REDIRECTS + 1):
            try:
                async with self._response(target) as response:
                    if response.status_code not in REDIRECT_STATUSES:
                        return await self._read_body(response)
                    moved = parse_target(urljoin(target.url, response.headers.get("location", "")))
            except httpx.HTTPError:
                raise Problem(422, "image: the request to that host failed") from None
            # A picture asked for over TLS must not come without it.
            if target.scheme == "https" and moved.scheme != "https":
                raise Problem(422, "image: that address redirects from https to http")
            target = moved
        raise Problem(422, "image: that address redirects too often")

    @asynccontextmanager
    async def _response(self, target: FetchTarget) -> AsyncIterator[httpx.Response]:
        import httpx

        address = await self._resolve_allowed(target)
        # No compression: a small body could unpack into gigabytes.
        headers = {"Host": target.authority, "Accept": ", ".join(TYPES), "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(trust_env=False, timeout=STEP_S, follow_redirects=False) as client:
            request = client.build_request(
                # The name for TLS: the address in the URL would not match the certificate.
                "GET",
                target.at(address),
                headers=headers,
                extensions={"sni_hostname": target.host},
            )
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()

    async def _resolve_allowed(self, target: FetchTarget) -> IpAddress:
        """Resolve the name; returns one address if all are allowed. Raises Problem."""
        names = {target.authority, target.host, f"{target.host}:{target.port}"}
        # A host that is allowed without a port is allowed at the usual ports only.
        if target.port != PORTS[target.scheme]:
            names.discard(target.host)
        if not names & self._hosts:
            raise Problem(403, "image: that host is not allowed; list it in web.url_hosts")
        allowed = is_private_network if names & self._private_hosts else is_public
        try:
            async with asyncio.timeout(STEP_S):
                found = [ip_address(each) for each in await self._resolve(target.host, target.port)]
        except (OSError, ValueError, UnicodeError, TimeoutError):
            found = []
        if not found:
            raise Problem(422, "image: that host was not found")
        # All of them: a name with one public and one private address is a known way round such checks.
        if not all(allowed(each) or (allowed is is_private_network and is_public(each)) for each in found):
            raise Problem(403, "image: that host has an address that is not allowed")
        return found[0]

    async def _read_body(self, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise Problem(422, f"image: that host answered {response.status_code}")
        # Servers give pictures many types; a page in HTML is refused without reading it.
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        plain = response.headers.get("content-encoding", "identity").strip().lower() in ("", "identity")
        if not plain or (kind and not kind.startswith(SNIFFED)):
            raise Problem(415, NO_PICTURE)
        content = bytearray()
        # Raw: httpx would decode a Content-Encoding that came in spite of the request.
        async for piece in response.aiter_raw(64 * 1024):
            content += piece
            if len(content) > self._largest:
                raise Problem(413, f"image: larger than {self._largest} bytes")
            if len(content) >= SNIFF_BYTES and image_kind(bytes(content[:SNIFF_BYTES])) not in ACCEPTED:
                break  # no need to fetch the rest
        if image_kind(bytes(content[:SNIFF_BYTES])) not in ACCEPTED:
            raise Problem(415, NO_PICTURE)
        return bytes(content)
