"""Which models a trial turns down, and the thresholds that follow from harmless views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.models.base import ZERO_SHOT_LOG_ODDS
from pipeline.selection import trial as trials
from pipeline.selection.harmless import HarmlessView, harmless_views, unknown_beside
from pipeline.selection.trial import (
    ModelTrial,
    cure,
    failed_trial,
    read_trial,
    try_model,
    with_cure,
    write_trial,
    zero_shot_table,
)
from pipeline.types import PromptSet
from tests.fakes import ColourModel, plain

PROMPTS = PromptSet((("fire", ("red",)), ("dog", ("green",))), ())
GOOD = ModelTrial(
    model="clip", installed="today", machine="this", device="CPU", precision="bf16", frames_per_s=20, views=40
)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"frames_per_s": 7.9}, "too slow here: 7.9 frames/s, 8 are needed"),
        ({"failed": "no weights"}, "it does not run: no weights"),
        ({"false_views": 10, "starter_false_views": 0}, ""),
        ({"false_views": 11, "starter_false_views": 0}, "worse than the starter on harmless views"),
        ({"false_views": 11, "starter_false_views": 1}, ""),
        ({"false_views": 11, "starter_false_views": None}, "false alarms on 11 of 40"),
    ],
)
def test_what_is_slow_broken_or_loud_is_turned_down(changes: dict[str, object], reason: str) -> None:
    said = GOOD.model_copy(update=changes).turned_down(measured=False)
    assert reason in said
    assert bool(reason) == bool(said)


def test_a_reason_comes_with_its_cure_once() -> None:
    slow, broken = "too slow here", failed_trial("clip", "a fault", installed="", machine="").turned_down
    forced = "pipeline.model = 'clip' uses it all the same"
    assert with_cure("clip", slow) == f"too slow here; {forced}, `watchword models pull clip` tries it again"
    assert with_cure("clip", "worse than the starter") == f"worse than the starter; {forced}"
    said = broken(measured=False)
    assert with_cure("clip", said) == "it does not run: a fault; watchword models pull clip"
    cured = f"{said}; run `watchword models pull clip`"
    assert with_cure("clip", cured) == cured
    assert cure("clip", said) == "watchword models pull clip"


def test_labels_say_more_than_harmless_views_but_do_not_make_a_model_faster() -> None:
    loud = GOOD.model_copy(update={"false_views": 40, "starter_false_views": 0})
    assert loud.turned_down(measured=True) == ""
    assert loud.model_copy(update={"frames_per_s": 1}).turned_down(measured=True)


def test_trials_are_kept_and_a_broken_file_asks_for_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_trial(tmp_path, "clip") is None
    write_trial(tmp_path, GOOD)
    assert read_trial(tmp_path, "clip") == GOOD
    trials.trial_path(tmp_path, "clip").write_text("{")
    assert read_trial(tmp_path, "clip") is None
    assert "tried again" in caplog.text
    write_trial(tmp_path, failed_trial("clip", "torn\nweights", installed="", machine=""))
    found = read_trial(tmp_path, "clip")
    assert found is not None and found.failed == "torn weights"


def test_the_speed_is_that_of_the_best_round() -> None:
    times = iter(np.cumsum([0.05] * 2000).tolist())
    assert 5 < trials.frames_per_s([ColourModel()], lambda: next(times)) <= 20


def test_a_harmless_view_that_scores_high_raises_its_own_threshold_only() -> None:
    table = zero_shot_table(ColourModel(), PROMPTS, np.array([4.0, -np.inf]))
    fire, dog = (table.hazards[name] for name in PROMPTS.names)
    assert (-fire.offset, -dog.offset) == pytest.approx((4.5, ZERO_SHOT_LOG_ODDS), abs=1e-3)
    assert "raised by harmless views" in fire.provenance
    assert not table.measured()


def test_a_model_that_sees_fire_everywhere_is_counted() -> None:
    class Loud(ColourModel):
        """The bank of the colours scores red high."""

    views = [HarmlessView(plain((10, 10, 250)), frozenset(PROMPTS.names)) for _ in range(4)]
    views.append(HarmlessView(plain((10, 10, 250)), frozenset({"dog"})))
    model = Loud()
    scores = model.bind(PROMPTS).scores(model.encode(views[0].image))
    trial, table = try_model(model, None, PROMPTS, views, installed="", machine="")
    assert trial.views == 5
    assert trial.false_views == (4 if scores[0] >= ZERO_SHOT_LOG_ODDS else 0)
    assert -table.hazards["fire"].offset >= min(float(scores[0]), 30)
    assert trial.frames_per_s > 0


def test_blank_views_show_nothing_and_a_street_is_no_judge_of_streets(models: Path) -> None:
    blank = list(harmless_views(None))
    assert len(blank) >= 10
    assert "hole" in unknown_beside(["vehicle"])
    views = list(harmless_views(models / "demo/bikes.mp4"))[len(blank) :]
    assert len(views) >= 15
    assert all("vehicle" not in view.absent and "fire" in view.absent for view in views)
