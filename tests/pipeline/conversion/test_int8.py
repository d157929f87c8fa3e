"""How far 8 bits decide as 32 bits do, from made-up scores."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.conversion.int8 import MOST_DRIFT, compare_decisions
from pipeline.models.base import ZERO_SHOT_LOG_ODDS, Scores


def scores(frames: int = 40, seen: int = 10, change: float = 0.0) -> Scores:
    """Log-odds of three hazards far from the threshold; the first is seen on some frames."""
    rows = np.full((frames, 3), ZERO_SHOT_LOG_ODDS - 6, np.float32)
    rows[:seen, 0] = ZERO_SHOT_LOG_ODDS + 6
    return np.asarray(rows + change, np.float32)


def test_small_changes_far_from_the_threshold_agree() -> None:
    found = compare_decisions(scores(), scores(change=0.3))
    assert (found.alike, found.share, found.agrees) == (40, 1.0, True)
    assert found.drift == pytest.approx(0.3)
    assert str(found) == "decide as 32 bits do on 40 of 40 frames; 19 of 20 log-odds change by at most 0.30"


@pytest.mark.parametrize(("lost", "agrees"), [(2, True), (3, False)])
def test_hazards_that_are_lost_count_by_the_frame(lost: int, agrees: bool) -> None:
    small = scores()
    small[:lost, 0] = ZERO_SHOT_LOG_ODDS - 0.1
    found = compare_decisions(scores(), small)
    assert (found.alike, found.agrees) == (40 - lost, agrees)


def test_scores_that_drift_are_refused_though_no_hazard_is_near() -> None:
    found = compare_decisions(scores(seen=0), scores(seen=0, change=MOST_DRIFT + 0.1))
    assert (found.share, found.agrees) == (1.0, False)
    assert "not used" in str(found)


def test_what_is_not_a_number_does_not_agree() -> None:
    assert not compare_decisions(scores(), np.full_like(scores(), np.nan)).agrees
