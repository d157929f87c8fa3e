"""Host names and pages from which requests come."""

from __future__ import annotations

import pytest

from daemon.web.server.origin import HostNames, is_cross_site


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8780", "127.9.9.9"])
def test_our_own_names(host: str) -> None:
    assert HostNames("127.0.0.1", ()).contains(host)


def test_names_at_an_address_that_others_reach() -> None:
    names = HostNames("0.0.0.0", ("Box.local.",))
    assert (
        names.contains("192.168.1.9:8780")
        and names.contains("box.local")
        and not names.contains("evil.example")
    )


def test_another_sites_page_may_not_embed_but_link() -> None:
    assert is_cross_site("GET", "http", "localhost", None, "cross-site", "no-cors")
    assert not is_cross_site("GET", "http", "localhost", None, "cross-site", "navigate")
    assert not is_cross_site("POST", "http", "localhost:1", "http://localhost:1", "same-origin", "cors")
    assert not is_cross_site("POST", "http", "localhost", None, None, None)
