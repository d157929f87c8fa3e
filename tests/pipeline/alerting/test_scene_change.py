"""The scene gate: a view is described when it has changed and settled, and not too often."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerting.scene_change import MINUTE_S, SceneChangeGate, cosine_distance
from pipeline.settings import SceneSettings
from pipeline.types import Embedding

SETTINGS = SceneSettings(
    distance=0.3, smoothing_s=0.15, settle_distance=0.2, settle_s=0.3, min_interval_s=1.5, budget_per_minute=6
)
FPS = 25


def view(kind: int, noise: float = 0.0, seed: int = 0) -> Embedding:
    e = np.zeros(8, np.float32)
    e[kind] = 1
    e += (noise * np.random.default_rng(seed).standard_normal(8)).astype(np.float32)
    return (e / np.linalg.norm(e)).astype(np.float32)


def opened(gate: SceneChangeGate, kinds: list[int], *, blind: bool = False, start: int = 0) -> list[float]:
    return [
        (start + i) / FPS
        for i, kind in enumerate(kinds)
        if gate.step(view(kind, 0.05, seed=i), (start + i) / FPS, unwanted=blind)
    ]


def test_the_first_view_and_each_cut_are_described_once_settled() -> None:
    times = opened(SceneChangeGate(SETTINGS), [0] * 75 + [1] * 75 + [2] * 75)
    assert len(times) == 3
    assert all(0.3 <= t - cut <= 1.2 for t, cut in zip(times, (0, 3, 6), strict=True))


def test_a_still_view_is_described_once() -> None:
    assert len(opened(SceneChangeGate(SETTINGS), [0] * 1500)) == 1


def test_a_view_that_never_settles_is_not_described() -> None:
    gate = SceneChangeGate(SETTINGS)
    assert opened(gate, [i % 4 for i in range(250)]) == []


def test_no_description_while_blind() -> None:
    gate = SceneChangeGate(SETTINGS)
    assert opened(gate, [0] * 100, blind=True) == []
    assert len(opened(gate, [0] * 20, start=100)) == 1


def test_the_budget_and_the_interval_hold() -> None:
    gate = SceneChangeGate(SETTINGS)
    kinds = [(i // 20) % 8 for i in range(FPS * 60)]
    times = opened(gate, kinds)
    assert len(times) == SETTINGS.budget_per_minute
    assert min(np.diff(times)) >= SETTINGS.min_interval_s


def test_a_view_described_for_another_reason_is_not_described_again() -> None:
    gate = SceneChangeGate(SETTINGS)
    for i in range(5):
        gate.step(view(0), i / FPS)
    gate.mark_described()
    assert opened(gate, [0] * 100, start=5) == []


@given(st.lists(st.tuples(st.integers(0, 7), st.floats(0.01, 1.0)), max_size=60))
def test_saved_and_restored_at_any_moment_it_decides_the_same(steps: list[tuple[int, float]]) -> None:
    whole, parts, t = SceneChangeGate(SETTINGS), SceneChangeGate(SETTINGS), 0.0
    opened_s: list[float] = []
    for kind, dt in steps:
        t += dt
        fresh = SceneChangeGate(SETTINGS)
        fresh.restore(json.loads(json.dumps(parts.state())))
        verdict = whole.step(view(kind), t)
        assert verdict == fresh.step(view(kind), t)
        parts = fresh
        if verdict:
            opened_s.append(t)
    assert all(sum(u <= s < u + MINUTE_S for s in opened_s) <= SETTINGS.budget_per_minute for u in opened_s)


def test_cosine_distance_of_nothing_is_one() -> None:
    assert cosine_distance(np.zeros(3, np.float32), np.ones(3, np.float32)) == 1.0


def test_distances_that_no_model_has_given_are_refused() -> None:
    with pytest.raises(ValueError, match="must be those of a model"):
        SceneChangeGate(SceneSettings(distance=0.3))
    settings = SceneSettings(distance=0.3).with_distances(distance=0.5, settle_distance=0.2)
    assert (settings.distance, settings.settle_distance) == (0.3, 0.2)
    assert SceneChangeGate(settings).step(view(0), 0.0) is False
