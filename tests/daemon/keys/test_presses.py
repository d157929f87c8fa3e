"""What somebody does with a key, told from when it went down and up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.keys.presses import KeyEvent, Press, PressDetector

DOUBLE_S, LONG_S = 0.35, 0.8
A, B = 164, 115
"""A means something when pressed twice, B does not."""


def presses() -> PressDetector:
    return PressDetector(DOUBLE_S, LONG_S, [A])


def played(story: Sequence[tuple[int, bool, float]], until_s: float = 100.0) -> list[Press]:
    machine = presses()
    found = [p for code, down, at_s in story for p in machine.step(KeyEvent(code, down, at_s))]
    return [*found, *machine.tick(until_s)]


@pytest.mark.parametrize(
    ("story", "kinds"),
    [
        ([(A, True, 0), (A, False, 0.1)], ["short"]),
        ([(A, True, 0), (A, False, 0.1), (A, True, 0.3), (A, False, 0.4)], ["double"]),
        ([(A, True, 0), (A, False, 0.1), (A, True, 0.5), (A, False, 0.6)], ["short", "short"]),
        ([(A, True, 0), (A, False, 1.0)], ["long"]),
        ([(A, True, 0), (A, False, 0.1), (A, True, 0.3), (A, False, 2.0)], ["double"]),
        ([(B, True, 0), (B, False, 0.1), (B, True, 0.2), (B, False, 0.3)], ["short", "short"]),
        ([(A, False, 0.1)], []),
        ([(A, True, 0), (A, True, 0.1), (A, False, 0.2)], ["short"]),
    ],
)
def test_kinds(story: list[tuple[int, bool, float]], kinds: list[str]) -> None:
    assert [press.kind for press in played(story)] == kinds


def test_a_long_press_is_told_while_the_key_is_held_and_a_short_one_as_soon_as_it_can_be_nothing_else() -> (
    None
):
    machine = presses()
    machine.step(KeyEvent(A, True, 0.0))
    assert machine.due_s() == LONG_S
    assert machine.tick(0.79) == ()
    assert machine.tick(LONG_S) == (Press(A, "long"),)
    assert machine.due_s() is None
    machine.step(KeyEvent(B, True, 2.0))
    assert machine.step(KeyEvent(B, False, 2.1)) == (Press(B, "short"),)
    machine.step(KeyEvent(A, True, 3.0))
    assert machine.step(KeyEvent(A, False, 3.1)) == ()
    assert machine.tick(3.1 + DOUBLE_S) == (Press(A, "short"),)


def test_lost_events_are_no_presses() -> None:
    machine = presses()
    machine.step(KeyEvent(A, True, 0.0))
    machine.reset()
    assert machine.tick(10.0) == ()
    assert machine.step(KeyEvent(A, False, 10.0)) == ()


stories = st.lists(st.tuples(st.sampled_from([A, B]), st.booleans(), st.floats(0.001, 2.0)), max_size=40)


@given(stories, st.lists(st.integers(0, 39)))
def test_laws(story: list[tuple[int, bool, float]], ticked: list[int]) -> None:
    """When it is looked at makes no difference to what is found; nothing is found without a key."""
    whole, looked, now = presses(), presses(), 0.0
    found: list[Press] = []
    also: list[Press] = []
    downs = {A: 0, B: 0}
    for number, (code, down, dt) in enumerate(story):
        if number in ticked:
            also += looked.tick(now + dt / 2)
        now += dt
        downs[code] += down
        found += whole.step(KeyEvent(code, down, now))
        also += looked.step(KeyEvent(code, down, now))
        due_s = whole.due_s()
        assert due_s is None or due_s >= now
    found += whole.tick(now + 10)
    also += looked.tick(now + 10)
    assert found == also
    assert whole.due_s() is None, "nothing stays open for ever"
    for code, count in downs.items():
        mine = [press.kind for press in found if press.code == code]
        assert len(mine) + mine.count("double") <= count
    assert "double" not in [press.kind for press in found if press.code == B]
