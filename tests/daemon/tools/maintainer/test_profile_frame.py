"""The profile of a frame: every step is named, and the shares make a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.config import settings
from daemon.tools.maintainer.profile_frame import report, table

STEPS = (
    "limit the size",
    "compare with the last picture",
    "resize for the network",
    "network and heads",
    "score, calibrate, baseline",
    "core's step",
)


def test_a_step_that_few_frames_need_counts_by_its_share_of_them() -> None:
    lines = list(table({"always": [1.0, 1.0, 1.0, 50.0], "rarely": [4.0]}, frames=4))
    assert [line.split() for line in lines] == [
        ["always", "1.000", "ms", "50.0%"],
        ["rarely", "1.000", "ms", "50.0%"],
        ["frame", "2.000", "ms"],
    ]


def network_ms(lines: list[str]) -> float:
    return sum(
        float(found[1]) for line in lines if (found := re.search(r"network and heads +([\d.]+)", line))
    )


@pytest.mark.slow
def test_every_step_of_a_moving_view_is_listed_and_a_still_one_spares_the_network(
    models: Path, warm_cache: Path, tmp_path: Path
) -> None:
    env = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(warm_cache.parent)}
    loaded = settings.load(None, env, {"paths.models": str(models), "pipeline.model": "starter"}).settings
    lines = list(report(loaded, "480p", 6))
    start = next(number for number, line in enumerate(lines) if line.startswith("still"))
    moving, still = lines[:start], lines[start:]
    assert all(any(step in line for line in moving) for step in STEPS)
    shares = [float(found[1]) for line in moving if (found := re.search(r"([\d.]+)%", line))]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert network_ms(still) < network_ms(moving) / 2
