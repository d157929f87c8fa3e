"""Narration: one view at a time, danger first, nothing stale, nothing twice."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.policy import (
    READ_S,
    AnswerFinished,
    CancelDescription,
    Described,
    DescriptionPolicy,
    DescriptionTick,
    NarrationEffect,
    NarrationInput,
    Requested,
    SentenceReady,
    Speak,
    StartDescription,
    Suppressed,
)
from pipeline.description.similarity import is_repetition
from pipeline.settings import DescribeSettings
from pipeline.types import SceneEvent, Trigger

SETTINGS = DescribeSettings(stale_s=5, deadline_s=4)


def scene(number: int, trigger: Trigger = Trigger.SCENE_CHANGE, at_s: float = 0.0) -> SceneEvent:
    return SceneEvent(f"s{number}", trigger, at_s, number)


def said(effects: tuple[NarrationEffect, ...]) -> list[str]:
    return [e.description.text for e in effects if isinstance(e, Speak)]


def test_a_view_is_asked_about_answered_and_recorded() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    assert story.step(Requested(scene(1)), 0) == (StartDescription(scene(1)),)
    assert said(story.step(SentenceReady("s1", "A street.", "m"), 1)) == ["A street."]
    assert said(story.step(SentenceReady("s1", "Two cars.", "m"), 1.2)) == ["Two cars."]
    (described,) = story.step(AnswerFinished("s1"), 1.3)
    assert isinstance(described, Described)
    assert described.description.text == "A street. Two cars."
    assert not story.busy


def test_a_newer_danger_cancels_and_the_overtaken_answer_is_not_said() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1)), 0)
    danger = scene(2, Trigger.DANGER, 1)
    assert story.step(Requested(danger), 1) == (CancelDescription("s1"),)
    assert said(story.step(SentenceReady("s1", "A street.", "m"), 1.1)) == []
    assert story.step(AnswerFinished("s1"), 1.2) == (StartDescription(danger),)


def test_a_change_of_scene_waits_for_a_danger_to_be_described() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1, Trigger.DANGER)), 0)
    assert story.step(Requested(scene(2)), 0.5) == ()
    assert said(story.step(SentenceReady("s1", "A fire.", "m"), 1)) == ["A fire."]
    assert StartDescription(scene(2)) in story.step(AnswerFinished("s1"), 1)


def test_a_waiting_danger_is_not_replaced_by_a_change_of_scene() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1, Trigger.DANGER)), 0)
    story.step(Requested(scene(2, Trigger.DANGER)), 0.1)
    assert story.step(Requested(scene(3)), 0.2) == (Suppressed("s3", "overtaken"),)


def test_a_stale_answer_is_withheld() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1)), 0)
    assert story.step(SentenceReady("s1", "A street.", "m"), 5.1) == (
        Suppressed("s1", "stale", "A street.", "m"),
    )


def test_an_answer_that_repeats_the_last_is_withheld_unless_asked_for() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    for number, trigger in ((1, Trigger.SCENE_CHANGE), (2, Trigger.SCENE_CHANGE), (3, Trigger.REQUEST)):
        story.step(Requested(scene(number, trigger)), 0)
        effects = story.step(SentenceReady(f"s{number}", "A street with cars.", "m"), 1)
        story.mark_heard("A street with cars.", 1)
        assert bool(said(effects)) == (number != 2)
        story.step(AnswerFinished(f"s{number}"), 1)


def test_a_describer_that_never_answers_is_given_up() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1)), 0)
    assert story.step(DescriptionTick(), 7.9) == ()
    assert story.step(DescriptionTick(), 8.0) == (Suppressed("s1", "late"), CancelDescription("s1"))
    assert not story.busy


def test_likeness_minds_sides_and_numbers() -> None:
    assert is_repetition("A street with cars.", "a street, with cars")
    assert not is_repetition("A car on your left.", "A car on your right.")
    assert not is_repetition("Bus 12 is coming.", "Bus 21 is coming.")
    assert not is_repetition("왼쪽에 차가 있습니다.", "오른쪽에 차가 있습니다.")


def test_likeness_is_by_meaning_where_vectors_are_given() -> None:
    near, far = (1.0, 0.0), (0.6, 0.8)
    assert is_repetition("A street with cars.", "Cars are on the road.", near, near)
    assert not is_repetition("A street with cars.", "A kitchen.", near, far)
    assert not is_repetition("A car on your left.", "A car on your right.", near, near)


def test_what_was_told_is_remembered_by_its_meaning() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    for number, text in ((1, "A street with cars."), (2, "Cars are on the road.")):
        story.step(Requested(scene(number)), 0)
        told = said(story.step(SentenceReady(f"s{number}", text, "m", (1.0, 0.0)), 1))
        story.mark_heard(text, 1)
        assert bool(told) == (number == 1)
        story.step(AnswerFinished(f"s{number}"), 1)


def inputs(ids: st.SearchStrategy[int]) -> st.SearchStrategy[NarrationInput]:
    return st.one_of(
        st.builds(lambda n, t: Requested(scene(n, t)), ids, st.sampled_from(Trigger)),
        st.builds(
            lambda n, text: SentenceReady(f"s{n}", text, "m"), ids, st.sampled_from(["A.", "B.", "C."])
        ),
        st.builds(lambda n, f: AnswerFinished(f"s{n}", f), ids, st.sampled_from([None, "broke"])),
        st.just(DescriptionTick()),
    )


@given(st.lists(st.tuples(inputs(st.integers(0, 5)), st.floats(0, 3)), max_size=60))
def test_laws_under_any_inputs(steps: list[tuple[NarrationInput, float]]) -> None:
    """At most one view is being described; what is told belongs to it; a saved state decides the same."""
    whole, parts, now, running = (
        DescriptionPolicy(SETTINGS, "en"),
        DescriptionPolicy(SETTINGS, "en"),
        0.0,
        None,
    )
    for event, dt in steps:
        now += dt
        if isinstance(event, Requested):
            event = Requested(scene(int(event.scene.id[1:]), event.scene.trigger, now))
        fresh = DescriptionPolicy(SETTINGS, "en")
        fresh.restore(json.loads(json.dumps(parts.state())))
        effects = whole.step(event, now)
        assert effects == fresh.step(event, now)
        parts = fresh
        for effect in effects:
            if isinstance(effect, Speak):
                assert effect.scene.id == running
                limit_s = READ_S if effect.scene.trigger is Trigger.READ else SETTINGS.stale_s
                assert now - effect.scene.captured_at_s <= limit_s
            if isinstance(effect, StartDescription):
                running = effect.scene.id
        assert whole.busy or not any(isinstance(e, StartDescription) for e in effects)


def test_what_was_never_heard_is_no_repetition() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    for number in (1, 2):
        story.step(Requested(scene(number)), 0)
        assert said(story.step(SentenceReady(f"s{number}", "A kitchen.", "m"), 1)) == ["A kitchen."]
        story.step(AnswerFinished(f"s{number}"), 1)


def test_any_sentence_heard_lately_is_a_repetition_and_none_of_long_ago() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    both = ["A street with cars.", "Two people wait."]

    def told(number: int, at_s: float) -> list[str]:
        story.step(Requested(scene(number, at_s=at_s)), at_s)
        effects = [e for text in both for e in story.step(SentenceReady(f"s{number}", text, "m"), at_s)]
        for text in said(tuple(effects)):
            story.mark_heard(text, at_s)
        story.step(AnswerFinished(f"s{number}"), at_s)
        return said(tuple(effects))

    assert told(1, 0) == both
    assert told(2, 20) == []
    assert told(3, 90) == both


def test_a_later_alert_is_contradicted_again() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    for number, at_s in ((1, 0.0), (2, 20.0)):
        story.step(Requested(scene(number, Trigger.DANGER, at_s=at_s)), at_s)
        assert said(story.step(SentenceReady(f"s{number}", "Probably not fire.", "m"), at_s))
        story.mark_heard("Probably not fire.", at_s)
        story.step(AnswerFinished(f"s{number}"), at_s)
