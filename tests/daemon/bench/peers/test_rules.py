"""The rules that decide when a view is described."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capture.frame import Image
from daemon.bench.peers.clips import frames_of
from daemon.bench.peers.rules import (
    ADAPTIVE,
    CONTENT,
    EveryNth,
    EverySeconds,
    FrameDifference,
    GatingRule,
    SceneGateRule,
    plain_rules,
    scenedetect_rules,
    shown,
)
from daemon.config.settings import defaults
from daemon.wiring.detector import build_detector

RATE = 25.0


def flat(level: int, width: int = 64) -> Image:
    return np.full((36, width, 3), level, np.uint8)


def scene(seed: int) -> Image:
    """Large patches of random colours: each seed is another place."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    return np.kron(patches, np.ones((45, 54, 1), np.uint8)).astype(np.uint8)


def described(rule: GatingRule, images: list[Image]) -> list[int]:
    return [n for n, image in enumerate(images) if rule.step(shown(n, n / RATE, image))]


def test_every_nth_frame_counts_from_the_first() -> None:
    assert described(EveryNth(30), [flat(0)] * 61) == [0, 30, 60]


def test_once_a_second_follows_the_clock_and_not_the_frames() -> None:
    assert described(EverySeconds(1.0), [flat(0)] * 51) == [0, 25, 50]
    # Times such as 3 * (1 / 3) are rounded.
    rule = EverySeconds(1.0)
    assert [n for n in range(7) if rule.step(shown(n, n * (1 / 3), flat(0)))] == [0, 3, 6]


def test_a_difference_must_be_above_the_threshold() -> None:
    images = [flat(10), flat(15), flat(15), flat(21), flat(21)]
    assert described(FrameDifference(5.0), images) == [3]
    assert described(FrameDifference(4.0), images) == [1, 3]


def test_each_threshold_has_a_rule_of_its_own() -> None:
    rules = plain_rules()
    images = [flat(0), flat(10)]
    assert described(rules["frame_difference@8"](), images) == [1]
    assert described(rules["frame_difference@12"](), images) == []


def test_frames_are_reduced_for_the_peers() -> None:
    seen = shown(0, 0.0, np.zeros((720, 1280, 3), np.uint8))
    assert (seen.image.shape, seen.small.shape) == ((720, 1280, 3), (144, 256, 3))
    small = flat(0)
    assert shown(0, 0.0, small).small is small


@pytest.mark.parametrize("name", [CONTENT, ADAPTIVE])
def test_pyscenedetect_answers_cuts_and_nothing_else(name: str) -> None:
    pytest.importorskip("scenedetect", reason="the extra `test` brings it")
    images = [scene(1)] * 30 + [scene(2)] * 30 + [scene(3)] * 30
    found = described(scenedetect_rules(RATE)[name](), images)
    assert len(found) == 2
    # The adaptive one looks a few frames ahead.
    assert all(0 <= at - cut <= 4 for at, cut in zip(found, (30, 60), strict=True))


def test_our_gate_describes_the_opening_and_the_view_after_a_cut(
    models: Path, short_street: Path, tmp_path: Path
) -> None:
    plain = defaults({"HOME": str(tmp_path)})
    wanted = plain.model_copy(
        update={
            "paths": plain.paths.model_copy(update={"models": models}),
            "pipeline": plain.pipeline.model_copy(update={"model": "starter"}),
        }
    )
    images = [image for _, image in frames_of(wanted, short_street)]
    opening, after, *_ = described(SceneGateRule(build_detector(wanted)), images)
    # The cut is at 1.2 s; the view must have settled before it is described.
    assert opening < 30 < after <= 30 + 2 * RATE
