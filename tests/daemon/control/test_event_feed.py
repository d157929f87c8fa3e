"""Events on their way to readers that may be slow."""

from __future__ import annotations

import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from daemon.control.event_feed import EventFeed

PATIENCE_S = 10.0


@given(
    limit=st.integers(1, 5),
    rounds=st.lists(st.integers(0, 12), max_size=8),
)
def test_every_line_is_read_or_told_as_dropped_and_the_newest_are_kept(limit: int, rounds: list[int]) -> None:
    feed = EventFeed(limit)
    sent = dropped = 0
    with feed.subscribed() as reader:
        for count in rounds:
            for _ in range(count):
                sent += 1
                feed.publish(str(sent))
            lines = list(reader.take(0.0))
            if lines and lines[0].startswith("{"):
                told = json.loads(lines.pop(0))
                assert (told["v"], told["kind"]) == (1, "dropped")
                dropped += told["count"]
            assert len(lines) == min(count, limit)
            assert lines == [str(n) for n in range(sent - len(lines) + 1, sent + 1)]
    assert feed.dropped == dropped == sum(max(0, count - limit) for count in rounds)


def test_a_reader_that_waits_is_woken() -> None:
    feed = EventFeed()
    got: list[str] = []
    with feed.subscribed() as reader:
        thread = threading.Thread(target=lambda: got.extend(reader.take(PATIENCE_S)))
        thread.start()
        feed.publish("hello")
        thread.join(PATIENCE_S)
    assert got == ["hello"]


def test_closing_wakes_a_reader_that_waits() -> None:
    feed = EventFeed()
    with feed.subscribed() as reader:
        thread = threading.Thread(target=reader.take, args=(PATIENCE_S,))
        thread.start()
        reader.close()
        thread.join(PATIENCE_S / 2)
        assert not thread.is_alive()


def test_a_slow_reader_takes_nothing_from_a_quick_one() -> None:
    feed = EventFeed(2)
    with feed.subscribed() as slow, feed.subscribed() as quick:
        for n in range(5):
            feed.publish(str(n))
            assert quick.take(0.0) == (str(n),)
        assert slow.take(0.0)[1:] == ("3", "4")
    feed.publish("nobody")
    assert quick.take(0.0) == ()
