"""Health: a failing component is told of once it lasts, not too often, and its recovery too."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.health import Change, Health, HealthSettings, HealthTick, Report

SETTINGS = HealthSettings(settle_s=1, quiet_s=10, remind_s=60)


def run(health: Health, reports: list[tuple[float, Report | HealthTick]]) -> list[tuple[float, Change]]:
    return [(t, change) for t, event in reports for change in health.step(event, t)]


def test_a_failure_is_told_after_it_lasts_and_its_recovery_too() -> None:
    told = run(
        Health(SETTINGS),
        [
            (0, Report("camera")),
            (5, Report("camera", "lost")),
            (5.5, HealthTick()),
            (6, HealthTick()),
            (20, Report("camera")),
            (21, HealthTick()),
        ],
    )
    assert [(t, c.reason) for t, c in told] == [(6, "lost"), (21, "ok")]


def test_a_hiccup_is_not_told() -> None:
    assert (
        run(Health(SETTINGS), [(0, Report("camera", "lost")), (0.5, Report("camera")), (9, HealthTick())])
        == []
    )


def test_a_flapping_component_is_told_of_at_most_once_a_quiet_time() -> None:
    reports = [(float(t), Report("camera", "lost" if t % 4 < 2 else "ok")) for t in range(100)]
    told = run(Health(SETTINGS), [(t, r) for t, r in reports])
    times = [t for t, _ in told]
    assert all(b - a >= SETTINGS.quiet_s for a, b in itertools.pairwise(times))
    assert len(told) >= 5


@pytest.mark.parametrize("report", [Report("picture", "dark"), Report("configuration", "invalid")])
def test_a_lasting_failure_is_told_again(report: Report) -> None:
    told = run(Health(SETTINGS), [(0, report), *((float(t), HealthTick()) for t in range(1, 130))])
    assert [(t, c.reminder) for t, c in told] == [(1, False), (61, True), (121, True)]


def test_what_does_not_cost_the_warning_is_told_again_more_rarely() -> None:
    told = run(
        Health(SETTINGS), [(0, Report("disk", "full")), *((float(t), HealthTick()) for t in range(1, 1300))]
    )
    assert [(t, c.reminder) for t, c in told] == [(1, False), (601, True), (1201, True)]


components = st.sampled_from(["camera", "picture", "voice"])
events = st.one_of(
    st.just(HealthTick()), st.builds(Report, components, st.sampled_from(["ok", "lost", "dark"]))
)


@given(st.lists(st.tuples(st.floats(0, 20), events), max_size=50))
def test_saved_and_restored_it_tells_the_same_and_never_twice_in_a_row(
    steps: list[tuple[float, Report | HealthTick]],
) -> None:
    whole, parts, now = Health(SETTINGS), Health(SETTINGS), 0.0
    last: dict[str, str] = {}
    for dt, event in steps:
        now += dt
        fresh = Health(SETTINGS)
        fresh.restore(json.loads(json.dumps(parts.state())))
        changes = whole.step(event, now)
        assert changes == fresh.step(event, now)
        parts = fresh
        for change in changes:
            assert change.reminder == (last.get(change.component, "ok") == change.reason)
            last[change.component] = change.reason
