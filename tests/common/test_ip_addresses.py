"""Classes of IP addresses, also of IPv4 addresses inside IPv6 ones."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from common.ip_addresses import is_private_network, is_public


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "127.0.0.1",
        "10.1.1.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
    ],
)
def test_addresses_that_are_nobodys_on_the_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_addresses_that_are_somebodys(address: str) -> None:
    assert is_public(ip_address(address)) and not is_private_network(ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::"])
def test_what_not_even_a_host_of_the_home_may_be(address: str) -> None:
    assert not is_private_network(ip_address(address))
