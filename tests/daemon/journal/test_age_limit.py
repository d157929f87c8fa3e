from __future__ import annotations

from daemon.journal.age_limit import DAY_S, SHARE_S, TRUSTED_S, AgeLimit

NOW_S = 1_790_000_000.0


def test_an_even_clock_is_believed() -> None:
    age = AgeLimit(NOW_S - 3600)
    assert age.before_s(30, 0.0, NOW_S) == NOW_S - 30 * DAY_S
    assert age.before_s(30, 60.0, NOW_S + 60) == NOW_S + 60 - 30 * DAY_S
    assert AgeLimit(None).before_s(1, 0.0, NOW_S) == NOW_S - DAY_S


def test_a_leap_is_believed_after_a_day_of_going_evenly() -> None:
    for age, leap_s in ((AgeLimit(NOW_S - 40 * DAY_S), 0.0), (AgeLimit(NOW_S - 60), 40 * DAY_S)):
        age.before_s(30, 0.0, NOW_S)
        assert age.before_s(30, 30.0, NOW_S + 30 + leap_s) is None
        assert age.before_s(30, 60.0, NOW_S + 60 + leap_s) is None
        late = 31.0 + TRUSTED_S
        assert age.before_s(30, late, NOW_S + late + leap_s) is not None


def test_never_more_than_a_share_at_once() -> None:
    age = AgeLimit(None)
    assert age.allowed(10_000, 400, 0.0) == 1000
    age.spend(900)
    assert age.allowed(9_100, 400, 1.0) == 100
    assert age.allowed(9_100, 400, SHARE_S + 1) == 910
    assert AgeLimit(None).allowed(30, 400, 0.0) == 400
