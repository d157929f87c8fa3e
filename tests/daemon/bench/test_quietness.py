from __future__ import annotations

from pathlib import Path

import pytest

from daemon.bench.quietness import LoadMeter, busy_s, others_share


@pytest.mark.parametrize(
    ("used_s", "own_s", "wall_s", "share"),
    [(20.0, 20.0, 10.0, 0.0), (20.0, 10.0, 10.0, 0.5), (10.0, 12.0, 10.0, 0.0), (5.0, 0.0, 0.0, 0.0)],
)
def test_what_is_not_ours_is_the_others(used_s: float, own_s: float, wall_s: float, share: float) -> None:
    assert others_share(100.0, 100.0 + used_s, own_s, wall_s, processors=2) == pytest.approx(share)


def test_idle_time_and_waiting_for_a_disk_are_not_busy(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  100 20 30 99999 88888 1 2 7 50 60\ncpu0 1 2 3\n")
    assert busy_s(tmp_path / "stat") == pytest.approx(1.60)


def test_the_meter_counts_from_its_construction_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    machine_s, own_s, now_s = [500.0], [40.0], [9.0]
    meter = LoadMeter(lambda: machine_s[0], lambda: own_s[0], lambda: now_s[0])
    machine_s[0], own_s[0], now_s[0] = 515.0, 50.0, 19.0
    assert meter.share() == pytest.approx(0.25)
