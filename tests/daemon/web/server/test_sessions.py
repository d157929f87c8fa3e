"""The token and the sessions opened with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.web.server.sessions import Sessions, Token

TOKEN = "0123456789abcdef-token"


@given(st.text(max_size=60))
def test_no_other_token_fits(shown: str) -> None:
    assert Token(TOKEN).matches(shown) == (shown == TOKEN)


def test_sessions_end_and_are_few() -> None:
    sessions = Sessions(most=2, idle_s=10)
    first, second, third = (sessions.open(0.0) for _ in range(3))
    assert not sessions.renew(first, 1.0) and sessions.renew(second, 9.0) and sessions.renew(second, 18.0)
    assert not sessions.renew(third, 18.0)
    sessions.close(second)
    assert not sessions.renew(second, 18.0)
