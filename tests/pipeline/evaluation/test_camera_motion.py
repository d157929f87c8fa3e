"""Moving and still cameras, on views made of noise that can be followed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.evaluation.camera_motion import CameraMotionMeter, Picture


def view(seed: int = 3, side: int = 800) -> Picture:
    noise = np.random.default_rng(seed).integers(0, 256, (side // 10, side // 10, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def measured(frames: list[Picture], rate: float = 5.0) -> CameraMotionMeter:
    meter = CameraMotionMeter()
    for number, frame in enumerate(frames):
        meter.add(frame, number / rate)
    return meter


@pytest.mark.parametrize(("step", "motion"), [(8, "moving"), (0, "still")])
def test_a_pan_moves_the_whole_view(step: int, motion: str) -> None:
    world = view()
    assert measured([world[100:400, step * n : step * n + 400] for n in range(12)]).motion == motion


def test_something_that_crosses_a_still_view_moves_no_camera() -> None:
    world, thing = view()[:300, :400], view(9)[:120, :120]
    frames = [world.copy() for _ in range(12)]
    for number, frame in enumerate(frames):
        frame[100:220, 20 * number : 20 * number + 120] = thing
    assert measured(frames).motion == "still"


def test_cuts_are_no_motion() -> None:
    assert measured([view(seed)[:300, :400] for seed in (1, 1, 2, 2, 3, 3, 4, 4)]).motion == "still"


def test_a_plain_wall_and_a_single_frame_say_nothing() -> None:
    assert measured([np.full((300, 400, 3), 90, np.uint8)] * 5).motion is None
    assert measured([view()[:300, :400]]).motion is None


def test_frames_that_follow_closely_are_not_compared_each() -> None:
    """A slow pan at 25 pictures a second is as much of a motion as at 5."""
    world = view()
    assert measured([world[:300, n : n + 400] for n in range(60)], rate=25.0).motion == "moving"
