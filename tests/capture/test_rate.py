from __future__ import annotations

import pytest

from capture.rate import FrameRateMonitor


def after(interval_s: float, monitor: FrameRateMonitor, start_s: float = 0.0) -> bool:
    for i in range(9):
        monitor.step(start_s + i * interval_s)
    return monitor.too_slow


@pytest.mark.parametrize(("interval_s", "slow"), [(0.04, False), (0.5, False), (1.0, True), (3.5, True)])
def test_too_few_pictures_are_noticed(interval_s: float, slow: bool) -> None:
    assert after(interval_s, FrameRateMonitor(1.5)) is slow


def test_one_pause_is_none_of_it_and_the_rate_comes_back() -> None:
    monitor = FrameRateMonitor(1.5)
    assert not after(0.1, monitor)
    assert not monitor.step(9.0)
    assert after(2.0, monitor, 10.0)
    assert not after(0.1, monitor, 30.0)


def test_any_rate_may_be_allowed() -> None:
    assert not after(60.0, FrameRateMonitor(0))
