"""Figures against cases worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.clip_counts import AlertTime, ClipEvents, match_scenes
from pipeline.evaluation.clips import evaluate_clips
from pipeline.evaluation.dataset import LabelledClip, Span
from pipeline.evaluation.intervals import interval, none_or_all
from pipeline.evaluation.picture_scores import PictureScores
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.evaluation.ranking import average_precision, roc_auc

numbers = st.lists(st.integers(-5, 5), min_size=1, max_size=12)


@given(positives=numbers, negatives=numbers)
def test_auc_counts_pairs(positives: list[int], negatives: list[int]) -> None:
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positives for n in negatives]
    assert roc_auc(np.array(positives), np.array(negatives)) == pytest.approx(np.mean(pairs))


def test_ranking_by_hand() -> None:
    positives, negatives = np.array([0.9, 0.4]), np.array([0.6, 0.1, 0.4])
    assert roc_auc(positives, negatives) == pytest.approx((3 + 1.5) / 6)
    assert average_precision(positives, negatives) == pytest.approx((1 + 2 / 4) / 2)
    assert roc_auc(positives, np.array([])) is None
    assert average_precision(np.array([]), negatives) is None


def test_pictures_by_hand() -> None:
    probabilities = np.array([[0.9, 0.2], [0.4, 0.7], [0.1, 0.6], [0.2, 0.1], [0.8, 0.3]])
    labels = ["fire", "fire", "dog", "safe", "safe"]
    result = evaluate_pictures(("fire", "dog"), probabilities, np.array([0.5, 0.5]), labels, list("abcde"))
    assert result["any_hazard"]["auc"] == pytest.approx((2 + 1 + 1) / 6, abs=1e-4)
    assert result["safe"] == {"pictures": 2, "false_alarm_rate": 0.5, "false_alarm_rate_ci": [0.0, 1.0]}
    assert result["hazards"]["fire"]["pictures"] == 2
    assert result["hazards"]["fire"]["auc"] == pytest.approx(3 / 4)
    assert result["hazards"]["fire"]["recall"] == 0.5
    assert result["hazards"]["fire"]["precision"] == 0.5
    assert result["hazards"]["dog"]["precision"] == 0.5
    assert result["macro"]["recall"] == 0.75
    assert result["macro"]["any_recall"] == 1.0
    assert result["confusion"] == {"dog": {"dog": 1}, "fire": {"fire": 1, "dog": 1}, "safe": {"fire": 1}}


def test_a_hazard_that_was_not_shown_has_no_figures_and_spoils_none() -> None:
    result = evaluate_pictures(("fire", "dog"), np.array([[0.9, 0.1]]), np.array([0.5, 0.5]), ["fire"], ["a"])
    assert list(result["hazards"]) == ["fire"]
    assert result["any_hazard"]["pictures"] == 1
    assert result["any_hazard"]["recall"] == 1.0
    assert result["any_hazard"]["auc"] is result["any_hazard"]["recall_at_5_percent"] is None
    assert result["safe"] == {"pictures": 0, "false_alarm_rate": None, "false_alarm_rate_ci": None}
    assert result["macro"]["recall"] == 1.0


def test_intervals_hold_the_value_and_are_the_same_every_time() -> None:
    random = np.random.default_rng(1)
    labels = ["fire"] * 30 + ["safe"] * 30
    probabilities = np.r_[random.normal(0.6, 0.2, 30), random.normal(0.4, 0.2, 30)][:, None]
    sources = [f"s{i % 7}" for i in range(60)]
    first, second = (
        evaluate_pictures(("fire",), probabilities, np.array([0.5]), labels, sources) for _ in range(2)
    )
    assert first == second
    low, high = first["any_hazard"]["auc_ci"]
    assert low < first["any_hazard"]["auc"] < high


def test_a_single_source_has_no_interval_and_perfection_is_not_certain() -> None:
    labels = ["fire"] * 4 + ["dog"] * 4 + ["safe"] * 4
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 4 + [[0.1, 0.2]] * 4)
    sources = ["a"] * 4 + list("bcde") + list("fghi")
    result = evaluate_pictures(("fire", "dog"), probabilities, np.array([0.5, 0.5]), labels, sources)
    fire, dog = result["hazards"]["fire"], result["hazards"]["dog"]
    assert fire["recall"] == fire["auc"] == fire["precision"] == 1.0
    assert {fire[f"{key}_ci"] for key in ("auc", "average_precision", "recall", "precision")} == {None}
    exact = [pytest.approx(0.3976, abs=1e-4), 1.0]
    assert (dog["recall_ci"], dog["precision_ci"], dog["auc_ci"]) == (exact, exact, exact)
    assert dog["average_precision_ci"] is None, "nothing exact is known of it, and no draw differs"
    assert result["safe"]["false_alarm_rate_ci"] == [0.0, pytest.approx(0.6024, abs=1e-4)]
    assert result["macro"]["recall_ci"] is None


@pytest.mark.parametrize(("count", "low"), [(1, 0.025), (10, 0.6915), (100, 0.9638)])
def test_bounds_of_all_and_of_none_mirror_each_other(count: int, low: float) -> None:
    assert none_or_all(1.0, count) == pytest.approx((low, 1.0), abs=1e-4)
    assert none_or_all(0.0, count) == pytest.approx((0.0, 1 - low), abs=1e-4)


def test_draws_that_never_differ_are_no_interval() -> None:
    assert interval(0.5, [0.5] * 9, 5, counts=True) is None
    assert interval(0.5, [0.4, 0.5, 0.6], 1, counts=True) is None
    assert interval(0.5, [None], 5, counts=True) is None
    assert interval(None, [0.5], 5, counts=True) is None


def clip(*spans: tuple[str, float, float]) -> LabelledClip:
    return LabelledClip(Path("c.mp4"), tuple(Span(*span) for span in spans), "s")


def events(
    alerts: list[tuple[str, float]] | None = None,
    clears: list[tuple[str, float]] | None = None,
    scenes: tuple[float, ...] = (),
    duration_s: float = 10.0,
) -> ClipEvents:
    raised, over = (tuple(AlertTime(*one) for one in some or []) for some in (alerts, clears))
    return ClipEvents(duration_s, raised, over, scenes)


def test_hazards_in_time_late_and_missed() -> None:
    spans = clip(("fire", 1, 5), ("dog", 2, 5), ("fire", 6, 8), ("safe", 8, 10))
    result = evaluate_clips([(spans, events([("fire", 1.5), ("dog", 3.5)], [("fire", 5.5)]))])
    assert (result["hazards"], result["late_or_missed"]) == (3, 2)
    assert result["time_to_alert_s"] == [0.5, 1.5]
    assert [(one["hazard"], one["start_s"], one["wait_s"]) for one in result["spans"]] == [
        ("fire", 1, 0.5),
        ("dog", 2, 1.5),
        ("fire", 6, None),
    ]
    assert result["false_alerts_on_safe"] == 0
    assert result["safe_hours"] == pytest.approx(2 / 3600, abs=1e-5)


def test_rounding_makes_no_alert_late() -> None:
    result = evaluate_clips([(clip(("fire", 14.6, 19)), events([("fire", 15.600000000000001)]))])
    assert result["late_or_missed"] == 0


def test_a_hazard_that_is_sounding_already_is_in_time() -> None:
    spans = clip(("fire", 1, 3), ("fire", 3, 8))
    result = evaluate_clips([(spans, events([("fire", 1.2)]))])
    assert result["late_or_missed"] == 0
    assert result["time_to_alert_s"] == [0.2, 0.0]
    cleared = evaluate_clips([(spans, events([("fire", 1.2)], [("fire", 2.9)]))])
    assert cleared["late_or_missed"] == 1


def test_false_alerts_count_only_where_nothing_but_safe_is_labelled() -> None:
    spans = clip(("safe", 0, 6), ("ignore", 2, 3), ("dog", 4, 5))
    result = evaluate_clips([(spans, events([("fire", t) for t in (1, 2.5, 4.5, 5.5, 9)]))])
    assert result["false_alerts_on_safe"] == 2
    assert result["safe_hours"] == pytest.approx(4 / 3600, abs=1e-5)
    assert result["false_alerts_per_hour"] == pytest.approx(2 / (4 / 3600))


def test_safe_seconds_end_with_the_clip() -> None:
    result = evaluate_clips([(clip(("safe", 0, 60)), events(duration_s=36))])
    assert result["safe_hours"] == 0.01
    assert evaluate_clips([(clip(("fire", 0, 9)), events())])["false_alerts_per_hour"] is None


def test_cuts_are_found_once_and_the_first_view_is_no_extra() -> None:
    assert match_scenes([3.0, 6.0], [0.4, 3.5, 5.0, 6.2, 6.9]) == (2, [5.0, 6.9])
    assert match_scenes([3.0], [2.9, 5.1]) == (0, [2.9, 5.1])
    assert match_scenes([], [0.1, 0.2]) == (0, [0.2])


def test_scenes_in_ignored_seconds_are_no_extra_but_may_find_a_cut() -> None:
    spans = clip(("scene", 4, 4), ("ignore", 4.1, 6))
    result = evaluate_clips([(spans, events(scenes=(4.5, 5.5, 8.0)))])
    assert (result["scenes"], result["scenes_found"], result["scenes_extra"]) == (1, 1, 1)


def from_source(source: str, *spans: tuple[str, float, float]) -> LabelledClip:
    return LabelledClip(Path(f"{source}.mp4"), tuple(Span(*span) for span in spans), source)


def test_figures_of_clips_have_intervals() -> None:
    waits = [0.2, 0.4, 0.6, 2.0, 0.3, 0.5]
    clips = [
        (from_source(f"s{i}", ("fire", 1, 5), ("safe", 5, 10)), events([("fire", 1 + wait)]))
        for i, wait in enumerate(waits)
    ]
    result = evaluate_clips(clips)
    assert result["in_time"] == pytest.approx(5 / 6, abs=1e-4)
    low, high = result["in_time_ci"]
    assert low < 5 / 6 < high == 1.0
    assert result["median_time_to_alert_s"] == pytest.approx(0.45)
    low, high = result["median_time_to_alert_s_ci"]
    assert 0.2 <= low < 0.45 < high <= 2.0
    hours = 6 * 5 / 3600
    assert result["false_alerts_per_hour_ci"] == [0.0, pytest.approx(2.9957 / hours, rel=1e-3)]


def test_clips_of_one_source_have_no_bootstrap_and_all_in_time_is_not_certain() -> None:
    one = (from_source("a", ("fire", 1, 5), ("safe", 5, 10)), events([("fire", 1.5), ("dog", 6), ("dog", 7)]))
    result = evaluate_clips([one, one])
    assert (result["in_time"], result["in_time_ci"], result["median_time_to_alert_s_ci"]) == (1.0, None, None)
    low, high = result["false_alerts_per_hour_ci"]
    assert low < result["false_alerts_per_hour"] < high
    other = (from_source("b", ("fire", 1, 5)), events([("fire", 1.5)]))
    assert evaluate_clips([one, other])["in_time_ci"] == [pytest.approx(0.1581, abs=1e-4), 1.0]
    nothing = evaluate_clips([(from_source("c", ("scene", 1, 1)), events())])
    assert nothing["in_time"] is nothing["in_time_ci"] is nothing["false_alerts_per_hour_ci"] is None


def test_an_uncertain_hazard_counts_neither_for_nor_against() -> None:
    probabilities = np.array([[0.9, 0.9], [0.9, 0.1], [0.1, 0.8], [0.1, 0.2]])
    labels = [("fire", "dog"), ("fire",), ("safe",), ("safe",)]
    certain = evaluate_pictures(("fire", "dog"), probabilities, np.array([0.5, 0.5]), labels, list("abcd"))
    unsure = evaluate_pictures(
        ("fire", "dog"),
        probabilities,
        np.array([0.5, 0.5]),
        labels,
        list("abcd"),
        [(), ("dog",), ("dog",), ()],
    )
    assert (certain["safe"]["false_alarm_rate"], unsure["safe"]["false_alarm_rate"]) == (0.5, 0.0)
    assert (certain["hazards"]["dog"]["precision"], unsure["hazards"]["dog"]["precision"]) == (0.5, 1.0)
    assert certain["hazards"]["dog"]["pictures"] == unsure["hazards"]["dog"]["pictures"] == 1
    assert unsure["confusion"]["dog"] == {"fire": 1, "dog": 1}
    assert certain["confusion"]["safe"] == {"dog": 1}
    assert unsure["confusion"]["safe"] == {}
    assert sum(one["pairs"] for one in unsure["reliability"]["pooled"]) == 6


@given(st.integers(0, 10_000), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_recall_at_a_price_keeps_the_price(seed: int, first: float, second: float) -> None:
    random = np.random.default_rng(seed)
    labels = ["fire"] * 20 + ["dog"] * 20 + ["safe"] * 45
    of = PictureScores(
        ("fire", "dog"), random.uniform(0.01, 0.99, (85, 2)), np.array([first, second]), labels
    )
    rows = np.arange(85)
    above = of.any_recall_at_price(rows)
    assert above is not None
    limit = np.sort(of.excess[of.safe].max(1))[::-1][2]
    assert (of.excess[of.safe].max(1) > limit).mean() <= 0.05
    assert above == pytest.approx((of.excess[of.danger].max(1) > limit).mean())
    macro = of.macro_recall_at_price(rows)
    named = [of.recall_at_price(column, rows) for column in (0, 1)]
    assert macro == pytest.approx(np.mean([one for one in named if one is not None]))
    assert macro is not None and macro <= above + 1e-9


def test_sources_are_counted_apart_and_few_of_them_are_said() -> None:
    probabilities = np.array([[0.9], [0.1], [0.9], [0.1], [0.9]])
    labels = ["fire", "fire", "safe", "safe", "fire"]
    result = evaluate_pictures(("fire",), probabilities, np.array([0.5]), labels, list("aaabb"))
    assert result["sources"]["a"] == {"safe": 1, "false_alarms": 1, "dangers": 2, "alarmed": 1, "named": 1}
    assert result["sources"]["b"] == {"safe": 1, "false_alarms": 0, "dangers": 1, "alarmed": 1, "named": 1}
    assert (result["hazards"]["fire"]["sources"], result["hazards"]["fire"]["few_sources"]) == (2, True)
    many = evaluate_pictures(("fire",), probabilities, np.array([0.5]), ["fire"] * 5, list("abcde"))
    assert not many["hazards"]["fire"]["few_sources"]


def test_reliability_of_calibrated_scores_is_their_probability() -> None:
    random = np.random.default_rng(7)
    chances = random.uniform(0, 1, 6000)
    labels = ["fire" if shown else "safe" for shown in random.uniform(0, 1, 6000) < chances]
    sources = [f"s{i % 9}" for i in range(6000)]
    result = evaluate_pictures(("fire",), chances[:, None], np.array([0.5]), labels, sources)
    table = result["reliability"]
    assert len(table["pooled"]) == len(table["hazards"]["fire"]) == 10
    assert table["expected_calibration_error"] < 0.03
    for one in table["pooled"]:
        assert one["from"] <= one["mean_probability"] <= one["to"]
        assert one["share_shown"] == pytest.approx(one["mean_probability"], abs=0.06)
        assert one["share_shown_ci"][0] <= one["share_shown"] <= one["share_shown_ci"][1]


@pytest.mark.parametrize(("pictures", "sources"), [(49, 7), (60, 4)])
def test_bins_of_a_hazard_that_rest_on_little_are_left_out(pictures: int, sources: int) -> None:
    names = [f"s{i % sources}" for i in range(pictures)]
    rows = np.full((pictures, 1), 0.55)
    result = evaluate_pictures(("fire",), rows, np.array([0.5]), ["fire"] * pictures, names)
    assert result["reliability"]["hazards"] == {}
    assert result["reliability"]["pooled"][0]["pairs"] == pictures


def test_wrong_alerts_count_inside_danger_too() -> None:
    spans = clip(("safe", 0, 2), ("fire", 2, 6), ("ignore", 6, 7), ("fire", 7, 8))
    raised = [("dog", 1.0), ("fire", 2.5), ("dog", 3.0), ("dog", 6.5), ("fire", 7.5), ("dog", 9.0)]
    result = evaluate_clips([(spans, events(raised))])
    assert (result["alerts"], result["wrong_alerts"], result["wrong_alerts_in_danger"]) == (5, 3, 1)
    assert result["wrong_alert_share"] == 0.6
    assert result["wrong_alerts_by_hazard"] == {"dog": 3}
    assert result["false_alerts_on_safe"] == 1


def test_alerts_for_an_uncertain_hazard_are_not_judged() -> None:
    one = LabelledClip(Path("c.mp4"), (Span("fire", 0, 5, frozenset({"smoke"})),), "s")
    result = evaluate_clips([(one, events([("fire", 0.5), ("smoke", 1.0), ("smoke", 6.0)]))])
    assert (result["alerts"], result["wrong_alerts"]) == (2, 1)


def test_clips_are_counted_by_source_camera_and_hazard() -> None:
    moving = LabelledClip(Path("a.mp4"), (Span("safe", 0, 10),), "a", "moving")
    still = LabelledClip(Path("b.mp4"), (Span("fire", 0, 10),), "b", "still")
    unknown = from_source("c", ("fire", 0, 10))
    result = evaluate_clips(
        [(moving, events([("dog", 1)])), (still, events([("fire", 0.5)])), (unknown, events([("fire", 3)]))]
    )
    assert {name: one["hazards"] for name, one in result["sources"].items()} == {"a": 0, "b": 1, "c": 1}
    assert result["camera"]["moving"]["false_alerts_on_safe"] == 1
    assert result["camera"]["still"]["false_alerts_per_hour_ci"] is None
    assert set(result["camera"]) == {"moving", "still"}
    assert result["by_hazard"]["fire"] == {"spans": 2, "in_time": 1, "sources": 2, "few_sources": True}
