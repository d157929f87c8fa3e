"""What the desk asks of the real daemon: one start for all of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from daemon.control_client import ControlClient
from daemon.desk_commands import DeskCommand, Metrics, Picture, Scores
from tests.daemon.living import Living

pytestmark = pytest.mark.timeout(240)

SETTINGS = "[capture]\nloop = true\n"


@pytest.fixture(scope="module")
def living(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    clip = str(models / "demo" / "bikes.mp4")
    with Living(tmp_path_factory.mktemp("desk"), models, clip, SETTINGS) as daemon:
        daemon.until(lambda: bool(daemon.status()["assessed"]), 30, "the first picture")
        yield daemon


def ask(living: Living, command: DeskCommand) -> dict[str, Any]:
    with ControlClient(living.socket, timeout_s=60) as client:
        return client.ask(command)


def test_the_newest_picture_and_the_one_after_it(living: Living) -> None:
    first = ask(living, Picture(side=200))
    image = cv2.imdecode(np.frombuffer(base64.b64decode(first["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[:2] == (first["height"], first["width"])
    assert max(image.shape) == 200
    assert set(first["probabilities"]) == set(ask(living, Scores())["hazards"])
    then = ask(living, Picture(side=200, after=first["seq"], wait_s=5))
    assert then["seq"] > first["seq"]
    assert then["t"] > first["t"]


def test_an_alert_stands_on_the_picture_with_the_probabilities_that_led_to_it(living: Living) -> None:
    living.await_event("alert", hazard="vehicle")
    found: list[dict[str, Any]] = []

    def shown() -> bool:
        found[:] = ask(living, Picture(side=64))["active"]
        return any(one["hazard"] == "vehicle" for one in found)

    living.until(shown, 30, "the vehicle")
    one = next(one for one in found if one["hazard"] == "vehicle")
    assert one["severity"] in ("warning", "critical")
    assert one["alert"].startswith("a")
    scores = ask(living, Scores())
    column = scores["hazards"].index("vehicle")
    assert max(row[1][column] for row in scores["rows"]) >= scores["thresholds"]["vehicle"] - 0.001
    times = [row[0] for row in scores["rows"]]
    assert min(b - a for a, b in pairwise(times)) >= 0.2 - 1e-3
    assert ask(living, Scores(since_s=times[-1]))["rows"][:1] != scores["rows"][:1]


def test_metrics_agree_with_each_other(living: Living) -> None:
    living.await_event("speak")
    told = ask(living, Metrics())
    counters, encode = told["counters"], told["histograms"]["encode_seconds"]
    assert counters["frames_captured"] >= counters["frames_assessed"] >= encode["count"] - 1 > 0
    assert counters["vlm_calls_saved"] <= counters["frames_assessed"]
    assert sum(told["alerts_by_hazard"].values()) == counters["alerts"]
    for histogram in told["histograms"].values():
        counts = [count for _, count in histogram["buckets"]]
        assert counts == sorted(counts)
        assert counts[-1] <= histogram["count"]
    skipped = next(d for d in told["drops"] if d["place"] == "frames")
    assert skipped["policy"] == "newest"
    assert told["organs"]["camera"]["ok"]
    assert told["gauges"]["rss_bytes"] > 10e6
