"""What the camera tells of itself is said aloud, also where it will never work."""

from __future__ import annotations

import pytest

from capture.reader import CameraEvent, CameraState
from daemon.core.health import Report
from daemon.core.health_sources import CameraReporter
from daemon.core.messages import CoreTick
from pipeline import wording
from tests.daemon.core.world import World


@pytest.mark.parametrize("state", [CameraState.UNUSABLE, CameraState.STUCK, CameraState.FAILED])
def test_a_camera_given_up_is_told_at_once_and_then_it_is_over(state: CameraState) -> None:
    world, over = World(), list[CameraEvent]()

    def tell(report: Report) -> None:
        world.tell(report)

    sense = CameraReporter(tell, over.append)
    sense(CameraEvent(state, "no such file", 0.0))
    assert [u.text for _, u in world.heard] == [wording.HEALTH["en"]["camera", state.value]]
    assert [event.state for event in over] == [state]


def test_it_is_told_although_something_was_told_just_before() -> None:
    world = World()
    world.tell(Report("camera", "lost"))
    world.now = 1.5
    world.tell(CoreTick())
    world.now = 2.0
    world.tell(Report("camera", "stuck"))
    assert [u.text for _, u in world.heard] == [
        wording.HEALTH["en"]["camera", "*"],
        wording.HEALTH["en"]["camera", "stuck"],
    ]


def test_the_end_of_a_file_is_no_failure() -> None:
    reports, over = list[Report](), list[CameraEvent]()
    CameraReporter(reports.append, over.append)(CameraEvent(CameraState.ENDED, "the file is over", 0.0))
    assert reports == []
    assert len(over) == 1
