"""Energy counters, and what follows from the frames of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.bench.harness import FrameTrace
from daemon.bench.lane_cost import EnergyMeter, energy_meter


def package(folder: Path, name: str, microjoules: int) -> Path:
    zone = folder / name
    zone.mkdir()
    (zone / "energy_uj").write_text(f"{microjoules}\n")
    (zone / "max_energy_range_uj").write_text("262143328850\n")
    return zone / "energy_uj"


def test_whole_packages_are_added_and_their_parts_left_out(tmp_path: Path) -> None:
    first, second = (package(tmp_path, name, 1_000_000) for name in ("intel-rapl:0", "intel-rapl:1"))
    package(tmp_path, "intel-rapl:0:0", 700_000)
    meter = energy_meter(tmp_path)
    assert isinstance(meter, EnergyMeter)
    before = meter.read_uj()
    first.write_text("3500000\n")
    second.write_text("1500000\n")
    assert meter.spent_j(before, meter.read_uj()) == pytest.approx(3.0)


def test_a_counter_that_started_again_is_continued(tmp_path: Path) -> None:
    counter = package(tmp_path, "intel-rapl:0", 262_143_328_000)
    meter = energy_meter(tmp_path)
    assert isinstance(meter, EnergyMeter)
    before = meter.read_uj()
    counter.write_text("1999150\n")
    assert meter.spent_j(before, meter.read_uj()) == pytest.approx(2.0)


def test_the_reason_is_told_if_nothing_can_be_read(tmp_path: Path) -> None:
    assert "no energy counter" in str(energy_meter(tmp_path / "none"))
    # Root reads a file whatever its mode; a folder in its place cannot be read by anyone.
    (tmp_path / "intel-rapl:0" / "energy_uj").mkdir(parents=True)
    reason = energy_meter(tmp_path)
    assert isinstance(reason, str)
    assert reason.endswith("only root may read it")


def test_rates_are_counted_by_whole_seconds() -> None:
    trace = FrameTrace(tuple(n * 0.3 for n in range(1, 9)), (0.3,) * 8)
    # 0.3 0.6 0.9 | 1.2 1.5 1.8 | 2.1 2.4, and the third second has not ended.
    assert trace.rates() == [3, 3]
    assert FrameTrace((0.3, 0.6), (0.3, 0.3)).rates() == [2]
    assert FrameTrace((), ()).rates() == [0]
