"""Scene distances are chosen by the real gate on joined clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.tools.maintainer.footage.derive_geometry import CutCounts, count_cuts, interleaved, main
from daemon.tools.maintainer.footage.score_series import LabelledSeries, write_series
from pipeline.evaluation.dataset import LabelledClip


def clip(name: str, source: str, direction: int, part: str = "0", drift: float = 0.0) -> LabelledSeries:
    """Four seconds of one view, in one direction of the embedding; `drift` turns it towards the next."""
    times = np.arange(0, 4, 0.2)
    embeddings = np.zeros((len(times), 8), np.float16)
    embeddings[:, direction] = 1
    embeddings[len(times) // 2 :, (direction + 1) % 8] = drift
    labelled = LabelledClip(Path(f"{name}.mp4"), (), source)
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


def test_the_tool_judges_each_fold_by_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("0", "1"):
        for direction, source in enumerate(("s", "t", "u")):
            one = clip(f"{part}{direction}", source + part, 2 * direction, part)
            write_series(tmp_path / f"{part}{direction}.npz", one)
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith("2 of 2 cuts found, 0 too many, F1 1.000")
    assert main([str(tmp_path / "nowhere")]) == 1
