"""What depends on the embedding is chosen by the real gate, check, filter and kernel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.tools.maintainer.footage.baseline_limits import learnt, taken_off
from daemon.tools.maintainer.footage.scene_distances import (
    CutCounts,
    best,
    count_cuts,
    from_smoothed,
    interleaved,
    lines,
    settle_distance,
)
from daemon.tools.maintainer.footage.score_series import LabelledSeries, SeriesError
from daemon.tools.maintainer.footage.still_view import Kept, count_kept
from daemon.tools.maintainer.heads import kernel
from daemon.tools.maintainer.heads.training_set import Rows
from pipeline.calibration.few_shot import SHARPNESS
from pipeline.evaluation.dataset import CameraMotion, LabelledClip, Span
from tests.fakes import ListCamera, plain


def clip(
    name: str,
    source: str,
    direction: int,
    part: str = "0",
    drift: float = 0.0,
    camera: CameraMotion | None = None,
) -> LabelledSeries:
    """Four seconds of one view, in one direction of the embedding; `drift` turns it towards the next."""
    times = np.arange(0, 4, 0.2)
    embeddings = np.zeros((len(times), 8), np.float16)
    embeddings[:, direction] = 1
    embeddings[len(times) // 2 :, (direction + 1) % 8] = drift
    labelled = LabelledClip(Path(f"{name}.mp4"), (), source, camera)
    return LabelledSeries(labelled, part, ("fire",), times, np.zeros((len(times), 1), np.float32), embeddings)


def test_every_join_is_a_cut_and_any_other_opening_is_too_many() -> None:
    calm = [clip("a", "s", 0), clip("b", "t", 2), clip("c", "u", 4)]
    assert count_cuts(calm, 0.5, 0.3) == CutCounts(joins=2, found=2, extra=0)
    assert count_cuts(calm, 1.5, 0.3) == CutCounts(joins=2, found=0, extra=0)
    turning = [clip("a", "s", 0), clip("b", "t", 2, drift=2.0)]
    assert count_cuts(turning, 0.5, 0.3) == CutCounts(joins=1, found=1, extra=1)
    assert CutCounts(2, 2, 1).f1 == pytest.approx(0.8)


def test_neighbours_are_of_different_sources() -> None:
    clips = [clip("a", "s", 0), clip("b", "s", 1), clip("c", "s", 2), clip("d", "t", 3)]
    assert [one.clip.path.stem for one in interleaved(clips)] == ["a", "d", "b"]


def test_each_fold_is_judged_by_the_others() -> None:
    series = [
        clip(f"{part}{direction}", source + part, 2 * direction, part, camera="moving")
        for part in ("0", "1")
        for direction, source in enumerate(("s", "t", "u"))
    ]
    printed = list(lines(series))
    assert printed[0].startswith("settle distance 0.05")
    assert any(line.endswith("2 of 2 cuts found, 0 too many, F1 1.000") for line in printed)
    with pytest.raises(SeriesError, match="two or more"):
        list(lines(series[:3]))


def test_of_equally_good_distances_the_smallest_is_taken() -> None:
    assert best({0.3: CutCounts(4, 3, 1), 0.4: CutCounts(4, 4, 0), 0.5: CutCounts(4, 4, 0)}) == 0.4


def test_a_view_settles_within_what_a_moving_camera_shows() -> None:
    assert settle_distance(np.array([0.02] * 98 + [0.9, 0.9])) == 0.5
    assert settle_distance(np.array([0.02] * 200 + [0.9])) == 0.05
    turning = from_smoothed(clip("a", "s", 0, drift=3.0))
    assert len(turning) < 20, "the cut and the second after it are left out"
    assert turning.max() < 1e-3


def test_kept_encodings_are_compared_with_those_of_the_frame() -> None:
    """The picture never changes, the scores do: frames are encoded at 0, 0.5 and 1.5 s only."""
    odds = np.where(np.arange(20)[:, None] % 2, 4.0, -4.0).astype(np.float32)
    one = LabelledSeries(
        LabelledClip(Path("a.mp4"), (), "s"),
        "0",
        ("fire",),
        np.arange(20) / 10,
        odds,
        np.zeros((20, 0), np.float16),
    )
    counts = count_kept(ListCamera([plain((90, 90, 90))] * 20, fps=10), one, levels=(2.0,))[2.0]
    assert (counts.frames, counts.kept) == (20, 17)
    assert counts.decided_otherwise == 9
    assert (counts + Kept(20, 3, 0)).agreeing == pytest.approx(0.55)
    assert Kept().agreeing == 1


def test_what_a_view_always_shows_is_taken_off_but_never_an_alert() -> None:
    spans = (Span("safe", 0, 20), Span("fire", 20, 30))
    times = np.arange(0, 30, 0.5)
    odds = np.full((60, 2), -1.0, np.float32)
    odds[:4, 1] = 3.0
    labelled, nothing = LabelledClip(Path("a.mp4"), spans, "s"), np.zeros((60, 0), np.float16)
    one = LabelledSeries(labelled, "0", ("fire", "dog"), times, odds, nothing)
    assert learnt(one) == pytest.approx([-1.0, -6.0]), "nothing is learnt within 20 s of an alert"
    off = taken_off(one, ordinary=-2.5, most=1.0).log_odds
    assert off[:, 0] == pytest.approx(-2.0)
    assert np.array_equal(off[:, 1], odds[:, 1])


def test_a_kernel_is_judged_on_sources_that_were_not_taught() -> None:
    random = np.random.default_rng(0)
    count = 160
    shown = np.zeros((count, 2), np.float32)
    shown[:40, 0] = shown[40:80, 1] = 1
    sources = np.array(
        [f"{'abc'[row // 40] if row < 80 else 'h'}{row % (2 if row < 80 else 9)}" for row in range(count)]
    )
    parts = np.where(sources == "h8", "locked", "0")
    rows = Rows(
        tuple(map(str, range(count))), shown, np.ones_like(shown), sources, parts, np.ones(count, np.bool_)
    )
    embeddings = np.eye(8)[[0] * 40 + [1] * 40 + [2] * 80] + random.normal(0, 0.02, (count, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    drawn = list(kernel.lessons(rows, 3, random))
    assert len(drawn) == 12
    for lesson in drawn:
        assert len(set(sources[lesson.like])) == 1
        assert not set(sources[lesson.unlike]) & set(sources[lesson.harmless])
        assert "h8" not in {*sources[lesson.unlike], *sources[lesson.harmless]}, "a locked source"
        found = kernel.figures(embeddings, lesson, SHARPNESS)
        assert found[:4] == (1.0, 1.0, 1.0, 1.0)
        assert found[4] == 0.0
