"""Sides as the wearer has them: both at once, and of cameras that do not look ahead."""

from __future__ import annotations

import numpy as np
import pytest

from capture.settings import Facing
from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold
from pipeline.alerting.direction import FIXED, DirectionEstimator
from pipeline.settings import WatchSettings
from pipeline.types import Alert, Assessment, Direction, Encoding, Located, PartReading, Severity

NOTHING = Encoding(np.zeros(2, np.float32))
PARTS = (Direction.LEFT, Direction.AHEAD, Direction.RIGHT)


def direction_of(left: float, ahead: float, right: float, facing: Facing = "ahead") -> Direction | None:
    """What is said of a hazard that the parts show with these probabilities; its threshold is 0.5."""
    where = DirectionEstimator(WatchSettings(), {"car": 0.5}, facing)
    for frame in range(6):
        readings = [
            PartReading(part, np.array([p], np.float32))
            for part, p in zip(PARTS, (left, ahead, right), strict=True)
        ]
        where.step(["car"], readings, {"car": 0}, frame / 10)
    return where.of("car")


@pytest.mark.parametrize(
    ("probabilities", "direction"),
    [
        ((0.9, 0.1, 0.1), Direction.LEFT),
        ((0.9, 0.1, 0.9), Direction.BOTH),
        ((0.97, 0.1, 0.7), Direction.BOTH),
        ((0.97, 0.1, 0.3), Direction.LEFT),
        ((0.9, 0.9, 0.9), None),
        ((0.3, 0.01, 0.3), None),
        ((0.1, 0.9, 0.1), Direction.AHEAD),
    ],
)
def test_both_sides_are_said_as_both(
    probabilities: tuple[float, float, float], direction: Direction | None
) -> None:
    assert direction_of(*probabilities) is direction


@pytest.mark.parametrize("facing", ["left", "right", "back"])
def test_a_camera_that_looks_elsewhere_gives_its_own_side_to_all_it_sees(facing: Facing) -> None:
    assert direction_of(0.9, 0.1, 0.1, facing) is FIXED[facing]
    policy = AlertPolicy(WatchSettings(), [HazardThreshold("car", Severity.CRITICAL, 0.5)], facing=facing)
    events = [
        event
        for frame in range(20)
        for event in policy.step(Assessment(frame, frame / 10, NOTHING, np.array([0.9], np.float32)))
    ]
    (alert,) = (event for event in events if isinstance(event, Alert))
    assert alert.direction is FIXED[facing], "it is said in the first words"
    assert not any(isinstance(event, Located) for event in events)
    assert policy.next_crop() is None, "no part needs to be looked at"
