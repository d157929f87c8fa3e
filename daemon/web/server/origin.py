"""Checks of a request's origin: the host name it used, and the page that sent it. Pure.

A page on the internet can have a browser call this machine: by resolving its own name to our address (DNS
rebinding), or by posting a form (cross-site request forgery). Both show in the headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from common.ip_addresses import is_local

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class HostNames:
    """The names and addresses under which this machine may be called."""

    def __init__(self, address: str, hosts: Iterable[str]) -> None:
        """`address`: where the server listens. `hosts`: the configured names."""
        self._hosts = {"localhost", *(_plain(host) for host in hosts)}
        with suppress(ValueError):
            self._hosts.add(str(ip_address(address)))
        self._local = is_local(address)

    def contains(self, host: str) -> bool:
        """True if a Host header names this machine. Any IP address does if other machines can reach us.

        DNS rebinding needs a name: a browser cannot be made to take one address for another.
        """
        name = _without_port(host)
        if name is None:
            return False
        with suppress(ValueError):
            found = ip_address(name)
            # Behind a router or in a container the address that clients use may be another than ours.
            return found.is_loopback or not self._local or str(found) in self._hosts
        return _plain(name) in self._hosts


def is_cross_site(
    method: str, scheme: str, host: str, origin: str | None, site: str | None, mode: str | None
) -> bool:
    """True if a page of another site made the browser send this request.

    `site` and `mode` are Sec-Fetch-Site and Sec-Fetch-Mode; only browsers send `origin` and these two.
    """
    if method in SAFE:
        # A link from another page (`navigate`) may open ours; an image or script of theirs may not.
        return site in ("cross-site", "same-site") and mode != "navigate"
    # "none" is the user's own doing: an address typed in, or a bookmark.
    if site not in (None, "same-origin", "none"):
        return True
    # Older browsers send no Sec-Fetch-Site, but Origin with every POST.
    return origin is not None and origin.lower() != f"{scheme}://{host}".lower()


def _without_port(host: str) -> str | None:
    with suppress(ValueError):
        parts = urlsplit(f"//{host}")
        # A Host header with a path or a user's name is malformed.
        if parts.hostname and not parts.username and parts.path == "" and (parts.port is None or parts.port):
            return parts.hostname
    return None


def _plain(host: str) -> str:
    # "example.com." names the same host as "example.com".
    return host.lower().rstrip(".")
