from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from capture.stream.backlog import Arrived, Backlog


def filled(keys: str, *, gap_s: float = 0.1, size: int = 1000) -> Backlog[str]:
    """A packet for each letter, `K` a key frame, arriving at 0, `gap_s`, ..."""
    backlog: Backlog[str] = Backlog()
    for number, kind in enumerate(keys):
        backlog.add(Arrived(f"{kind}{number}", number * gap_s, kind == "K", size, number))
    return backlog


def taken(backlog: Backlog[str], now: float) -> list[tuple[str, bool]]:
    told = []
    while (arrived := backlog.take(now)) is not None:
        told.append((arrived.packet, arrived.restarts))
    return told


def test_in_time_every_packet_is_decoded_in_order() -> None:
    assert taken(filled("KpK"), 0.25) == [("K0", False), ("p1", False), ("K2", False)]


def test_behind_it_goes_on_at_the_last_key_frame_and_says_so() -> None:
    assert taken(filled("KppKppKp"), 0.8) == [("K6", True), ("p7", False)]


def test_behind_without_a_key_frame_it_decodes_on_for_a_while() -> None:
    backlog = filled("Kppp")
    assert [packet for packet, _ in taken(backlog, 1.0)] == ["K0", "p1", "p2", "p3"]


def test_too_far_behind_nothing_is_decoded_until_a_key_frame_comes() -> None:
    backlog = filled("Kppp")
    assert backlog.take(2.5) is None
    assert backlog.needs_key
    backlog.add(Arrived("p4", 2.5, False, 1000, 4))
    assert backlog.take(2.5) is None
    backlog.add(Arrived("K5", 2.6, True, 1000, 5))
    backlog.add(Arrived("p6", 2.7, False, 1000, 6))
    assert not backlog.needs_key
    assert taken(backlog, 2.7) == [("K5", True), ("p6", False)]


def test_it_is_bounded_in_bytes() -> None:
    backlog = filled("K" + "p" * 20, size=10 << 20)
    assert len(backlog) <= 6
    backlog.add(Arrived("K", 2.1, True, 10 << 20, 21))
    assert backlog.take(2.1) is not None


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.5), st.integers(0, 3)), max_size=60),
)
def test_what_is_taken_can_always_be_decoded(steps: list[tuple[bool, float, int]]) -> None:
    """Each packet follows the one before it, or is a key frame that restarts the decoder; time goes on."""
    backlog: Backlog[int] = Backlog()
    now, last = 0.0, -1
    for number, (is_key, wait_s, takes) in enumerate(steps):
        now += wait_s
        backlog.add(Arrived(number, now, is_key or number == 0, 1 << 20, number))
        for _ in range(takes):
            arrived = backlog.take(now)
            if arrived is None:
                break
            assert arrived.number > last
            assert arrived.number == last + 1 or (arrived.is_key and arrived.restarts)
            assert now - arrived.at_s <= 2.0
            last = arrived.number
