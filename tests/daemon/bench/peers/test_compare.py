"""The table of gating rules."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from daemon.bench.peers.clips import ClipFrame, SceneClip
from daemon.bench.peers.compare import best_difference, measure, play
from daemon.bench.peers.outcome import RuleOutcome
from daemon.bench.peers.rules import EveryNth
from daemon.config.settings import defaults


def outcome(described: int, answered: int) -> RuleOutcome:
    return RuleOutcome(1.0, described, {"cut": answered}, {"cut": 10})


def test_of_the_thresholds_the_best_one_stays() -> None:
    tried = {
        "frame_difference@3": outcome(200, 10),
        "frame_difference@12": outcome(12, 9),
        "frame_difference@50": outcome(1, 1),
        "scene_gate": outcome(10, 10),
    }
    chosen = best_difference(tried)
    assert list(chosen) == ["scene_gate", "frame_difference"]
    best, note = chosen["frame_difference"]
    assert best is tried["frame_difference@12"]
    assert "above 12 grey levels, the best of 3 thresholds" in note


def test_every_rule_starts_anew_with_each_clip() -> None:
    image = np.zeros((36, 64, 3), np.uint8)
    clip = SceneClip("c", lambda: (ClipFrame(n / 25, image, "cut" if n == 7 else None) for n in range(50)))
    outcomes = play([clip, clip], {"rule": lambda: EveryNth(30)})
    assert [one.described_s for one in outcomes["rule"]] == [(0.0, 1.2)] * 2
    assert [one.seconds for one in outcomes["rule"]] == [pytest.approx(2.0)] * 2
    assert [one.changes[0].at_s for one in outcomes["rule"]] == [0.28, 0.28]


def test_without_pyscenedetect_its_rules_are_not_there(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python itself marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    for number in range(2):
        picture = np.random.default_rng(number).integers(0, 256, (36, 64, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    plain = defaults({"HOME": str(tmp_path)})
    paths = plain.paths.model_copy(update={"models": models})
    pipeline = plain.pipeline.model_copy(update={"model": "starter"})
    settings = plain.model_copy(update={"paths": paths, "pipeline": pipeline})
    figures = {figure.name: figure for figure in measure(settings, 1, tmp_path)}
    assert figures["peers.every_second.per_minute"].value == pytest.approx(60.0)
    assert figures["peers.every_second.recall"].value == 1.0
    assert figures["peers.scene_gate.recall"].samples == 1
    missing = figures["peers.content_detector.per_minute"]
    assert missing.value is None
    assert missing.note.startswith("not there: PySceneDetect")
