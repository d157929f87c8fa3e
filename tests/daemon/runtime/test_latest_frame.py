"""The newest picture for whoever waits, and the probabilities of the last minutes."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from capture.frame import Frame
from daemon.control.commands import PictureCommand
from daemon.errors import CommandError
from daemon.handlers.snapshot import JpegCache, PictureAnswer
from daemon.runtime.latest_frame import HISTORY_S, MAX_CELLS, ROW_S, FrameSnapshot, LatestFrame
from tests.fakes import plain


def sighting(seq: int, t: float = 0.0, *p: float) -> FrameSnapshot:
    image, p = plain((200, 10, 10), 64), p or (0.5,)
    names = ("fire", *(f"h{i}" for i in range(1, len(p))))
    return FrameSnapshot(Frame(image, (64, 64), seq, t, "made"), np.array(p, np.float64), names, {})


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_whoever_waits_is_woken_by_the_next_picture_and_many_are() -> None:
    outlook, got = LatestFrame(), []
    outlook.update(sighting(1))
    threads = [threading.Thread(target=lambda: got.append(outlook.wait_newer(1, 10))) for _ in range(5)]
    for thread in threads:
        thread.start()
    while threads[0].is_alive() and len(outlook._waiters) < 5:
        threading.Event().wait(0.001)
    outlook.update(sighting(2))
    for thread in threads:
        thread.join(5)
    assert [one.frame.seq for one in got if one] == [2] * 5
    assert not outlook._waiters


def test_whoever_has_an_older_one_does_not_wait_and_nobody_stays_in_the_queue() -> None:
    outlook = LatestFrame()
    assert outlook.wait_newer(0, 0.01) is None
    outlook.update(sighting(7))
    found = outlook.wait_newer(6, 10)
    assert found is not None
    assert found.frame.seq == 7
    assert outlook.wait_newer(7, 0.01) is None
    assert not outlook._waiters


@given(st.lists(st.tuples(st.floats(0.001, 3), st.floats(0, 1)), min_size=1, max_size=200))
def test_rows_are_apart_bounded_and_lose_no_peak(frames: list[tuple[float, float]]) -> None:
    outlook, t = LatestFrame(), 0.0
    for seq, (gap, p) in enumerate(frames):
        t += gap
        outlook.update(sighting(seq, t, p))
    rows = outlook.rows(None)
    times = [row.at_s for row in rows]
    assert all(b - a >= ROW_S - 1e-5 for a, b in pairwise(times))
    assert times[-1] - times[0] <= HISTORY_S
    if t <= HISTORY_S:
        told = max(row.probabilities[0] for row in rows)
        after = max((p for p in _since(frames, times[-1])), default=0.0)
        assert max(told, after) == max(p for _, p in frames)
    assert outlook.rows(times[-1]) == ()


def _since(frames: list[tuple[float, float]], since_s: float) -> list[float]:
    found, t = [], 0.0
    for gap, p in frames:
        t += gap
        if t > since_s:
            found.append(p)
    return found


def test_a_thousand_hazards_take_no_more_room_than_ten() -> None:
    outlook = LatestFrame()
    for seq in range(1200):
        outlook.update(sighting(seq, seq / 10, *np.full(1000, 0.5)))
    rows = outlook.rows(None)
    assert sum(len(row.probabilities) for row in rows) <= MAX_CELLS + 1000


def test_rows_of_other_hazards_are_forgotten() -> None:
    outlook = LatestFrame()
    for seq in range(20):
        outlook.update(sighting(seq, seq / 10, 0.9))
    outlook.update(sighting(20, 2.0, 0.1, 0.2))
    assert [row.names for row in outlook.rows(None)] == [("fire", "h1")]
    assert outlook.rows(None)[0].probabilities.tolist() == [0.1, 0.2]


def test_a_print_is_made_once_for_all_and_ten_times_a_second_at_most() -> None:
    outlook, clock = LatestFrame(), Clock()
    room = JpegCache(outlook, clock, clock.wait)
    answer = PictureAnswer(outlook, room, clock)
    outlook.update(sighting(0))
    for _ in range(5):
        assert answer(PictureCommand(side=64))["seq"] == 0
    assert room.made == 1
    began_s, seq = clock.now, 0
    while clock.now < began_s + 10:
        seq += 1
        outlook.update(sighting(seq))
        assert answer(PictureCommand(side=64 + seq % 4, after=seq - 1))["seq"] == seq
    assert room.made <= 102


def test_a_picture_just_made_serves_who_comes_now_but_not_who_has_it() -> None:
    outlook, clock = LatestFrame(), Clock()
    room = JpegCache(outlook, clock, clock.wait)
    outlook.update(sighting(0))
    room.newest(64, None)
    outlook.update(sighting(1))
    assert room.newest(64, None).snapshot.frame.seq == 0
    assert room.newest(64, 0).snapshot.frame.seq == 1


def test_before_the_first_picture_and_where_there_is_no_newer_one() -> None:
    outlook, clock = LatestFrame(), Clock()
    answer = PictureAnswer(outlook, JpegCache(outlook, clock, clock.wait), clock)
    try:
        answer(PictureCommand())
    except CommandError as error:
        assert error.code == "unavailable"
    else:
        raise AssertionError("there is no picture yet")
    outlook.update(sighting(3))
    assert answer(PictureCommand(after=3, wait_s=0.01)) == {"seq": 3, "unchanged": True}
