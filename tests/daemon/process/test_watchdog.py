"""Signs of life, and the watchdog that is fed from them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.process.systemd import Notifier
from daemon.process.watchdog import FIRST_FRAME_S, HUNG_S, Heartbeats, WatchdogFeeder, is_hung
from tests.daemon.ear import listening
from tests.logs import messages_of


@given(
    beats=st.lists(st.tuples(st.sampled_from(["capture", "watch"]), st.floats(0, 100)), max_size=20),
    now=st.floats(100, 200),
)
def test_stale_is_who_was_last_heard_too_long_ago(beats: list[tuple[str, float]], now: float) -> None:
    limits = {"capture": 5.0, "watch": 50.0}
    hearts = Heartbeats(limits, 0.0)
    for name, at_s in beats:
        hearts.beat(name, at_s)
    last = {"capture": 0.0, "watch": 0.0, **dict(beats)}
    assert {s.name for s in hearts.stale(now)} == {n for n in limits if now - last[n] > limits[n]}
    assert hearts.ages(now) == {name: now - at_s for name, at_s in last.items()}


def test_an_unknown_part_has_no_heart() -> None:
    with pytest.raises(KeyError):
        Heartbeats({"watch": 1.0}, 0.0).beat("wacht", 0.0)


def test_the_watchdog_starves_while_one_part_is_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(tmp_path) as ear, caplog.at_level(logging.WARNING):
        hearts = Heartbeats({"capture": 5.0, "watch": 5.0}, 0.0)
        pulse = WatchdogFeeder(Notifier({"NOTIFY_SOCKET": ear.name}), hearts)
        assert pulse.feed(1.0) == ()
        assert ear.hear() == ["WATCHDOG=1"]
        hearts.beat("watch", 6.0)
        for now in (6.0, 6.5):
            (stale,) = pulse.feed(now)
            assert stale.name == "capture"
        assert ear.silent()
        hearts.beat("capture", 7.0)
        assert pulse.feed(7.0) == ()
        assert ear.hear() == ["WATCHDOG=1"]
    assert messages_of(caplog, "daemon.process") == [
        "capture silent for 6.0 s (at most 5)",
        "capture gives signs of life again",
    ]


@pytest.mark.parametrize(
    ("silent_s", "seeing", "begun", "hung"),
    [
        (HUNG_S, True, True, False),
        (HUNG_S + 0.1, True, True, True),
        (60, False, True, False),
        (HUNG_S + 0.1, True, False, False),
        (FIRST_FRAME_S + 0.1, True, False, True),
    ],
)
def test_it_hangs_where_frames_come_and_none_is_finished(
    silent_s: float, seeing: bool, begun: bool, hung: bool
) -> None:
    assert is_hung(silent_s, seeing=seeing, begun=begun) is hung


@pytest.mark.parametrize(("usec", "interval_s"), [("30000000", 1.0), ("900000", 0.3), ("", 1.0)])
def test_the_pulse_comes_several_times_before_the_watchdog_bites(usec: str, interval_s: float) -> None:
    notifier = Notifier({"WATCHDOG_USEC": usec})
    assert WatchdogFeeder(notifier, Heartbeats({}, 0.0)).interval_s == pytest.approx(interval_s)
