"""Whose request is it? By what name it was called, and from which page. Pure.

A page on the internet can have a browser call this machine: by making its own name mean our address (DNS
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
    """What this machine goes by."""

    def __init__(self, address: str, hosts: Iterable[str]) -> None:
        """`address` is the one listened at, `hosts` the configured names."""
        self._hosts = {"localhost", *(_plain(host) for host in hosts)}
        with suppress(ValueError):
            self._hosts.add(str(ip_address(address)))
        self._local = is_local(address)

    def knows(self, host: str) -> bool:
        """Whether a Host header names us. Any address will do at an address that others can reach.

        A page that rebinds needs a name: no one can have a browser take an address for another.
        """
        name = _without_port(host)
        if name is None:
            return False
        with suppress(ValueError):
            found = ip_address(name)
            return found.is_loopback or not self._local or str(found) in self._hosts
        return _plain(name) in self._hosts


def is_cross_site(
    method: str, scheme: str, host: str, origin: str | None, site: str | None, mode: str | None
) -> bool:
    """Whether another site's page has the browser ask this.

    `site` and `mode` are Sec-Fetch-Site and Sec-Fetch-Mode; programs send none of the three.
    """
    if method in SAFE:
        return site in ("cross-site", "same-site") and mode != "navigate"
    if site not in (None, "same-origin", "none"):
        return True
    return origin is not None and origin.lower() != f"{scheme}://{host}".lower()


def _without_port(host: str) -> str | None:
    with suppress(ValueError):
        parts = urlsplit(f"//{host}")
        if parts.hostname and not parts.username and parts.path == "" and (parts.port is None or parts.port):
            return parts.hostname
    return None


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
