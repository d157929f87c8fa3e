"""The watch: when a probability becomes an alert, and when it does not."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerting.alert_policy import AlertPolicy, HazardThreshold, WatchEvent
from pipeline.settings import WatchSettings
from pipeline.types import Alert, Assessment, Clear, Direction, Encoding, Located, PartReading, Severity

HAZARDS = (
    HazardThreshold("fire", Severity.CRITICAL, 0.5),
    HazardThreshold("vehicle", Severity.WARNING, 0.5),
    HazardThreshold("dog", Severity.NOTICE, 0.5),
)
SETTINGS = WatchSettings()
Crop = tuple[Direction, Sequence[float]]


def assessment(seq: int, t: float, p: Sequence[float], crop: Crop | None = None) -> Assessment:
    readings = (PartReading(crop[0], np.array(crop[1], np.float32)),) if crop else ()
    return Assessment(seq, t, Encoding(np.ones(1, np.float32)), np.array(p, np.float32), readings)


class Run:
    """Feeds a watch at a steady rate and keeps what it said, acknowledging alerts as spoken."""

    def __init__(self, settings: WatchSettings = SETTINGS, *, fps: float = 25, speak: bool = True) -> None:
        self.watch = AlertPolicy(settings, HAZARDS)
        self.fps, self.speak, self.seq = fps, speak, 0
        self.events: list[WatchEvent] = []

    @property
    def now(self) -> float:
        return self.seq / self.fps

    def feed(self, seconds: float, fire: float = 0.01, vehicle: float = 0.01, dog: float = 0.01) -> Run:
        for _ in range(round(seconds * self.fps)):
            for event in self.watch.step(assessment(self.seq, self.now, (fire, vehicle, dog))):
                self.events.append(event)
                if isinstance(event, Alert) and self.speak:
                    self.watch.mark_spoken(event.id, self.now)
            self.seq += 1
        return self

    @property
    def alerts(self) -> list[Alert]:
        return [e for e in self.events if isinstance(e, Alert)]


@pytest.mark.parametrize("fps", [2, 5, 12.5, 25, 60])
def test_a_lasting_hazard_is_alerted_once_within_a_second_at_any_rate(fps: float) -> None:
    run = Run(fps=fps).feed(2).feed(4, fire=0.95)
    assert [a.hazard for a in run.alerts] == ["fire"]
    assert 0 < run.alerts[0].captured_at_s - 2 <= 1.0


@pytest.mark.parametrize("fps", [2, 5, 25, 60])
def test_one_look_is_never_enough(fps: float) -> None:
    run = Run(fps=fps).feed(2).feed(1 / fps, fire=1.0).feed(5)
    assert run.alerts == []


@pytest.mark.parametrize("interval_s", [0.7, 1, 5, 20])
def test_a_clear_frame_is_enough_if_frames_are_far_apart(interval_s: float) -> None:
    run = Run(fps=1 / interval_s).feed(3 * interval_s).feed(interval_s, fire=0.95)
    assert [a.hazard for a in run.alerts] == ["fire"]


def test_a_frame_just_over_its_threshold_needs_a_second_one_also_if_frames_are_far_apart() -> None:
    run = Run(fps=1).feed(3).feed(1, fire=0.55)
    assert run.alerts == []
    run.feed(1, fire=0.55)
    assert [a.hazard for a in run.alerts] == ["fire"]


def test_a_frame_after_a_stall_is_not_enough() -> None:
    run = Run().feed(2)
    run.seq += round(3 * run.fps)
    run.feed(0.04, fire=0.99).feed(1)
    assert run.alerts == []


def test_a_camera_that_was_slow_and_is_fast_again_needs_votes() -> None:
    run = Run(fps=1).feed(3)
    watch, seq = run.watch, run.seq
    for step in range(50):
        # The first frames of the fast time still come after a long interval.
        fire = 0.99 if step == 1 else 0.01
        assert watch.step(assessment(seq + step, run.now + 0.04 * step, (fire, 0.01, 0.01))) == ()


def test_a_flicker_shorter_than_the_vote_is_ignored() -> None:
    run = Run().feed(2)
    for _ in range(10):
        run.feed(0.2, fire=0.99).feed(0.5)
    assert run.alerts == []


def test_a_hazard_that_flickers_across_its_threshold_is_alerted_once() -> None:
    run = Run().feed(1)
    for _ in range(20):
        run.feed(0.2, fire=0.7).feed(0.04, fire=0.4)
    assert len(run.alerts) == 1
    assert not any(isinstance(e, Clear) for e in run.events)


def test_clear_comes_after_the_hazard_is_gone_for_clear_s() -> None:
    run = Run().feed(1, fire=0.9).feed(1.5, fire=0.05)
    assert not any(isinstance(e, Clear) for e in run.events)
    run.feed(2, fire=0.05)
    (clear,) = [e for e in run.events if isinstance(e, Clear)]
    assert clear.alert_id == run.alerts[0].id
    assert run.watch.active == {}


def test_the_same_hazard_is_not_said_again_before_its_cooldown() -> None:
    settings = WatchSettings(cooldown_s=10, clear_s=0.5)
    run = Run(settings).feed(1, vehicle=0.9).feed(2).feed(2, vehicle=0.9)
    assert len(run.alerts) == 1
    run.feed(8).feed(2, vehicle=0.9)
    assert len(run.alerts) == 2


def test_cooldown_counts_from_the_spoken_alert_not_from_the_raised_one() -> None:
    settings = WatchSettings(cooldown_s=10, clear_s=0.5, unspoken_retry_s=60)
    run = Run(settings, speak=False).feed(1, dog=0.9)
    run.feed(2)
    run.feed(1, dog=0.9)
    assert len(run.alerts) == 2, "nobody heard the first, so the second is news"


def test_an_alert_nobody_heard_is_raised_again_after_ever_longer_waits() -> None:
    run = Run(WatchSettings(unspoken_retry_s=3), speak=False).feed(30, fire=0.95)
    gaps = np.diff([a.captured_at_s for a in run.alerts])
    assert len(gaps) >= 3
    assert np.allclose(gaps[:3], [3, 6, 12], atol=0.1)
    assert [a.again for a in run.alerts] == [False, True, True, True]


def test_a_lasting_hazard_is_recalled_ever_more_rarely_but_a_mere_notice_is_not() -> None:
    run = Run(WatchSettings(remind_s=10)).feed(75, fire=0.9, dog=0.9)
    times = [a.captured_at_s for a in run.alerts if a.hazard == "fire"]
    waits = [b - a for a, b in itertools.pairwise(times)]
    assert waits == pytest.approx([10, 20, 40], abs=0.2)
    assert [a.hazard for a in run.alerts].count("dog") == 1


def test_a_rising_score_escalates_before_the_cooldown_is_over() -> None:
    run = Run(WatchSettings(remind_s=0)).feed(3, vehicle=0.6).feed(3, vehicle=0.97)
    first, second = run.alerts
    assert (first.severity, first.escalated) == (Severity.WARNING, False)
    assert (second.severity, second.escalated) == (Severity.CRITICAL, True)


def test_what_is_critical_already_comes_nearer_too() -> None:
    run = Run(WatchSettings(remind_s=0)).feed(3, fire=0.6).feed(3, fire=0.97)
    first, second = run.alerts
    assert (first.severity, first.escalated) == (Severity.CRITICAL, False)
    assert (second.severity, second.escalated) == (Severity.CRITICAL, True)


@given(st.floats(0.55, 0.99), st.floats(0.05, 1.0))
def test_a_score_that_only_arrives_does_not_come_nearer(probability: float, smoothing_s: float) -> None:
    run = Run(WatchSettings(remind_s=0, smoothing_s=smoothing_s)).feed(2).feed(8, vehicle=probability)
    assert [alert.escalated for alert in run.alerts] == [False]


def test_a_return_stronger_than_before_breaks_the_cooldown() -> None:
    settings = WatchSettings(cooldown_s=60, clear_s=0.2)
    weaker = Run(settings).feed(1, vehicle=0.6).feed(3).feed(1, vehicle=0.6)
    stronger = Run(settings).feed(1, vehicle=0.6).feed(3).feed(1, vehicle=0.98)
    assert (len(weaker.alerts), len(stronger.alerts)) == (1, 2)


@given(st.floats(0.55, 0.99), st.floats(0.05, 1.0))
def test_a_return_as_strong_as_before_waits_for_the_cooldown(probability: float, smoothing_s: float) -> None:
    settings = WatchSettings(cooldown_s=60, clear_s=0.2, remind_s=0, smoothing_s=smoothing_s)
    run = Run(settings, fps=8).feed(2).feed(8, vehicle=probability).feed(8).feed(8, vehicle=probability)
    assert [type(event) for event in run.events] == [Alert, Clear]


def test_evidence_starts_afresh_after_a_long_gap() -> None:
    run = Run(WatchSettings(max_gap_s=2)).feed(0.2, fire=0.99)
    run.seq += round(10 * run.fps)
    run.feed(0.2, fire=0.99)
    assert run.alerts == []


def test_time_standing_still_or_running_back_does_no_harm() -> None:
    watch = AlertPolicy(SETTINGS, HAZARDS)
    for t in (5.0, 5.0, 4.0, 4.5, 5.0):
        assert watch.step(assessment(0, t, (0.99, 0, 0))) == ()


def crops(run: Run, seconds: float, side: Direction) -> Iterable[WatchEvent]:
    for _ in range(round(seconds * run.fps)):
        focus = run.watch.next_crop()
        strength = 0.95 if focus is side else 0.3
        crop = (focus, (0.01, strength, 0.01)) if focus else None
        yield from run.watch.step(assessment(run.seq, run.now, (0.01, 0.8, 0.01), crop))
        run.seq += 1


@pytest.mark.parametrize("side", [Direction.LEFT, Direction.AHEAD, Direction.RIGHT])
def test_direction_follows_the_alert_or_comes_with_it_never_delays_it(side: Direction) -> None:
    plain = Run().feed(1).feed(1, vehicle=0.8)
    run = Run().feed(1)
    events = list(crops(run, 2, side))
    alert = next(e for e in events if isinstance(e, Alert))
    assert alert.captured_at_s == plain.alerts[0].captured_at_s
    located = [e.direction for e in events if isinstance(e, Located)]
    assert [alert.direction, *located] in ([side], [None, side])
    assert run.watch.next_crop() is None, "no part is looked at once the direction is known"


def test_no_part_stands_out_no_direction() -> None:
    run = Run().feed(1)
    for _ in range(100):
        focus = run.watch.next_crop()
        crop = (focus, (0.01, 0.8, 0.01)) if focus else None
        events = run.watch.step(assessment(run.seq, run.now, (0.01, 0.8, 0.01), crop))
        assert not any(isinstance(e, Located) or (isinstance(e, Alert) and e.direction) for e in events)
        run.seq += 1
    assert run.watch.next_crop() is None, "the search is given up after locate_s"


probability = st.floats(0, 1, width=32)
frames = st.lists(
    st.tuples(st.floats(0.001, 1.5), st.tuples(probability, probability, probability)),
    min_size=1,
    max_size=60,
)


@given(frames)
def test_saved_and_restored_at_any_moment_it_decides_the_same(
    steps: list[tuple[float, tuple[float, ...]]],
) -> None:
    whole, parts = AlertPolicy(SETTINGS, HAZARDS), AlertPolicy(SETTINGS, HAZARDS)
    t = 0.0
    for seq, (dt, p) in enumerate(steps):
        t += dt
        focus = whole.next_crop()
        a = assessment(seq, t, p, (focus, p) if focus else None)
        fresh = AlertPolicy(SETTINGS, HAZARDS)
        fresh.restore(json.loads(json.dumps(parts.state())))
        assert whole.step(a) == fresh.step(a)
        parts = fresh


@given(frames)
def test_alert_laws(steps: list[tuple[float, tuple[float, ...]]]) -> None:
    """Every alert is over its threshold; between two of a hazard lies its cool-down or a reason."""
    watch, t = AlertPolicy(SETTINGS, HAZARDS), 0.0
    last: dict[str, float] = {}
    for seq, (dt, p) in enumerate(steps):
        t += dt
        for event in watch.step(assessment(seq, t, p)):
            if not isinstance(event, Alert):
                continue
            assert event.probability >= 0.5
            known = last.get(event.hazard)
            assert known is None or t - known >= min(SETTINGS.escalate_min_s, SETTINGS.cooldown_s)
            last[event.hazard] = t
            watch.mark_spoken(event.id, t)


def test_a_thousand_hazards_are_watched_like_ten() -> None:
    names = [HazardThreshold(f"h{i}", Severity.WARNING, 0.5) for i in range(1000)]
    watch = AlertPolicy(SETTINGS, names)
    p = np.zeros(1000, np.float32)
    p[617] = 0.99
    view = Encoding(np.ones(1, np.float32))
    events = [e for i in range(50) for e in watch.step(Assessment(i, i / 25, view, p))]
    assert [e.hazard for e in events] == ["h617"]


def test_a_state_for_other_hazards_is_refused() -> None:
    with pytest.raises(ValueError, match="saved for hazards"):
        AlertPolicy(SETTINGS, HAZARDS[:1]).restore(AlertPolicy(SETTINGS, HAZARDS).state())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_changes_nothing_and_blinds_nobody(bad: float) -> None:
    run = Run().feed(2, fire=bad)
    assert run.alerts == []
    run.feed(2, vehicle=0.95).feed(0.2, vehicle=bad).feed(2, vehicle=0.95, fire=bad)
    assert [a.hazard for a in run.alerts] == ["vehicle"]
    assert np.isfinite(run.watch.smoothed).all()
    run.feed(2, fire=0.95)
    assert [a.hazard for a in run.alerts] == ["vehicle", "fire"]


def test_a_part_that_is_no_number_is_not_read() -> None:
    watch = AlertPolicy(SETTINGS, HAZARDS)
    for i in range(60):
        focus = watch.next_crop()
        value = math.nan if i % 2 else (0.9 if focus is Direction.LEFT else 0.1)
        crop = (focus, (value, 0.0, 0.0)) if focus else None
        watch.step(assessment(i, i / 25, (0.9, 0.0, 0.0), crop))
    assert watch.active["fire"].direction is Direction.LEFT
