"""Classes of IP addresses: this machine's, a private network's, public ones."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_WRAPPED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
"""Prefixes of IPv6 addresses that embed an IPv4 address (RFC 6052, RFC 8215)."""

IpAddress = IPv4Address | IPv6Address


def is_local(host: str) -> bool:
    """True for a loopback address or `localhost`: other machines cannot reach it."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def is_public(address: IpAddress) -> bool:
    """True for a host on the internet, also if an IPv6 address embeds its IPv4 address."""
    inner = _unwrapped(address)
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def is_private_network(address: IpAddress) -> bool:
    """True for a private network or loopback; false for link-local, multicast and 0.0.0.0/8."""
    inner = _unwrapped(address)
    bad = inner.is_link_local or inner.is_multicast or inner.is_unspecified
    return (inner.is_private or inner.is_loopback) and not bad and inner not in ip_network("0.0.0.0/8")


def _unwrapped(address: IpAddress) -> IpAddress:
    """The IPv4 address embedded in an IPv6 one, else the address itself.

    A filter that judged only the outer address would let `::ffff:127.0.0.1` through.
    """
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if any(address in network for network in _WRAPPED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:  # IPv4-compatible (deprecated by RFC 4291)
        return IPv4Address(int(address))
    return address
