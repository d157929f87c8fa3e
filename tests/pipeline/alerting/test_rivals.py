"""One thing is one alert, and never none: rivals told apart by a lead."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold
from pipeline.alerting.rivals import HOLD, NO_RULES, AlertRules, Rivals
from pipeline.alerting.rules import builtin_rules
from pipeline.hazards import builtin_hazards
from pipeline.settings import WatchSettings
from pipeline.types import Alert, Assessment, Encoding, Severity

NAMES = ("vehicle", "train", "two_wheeler", "dog")
RULES = AlertRules(
    yields_to={
        "vehicle": {"train": 0.0, "two_wheeler": 1.0},
        "train": {"vehicle": 0.0},
        "two_wheeler": {"vehicle": 0.5},
    }
)
HAZARDS = [HazardThreshold(name, Severity.WARNING, 0.5) for name in NAMES]
SETTINGS = WatchSettings(smoothing_s=0.0, vote_s=0.3, vote_window_s=0.6)

NO_VIEW = Encoding(np.zeros(1, np.float32))
log_odds = st.lists(st.floats(-4, 4), min_size=4, max_size=4)


def raised(
    rows: list[list[float]], rules: AlertRules = RULES, settings: WatchSettings = SETTINGS
) -> list[Alert]:
    """The alerts over rows of log-odds, five a second, each spoken at once."""
    policy, found = AlertPolicy(settings, HAZARDS, rules), []
    for number, row in enumerate(rows):
        p = (1 / (1 + np.exp(-np.array(row)))).astype(np.float32)
        for event in policy.step(Assessment(number, number / 5, NO_VIEW, p)):
            if isinstance(event, Alert):
                policy.mark_spoken(event.id, number / 5)
                found.append(event)
    return found


def names(alerts: list[Alert]) -> list[str]:
    return [alert.hazard for alert in alerts]


def test_a_train_is_not_a_vehicle_as_well() -> None:
    view = [[1.0, 2.0, -3, -3]] * 10
    assert names(raised(view)) == ["train"]
    assert sorted(names(raised(view, NO_RULES))) == ["train", "vehicle"]


def test_what_trails_by_less_than_the_lead_is_another_thing() -> None:
    assert sorted(names(raised([[2.0, -3, 1.6, -3]] * 10))) == ["two_wheeler", "vehicle"]
    assert names(raised([[2.0, -3, 1.4, -3]] * 10)) == ["vehicle"]


def test_hazards_without_rivals_are_left_alone() -> None:
    assert sorted(names(raised([[1.0, 2.0, -3, 0.1]] * 10))) == ["dog", "train"]


def test_scores_that_cross_make_no_second_alert_until_the_other_is_clearly_ahead() -> None:
    first, second = [2.0, 1.8, -3, -3], [1.8, 2.0, -3, -3]
    assert names(raised([first] * 5 + [second] * 5 + [first] * 5)) == ["vehicle"]
    clearly = [1.0, 1.2 + HOLD, -3, -3]
    assert names(raised([first] * 5 + [clearly] * 5)) == ["vehicle", "train"]


def test_an_exact_tie_raises_one() -> None:
    assert names(raised([[2.0, 2.0, -3, -3]] * 10)) == ["vehicle"]


@given(st.lists(log_odds, min_size=1, max_size=40))
def test_something_of_a_group_is_always_said(rows: list[list[float]]) -> None:
    """At every step at which a hazard is confirmed, it or one of its rivals is active."""
    policy = AlertPolicy(SETTINGS, HAZARDS, RULES)
    for number, row in enumerate(rows):
        p = (1 / (1 + np.exp(-np.array(row)))).astype(np.float32)
        policy.step(Assessment(number, number / 5, NO_VIEW, p))
        for name in NAMES:
            if policy.evidence(name).confirmed and name not in policy.active:
                rival = policy.evidence(name).withheld_by
                assert rival in RULES.yields_to[name]
        group = [name for name in NAMES[:3] if policy.evidence(name).confirmed]
        assert not group or set(policy.active) & set(NAMES[:3])


@given(st.lists(log_odds, min_size=1, max_size=40))
def test_rules_only_take_alerts_away(rows: list[list[float]]) -> None:
    """Without cool-downs in the way: whatever is raised first with rules would be raised without them too."""
    with_rules = {(a.hazard, a.seq) for a in raised(rows) if not (a.again or a.escalated)}
    without = [(a.hazard, a.seq) for a in raised(rows, NO_RULES)]
    first_without = dict(reversed(without))
    for hazard, seq in with_rules:
        assert hazard in first_without
        assert first_without[hazard] <= seq


@given(
    st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_only_the_confirmed_are_withheld_and_only_for_clearer_ones(
    excess: list[float], confirmed: list[bool], active: list[bool]
) -> None:
    withheld = Rivals(NAMES, RULES).withheld_by(np.array(excess), np.array(confirmed), np.array(active))
    for hazard, rival in withheld.items():
        lead = RULES.yields_to[NAMES[hazard]][NAMES[rival]]
        assert confirmed[hazard] and (confirmed[rival] or active[rival])
        assert excess[rival] + HOLD * active[rival] - excess[hazard] >= lead
    candidates = [i for i in range(4) if confirmed[i]]
    if candidates and not any(active):
        strongest = max(candidates, key=lambda i: (excess[i], -i))
        assert strongest not in withheld


def test_a_lead_below_zero_could_silence_both_and_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Rivals(NAMES, AlertRules(yields_to={"vehicle": {"train": -0.1}}))


def test_rivals_that_are_not_watched_for_are_left_out() -> None:
    rivals = Rivals(("vehicle",), RULES)
    assert rivals.withheld_by(np.array([1.0]), np.array([True]), np.array([False])) == {}


def test_more_votes_mean_a_later_alert_but_within_the_window() -> None:
    view = [[-3.0, -3, -3, 2.0]] * 10
    usual, slower = (
        raised(view, AlertRules(vote_factor={"dog": factor}))[0].captured_at_s for factor in (1.0, 1.6)
    )
    assert usual < slower <= 0.6
    most = AlertPolicy(SETTINGS, HAZARDS, AlertRules(vote_factor={"dog": 99.0}))
    assert most.needed_s.tolist() == [0.3, 0.3, 0.3, 0.6]


def test_a_restored_policy_withholds_the_same() -> None:
    rows = [[1.0, 2.0, 1.2, -1.0]] * 4
    whole, parts = AlertPolicy(SETTINGS, HAZARDS, RULES), AlertPolicy(SETTINGS, HAZARDS, RULES)
    for number, row in enumerate(rows):
        p = (1 / (1 + np.exp(-np.array(row)))).astype(np.float32)
        look = Assessment(number, number / 5, NO_VIEW, p)
        fresh = AlertPolicy(SETTINGS, HAZARDS, RULES)
        fresh.restore(json.loads(json.dumps(parts.state())))
        parts = fresh
        assert whole.step(look) == parts.step(look)


def test_the_built_in_rules_name_built_in_hazards() -> None:
    rules, known = builtin_rules(), set(builtin_hazards())
    assert set(rules.yields_to) <= known
    assert {rival for leads in rules.yields_to.values() for rival in leads} <= known
    assert set(rules.vote_factor) <= known
