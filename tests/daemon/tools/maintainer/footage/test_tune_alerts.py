"""Thresholds are chosen on the other folds, and judged by the real policy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.tools.maintainer.footage.alert_figures import LevelCounts, Tally, common_shift, own_shifts
from daemon.tools.maintainer.footage.score_series import (
    LabelledSeries,
    SeriesError,
    read_folder,
    read_series,
    write_series,
)
from daemon.tools.maintainer.footage.tune_alerts import SHIFTS, base_hazards, main, run_trial
from pipeline.alerting.rivals import NO_RULES
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.settings import WatchSettings

NAMES = ("fire", "dog")


def scored(part: str, label: str, levels: tuple[float, float], seconds: float = 20.0) -> LabelledSeries:
    """Scores that rise to the given log-odds after two seconds."""
    times = np.arange(0, seconds, 0.2)
    odds = np.where((times >= 2)[:, None], np.array(levels), -5.0).astype(np.float32)
    spans = (Span("safe", 0, 2), Span(label, 2, seconds, frozenset({"smoke"})))
    clip = LabelledClip(Path(f"{part}_{label}.mp4"), spans, f"source {part}", "moving")
    return LabelledSeries(clip, part, NAMES, times, odds, np.ones((len(times), 3), np.float16))


def test_series_survive_their_file(tmp_path: Path) -> None:
    before = scored("3", "fire", (2.0, -3.0))
    write_series(tmp_path / "a.npz", before)
    (after,) = read_folder(tmp_path)
    assert (after.clip, after.part, after.hazards) == (before.clip, before.part, before.hazards)
    assert np.array_equal(after.log_odds, before.log_odds)
    assert after.series.probabilities[-1, 0] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_what_is_no_series_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="holds no scores"):
        read_folder(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"nothing")
    with pytest.raises(SeriesError, match="score the clip again"):
        read_series(tmp_path / "a.npz")


def counts(false: list[list[int]], in_time: list[list[int]], hours: float = 1.0) -> LevelCounts:
    return LevelCounts(np.array(in_time), np.array(false), np.array(false), hours * 3600)


def test_one_shift_is_the_lowest_that_keeps_the_budget_from_there_on() -> None:
    one = counts([[9, 2, 5, 1, 0]], [[4, 4, 3, 3, 1]])
    assert common_shift(one, 6) == 1
    assert common_shift(one, 3) == 3
    assert common_shift(one, 0.5) == 4
    assert common_shift(counts([[9, 9]], [[1, 1]]), 1) == 1, "the highest if none keeps it"


def test_a_hazard_of_its_own_takes_the_middle_of_what_is_equally_good() -> None:
    hazards = base_hazards(NAMES, 0.5)
    one = counts([[9, 1, 1, 1, 0], [0, 0, 0, 0, 0]], [[4, 4, 4, 4, 1], [2, 2, 2, 0, 0]])
    assert own_shifts(one, hazards, 10, 0.0) == [2, 1]
    dear = counts([[3, 0], [0, 0]], [[1, 0], [1, 1]])
    assert own_shifts(dear, hazards, 100, 0.2) == [0, 1]
    assert own_shifts(dear, hazards, 100, 0.5) == [1, 1]


def test_a_trial_judges_each_fold_by_thresholds_of_the_others() -> None:
    """Fold 2 alone has harmless clips that look like fires: it cannot have raised its own threshold."""
    series = [
        scored("0", "fire", (2.0, -3.0)),
        scored("0", "safe", (-3.0, -3.0), 400),
        scored("1", "fire", (2.0, -3.0)),
        scored("1", "safe", (-3.0, -3.0), 400),
        scored("2", "fire", (2.0, -3.0)),
        scored("2", "safe", (1.0, -3.0), 400),
    ]
    trial = run_trial(series, base_hazards(NAMES, 0.5), WatchSettings(), NO_RULES, budget=1.0, price=0.1)
    assert trial.own.in_time == trial.own.spans == 3
    assert trial.common.false_alerts > 0
    assert trial.thresholds[0] > 1 / (1 + np.exp(-1.0)), (
        "chosen on all folds it lies above what fold 2 showed"
    )
    assert trial.common.safe_s == pytest.approx(3 * 400 + 3 * 2, abs=1)


def test_a_single_fold_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "a.npz", scored("3", "fire", (2.0, -3.0)))
    write_series(tmp_path / "b.npz", scored("locked", "fire", (2.0, -3.0)))
    assert main([str(tmp_path)]) == 1
    assert "one part 3 alone" in capsys.readouterr().err


def test_the_tool_prints_every_combination(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in "01":
        write_series(tmp_path / f"{part}f.npz", scored(part, "fire", (2.0, -3.0)))
        write_series(tmp_path / f"{part}s.npz", scored(part, "safe", (-2.0, -3.0)))
    assert main([str(tmp_path), "--smoothing", "0.1,0.3", "--vote", "0.3,0.9", "--rules", "both"]) == 0
    out = capsys.readouterr().out
    assert out.count("smoothing") == 4, "a vote longer than its window cannot be"
    assert "in time 2/2" in out


def test_tallies_add_up() -> None:
    one = Tally(spans=2, in_time=1, alerts=4, wrong=1, false_alerts=1, safe_s=1800)
    assert one + one == Tally(4, 2, 8, 2, 2, 3600)
    assert "false an hour 2.0" in str(one)
    assert len(SHIFTS) > 10
