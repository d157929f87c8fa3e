"""What the outbox says, in what order, and what it never does."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from speech.outbox.messages import (
    Enqueue,
    Input,
    OutboxState,
    OutboxTick,
    PlaybackBegan,
    PlaybackEnded,
    QueuedUtterance,
    Retract,
    SpeechDropped,
    SpeechFailed,
    SpeechStarted,
    StartSpeech,
    StopSpeaking,
)
from speech.outbox.outbox import MIN_CHARS_PER_S, Outbox
from speech.settings import OutboxSettings
from tests.speech.outbox.world import DANGER, MESSAGE, NOTICE, TEXT, Shell, kinds, offers, say, steps

SETTINGS = OutboxSettings(waiting_limit=4, start_timeout_s=3.0, longest_s=10.0)


def shell(settings: OutboxSettings = SETTINGS) -> Shell:
    return Shell(Outbox(settings))


def sounding(*offered: Enqueue) -> Shell:
    """A shell whose first offer is being heard."""
    made = shell()
    for offer in offered:
        made.feed(offer)
    made.feed(PlaybackBegan(offered[0].utterance.id))
    return made


def test_an_offer_into_silence_starts_in_the_same_step() -> None:
    assert kinds(shell().feed(Enqueue(say("a")))) == [("start", "a")]


def test_spoken_is_reported_when_the_first_sample_is_out() -> None:
    assert kinds(sounding(Enqueue(say("a"))).feed(PlaybackBegan("a"))) == []
    made = shell()
    made.feed(Enqueue(say("a")))
    assert kinds(made.feed(PlaybackBegan("a"))) == [("spoken", "a")]


def test_messages_are_said_in_order() -> None:
    made = sounding(Enqueue(say("a")), Enqueue(say("b")), Enqueue(say("c")))
    assert kinds(made.feed(PlaybackEnded("a"))) == [("start", "b")]
    assert kinds(made.feed(PlaybackEnded("b"))) == [("dropped", "b", "failed"), ("start", "c")]


def test_danger_cuts_anything_lower() -> None:
    for lower in (NOTICE, TEXT, MESSAGE):
        made = sounding(Enqueue(say("low", lower)))
        assert kinds(made.feed(Enqueue(say("d", DANGER, severity=1)))) == [("cut", "low"), ("start", "d")]


def test_only_a_strictly_higher_severity_cuts_a_danger() -> None:
    made = sounding(Enqueue(say("d2", DANGER, severity=2)))
    assert kinds(made.feed(Enqueue(say("other2", DANGER, severity=2)))) == []
    assert kinds(made.feed(Enqueue(say("d1", DANGER, severity=1)))) == []
    assert kinds(made.feed(Enqueue(say("d3", DANGER, severity=3)))) == [("cut", "d2"), ("start", "d3")]
    made.feed(PlaybackBegan("d3"))
    assert [kinds(made.feed(PlaybackEnded(id_)))[-1][1] for id_ in ("d3", "d2", "other2")] == [
        "d2",
        "other2",
        "d1",
    ]


def test_a_danger_that_replaces_itself_is_not_repeated() -> None:
    made = sounding(Enqueue(say("fire", DANGER, key="fire", severity=2)))
    made.feed(Enqueue(say("fire nearer", DANGER, key="fire", severity=3)))
    made.feed(PlaybackBegan("fire nearer"))
    assert kinds(made.feed(PlaybackEnded("fire nearer"))) == []


def test_a_cut_message_is_said_again_once() -> None:
    made = sounding(Enqueue(say("m")))
    made.feed(Enqueue(say("d", DANGER)))
    made.feed(PlaybackBegan("d"))
    assert kinds(made.feed(PlaybackEnded("d"))) == [("start", "m")]
    assert kinds(made.feed(PlaybackBegan("m"))) == []  # it was reported spoken the first time
    made.feed(Enqueue(say("d2", DANGER)))
    assert kinds(made.feed(PlaybackEnded("d2")))[1:] == []


def test_a_cut_message_that_went_stale_is_not_said_again() -> None:
    made = sounding(Enqueue(say("m", expires_at_s=1.0)))
    made.feed(Enqueue(say("d", DANGER)))
    made.feed(PlaybackBegan("d"))
    assert kinds(made.feed(PlaybackEnded("d"), after_s=2.0)) == []


def test_a_cut_description_is_never_finished() -> None:
    made = sounding(Enqueue(say("t1", TEXT, cause="s1")), Enqueue(say("t2", TEXT, cause="s1")))
    effects = made.feed(Enqueue(say("d", DANGER)))
    assert kinds(effects) == [("cut", "t1"), ("dropped", "t2", "superseded"), ("start", "d")]


def test_the_newest_description_wins_and_its_sentences_stay_in_order() -> None:
    made = sounding(Enqueue(say("old1", TEXT, cause="s1")), Enqueue(say("old2", TEXT, cause="s1")))
    assert kinds(made.feed(Enqueue(say("new1", TEXT, cause="s2")))) == [("dropped", "old2", "superseded")]
    assert kinds(made.feed(Enqueue(say("new2", TEXT, cause="s2")))) == []
    assert kinds(made.feed(PlaybackEnded("old1"))) == [("start", "new1")]
    made.feed(PlaybackBegan("new1"))
    assert kinds(made.feed(PlaybackEnded("new1"))) == [("start", "new2")]


def test_descriptions_may_be_set_to_cut_each_other() -> None:
    made = shell(OutboxSettings(text_cuts_text=True))
    made.feed(Enqueue(say("old", TEXT, cause="s1")))
    made.feed(PlaybackBegan("old"))
    assert kinds(made.feed(Enqueue(say("more", TEXT, cause="s1")))) == []
    assert kinds(made.feed(Enqueue(say("new", TEXT, cause="s2"))))[-1] == ("start", "new")


def test_a_notice_is_only_said_into_silence() -> None:
    made = sounding(Enqueue(say("t", TEXT)))
    assert kinds(made.feed(Enqueue(say("n", NOTICE)))) == [("dropped", "n", "busy")]
    assert kinds(shell().feed(Enqueue(say("n", NOTICE)))) == [("start", "n")]


def test_the_same_key_replaces_what_waits_and_keeps_its_place() -> None:
    made = sounding(Enqueue(say("now")), Enqueue(say("a", key="k")), Enqueue(say("b")))
    assert kinds(made.feed(Enqueue(say("a2", key="k")))) == [("dropped", "a", "replaced")]
    assert kinds(made.feed(PlaybackEnded("now"))) == [("start", "a2")]


def test_expiry_is_checked_before_every_start() -> None:
    made = sounding(Enqueue(say("now")), Enqueue(say("soon", expires_at_s=1.0)), Enqueue(say("late")))
    assert kinds(made.feed(PlaybackEnded("now"), after_s=2.0)) == [
        ("dropped", "soon", "expired"),
        ("start", "late"),
    ]
    assert kinds(shell().feed(Enqueue(say("x", expires_at_s=1.0)), after_s=2.0)) == [
        ("dropped", "x", "expired")
    ]


def test_one_that_expired_while_it_sounded_does_not_begin_again_if_nothing_comes_in_its_place() -> None:
    made = sounding(Enqueue(say("old", DANGER, expires_at_s=1.0)))
    empty = replace(say("empty", DANGER, severity=3), text="")
    effects = made.feed(Enqueue(empty), after_s=2.0)
    assert kinds(effects) == [("cut", "old"), ("dropped", "empty", "duplicate")]


def test_what_is_no_longer_true_is_not_said() -> None:
    made = sounding(
        Enqueue(say("now", cause="c")), Enqueue(say("next", cause="c")), Enqueue(say("other", cause="o"))
    )
    assert kinds(made.feed(Retract("c"))) == [("dropped", "next", "retracted")]
    made = shell()
    made.feed(Enqueue(say("not heard yet", cause="c")))
    assert kinds(made.feed(Retract("c"))) == [
        ("cut", "not heard yet"),
        ("dropped", "not heard yet", "retracted"),
    ]


def test_hush_leaves_only_danger() -> None:
    made = sounding(Enqueue(say("m")), Enqueue(say("t", TEXT)))
    assert kinds(made.feed(StopSpeaking())) == [("dropped", "t", "hushed"), ("cut", "m")]
    made = sounding(Enqueue(say("d", DANGER)), Enqueue(say("e", DANGER)), Enqueue(say("m")))
    assert kinds(made.feed(StopSpeaking())) == [("dropped", "m", "hushed")]
    assert kinds(made.feed(PlaybackEnded("d"))) == [("start", "e")]


def test_a_full_line_drops_the_least_urgent() -> None:
    made = sounding(Enqueue(say("now", DANGER)), *(Enqueue(say(f"m{n}")) for n in range(4)))
    assert kinds(made.feed(Enqueue(say("m4")))) == [("dropped", "m4", "full")]
    assert kinds(made.feed(Enqueue(say("d", DANGER)))) == [("dropped", "m3", "full")]


def test_what_never_sounds_is_given_up() -> None:
    made = shell()
    made.feed(Enqueue(say("a")))
    made.feed(Enqueue(say("b")))
    assert made.outbox.wake_at_s() == 3.0
    assert kinds(made.feed(OutboxTick(), after_s=2.9)) == []
    assert kinds(made.feed(OutboxTick(), after_s=0.1)) == [
        ("cut", "a"),
        ("dropped", "a", "failed"),
        ("start", "b"),
    ]


def test_what_never_ends_is_cut() -> None:
    made = sounding(Enqueue(say("a")))
    assert kinds(made.feed(OutboxTick(), after_s=9.9)) == []
    assert kinds(made.feed(OutboxTick(), after_s=0.1 + len(say("a").text) / MIN_CHARS_PER_S)) == [
        ("cut", "a")
    ]
    assert made.outbox.state.counts["overlong"] == 1


def test_a_long_text_has_the_time_it_takes() -> None:
    long = replace(say("a"), text="word " * 200)
    made = sounding(Enqueue(long))
    assert kinds(made.feed(OutboxTick(), after_s=150.0)) == []


def test_a_failure_before_the_first_sample_is_reported() -> None:
    made = shell()
    made.feed(Enqueue(say("a")))
    assert kinds(made.feed(SpeechFailed("a", "no voice"))) == [("dropped", "a", "failed")]


def test_reports_about_others_are_ignored() -> None:
    made = sounding(Enqueue(say("a")))
    for report in (PlaybackBegan("x"), PlaybackEnded("x"), SpeechFailed("x", "?")):
        assert kinds(made.feed(report)) == []


# Laws


@given(steps)
def test_never_two_at_a_time_never_too_many_never_an_error(events: list[tuple[Input, float]]) -> None:
    made = shell()
    for event, after_s in events:
        made.feed(event, after_s)
        state = made.outbox.state
        assert len(state.waiting) <= SETTINGS.waiting_limit
        assert (state.current is None) <= (not state.waiting)
        assert list(state.waiting) == sorted(state.waiting, key=lambda entry: entry.order)


@given(steps)
def test_each_offer_is_spoken_or_dropped_exactly_once(events: list[tuple[Input, float]]) -> None:
    made = shell()
    for event, after_s in events:
        made.feed(event, after_s)
    while made.playing is not None:
        made.feed(OutboxTick(), after_s=100.0)
    offered = Counter(id(event.utterance) for event, _ in events if isinstance(event, Enqueue))
    told = Counter(
        id(effect.utterance) for effect in made.log if isinstance(effect, SpeechStarted | SpeechDropped)
    )
    assert told == offered
    counts = made.outbox.state.counts
    ended = counts.get("spoken", 0) + sum(n for name, n in counts.items() if name.startswith("dropped_"))
    assert ended == counts.get("offered", 0) == len([e for e, _ in events if isinstance(e, Enqueue)])


@given(steps)
def test_danger_is_only_lost_for_a_stated_reason(events: list[tuple[Input, float]]) -> None:
    made = shell()
    for event, after_s in events:
        waiting = made.outbox.state.waiting
        for effect in made.feed(event, after_s):
            if not isinstance(effect, SpeechDropped) or effect.utterance.priority != DANGER:
                continue
            assert effect.reason in {"expired", "retracted", "replaced", "duplicate", "full", "failed"}
            if effect.reason == "full":
                assert all(entry.utterance.priority == DANGER for entry in waiting)


@given(steps)
def test_nothing_starts_while_something_more_urgent_waits(events: list[tuple[Input, float]]) -> None:
    made = shell()
    for event, after_s in events:
        for effect in made.feed(event, after_s):
            # A start may be replaced within the step, so what is said at its end counts.
            current = made.outbox.state.current
            if isinstance(effect, StartSpeech) and current is not None and effect.utterance == current.said:
                waiting = made.outbox.state.waiting
                assert all(_urgency(current.entry) >= _urgency(other) for other in waiting)
                assert made.now <= effect.utterance.expires_at_s


def _urgency(entry: QueuedUtterance) -> tuple[int, bool, int]:
    return (entry.utterance.priority, entry.is_naming, entry.severity)


@given(steps, st.lists(offers, max_size=5))
def test_danger_starts_within_one_step_unless_danger_sounds(
    events: list[tuple[Input, float]], more: list[Enqueue]
) -> None:
    made = shell()
    for event, after_s in events:
        made.feed(event, after_s)
    alarm = say("alarm", DANGER, key="alarm", severity=9, expires_at_s=made.now, name="alarm")
    assert ("start", "alarm") in kinds(made.feed(Enqueue(alarm)))
    for offer in more:
        made.feed(offer)
        assert made.playing == "alarm"


@given(steps, steps)
def test_a_restored_outbox_goes_on_exactly_the_same(
    before: list[tuple[Input, float]], after: list[tuple[Input, float]]
) -> None:
    made = shell()
    for event, after_s in before:
        made.feed(event, after_s)
    state = made.outbox.state
    saved = json.loads(json.dumps(state.to_json()))
    assert OutboxState.from_json(saved) == state
    twin = Outbox(SETTINGS, OutboxState.from_json(saved))
    for event, after_s in after:
        assert made.feed(event, after_s) == twin.step(event, made.now)
    assert twin.state == made.outbox.state
