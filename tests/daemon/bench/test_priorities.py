"""The measurement of priorities beside busy programs, in small."""

from __future__ import annotations

from pathlib import Path

from daemon.bench.priorities import LEVELS, measure


def children() -> set[str]:
    return {pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()}


def test_every_level_is_measured_in_every_round_and_nothing_is_left_running() -> None:
    before, seen = children(), []
    rows = dict(measure(lambda: seen.append(1), busy=1, rounds=2, seconds=0.2))
    assert set(rows) == set(LEVELS)
    assert all(len(each) == 2 for each in rows.values())
    assert len(seen) == 2 * len(LEVELS) * 3
    assert all(row.fps > 0 and 0 < row.p50_ms <= row.p99_ms for each in rows.values() for row in each)
    assert all(row.share == 0 for row in rows["none"])
    assert children() == before
