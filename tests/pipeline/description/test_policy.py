"""Narration: one view at a time, questions first, nothing stale, nothing twice, no question forgotten."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.policy import (
    READ_S,
    AnswerFinished,
    AskAgain,
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
    StopDescribing,
    Suppressed,
    Unanswered,
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


def question(number: int, at_s: float = 0.0, *, detector_only: bool = False) -> SceneEvent:
    return replace(scene(number, Trigger.REQUEST, at_s), question="Where?", detector_only=detector_only)


def test_dangers_that_follow_each_other_do_not_cancel_the_answer_to_a_question() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(question(1)), 0)
    dangers = [scene(number, Trigger.DANGER, number) for number in (2, 3, 4)]
    for danger in dangers:
        assert not any(isinstance(e, CancelDescription) for e in story.step(Requested(danger), danger.seq))
    assert said(story.step(SentenceReady("s1", "At the door.", "m"), 4.5)) == ["At the door."]
    assert StartDescription(dangers[-1]) in story.step(AnswerFinished("s1"), 4.6)


def test_a_question_is_not_kept_waiting_by_dangers() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1, Trigger.DANGER)), 0)
    assert story.step(Requested(question(2, 1)), 1) == (CancelDescription("s1"),)
    assert story.step(Requested(scene(3, Trigger.DANGER, 2)), 2) == (Suppressed("s3", "overtaken"),)
    assert story.step(AnswerFinished("s1"), 2) == (StartDescription(question(2, 1)),)


def test_a_question_that_a_model_did_not_answer_is_answered_from_the_detector_alone_and_once() -> None:
    for answer in (AnswerFinished("s1", "no answer within 4 s"), AnswerFinished("s1"), DescriptionTick()):
        story = DescriptionPolicy(SETTINGS, "en")
        story.step(Requested(question(1)), 0)
        effects = story.step(answer, 8)
        assert effects[-1] == AskAgain(question(1), detector_only=True)
        again = question(2, 8, detector_only=True)
        assert story.step(Requested(again), 8) == (StartDescription(again),)
        assert story.step(AnswerFinished("s2"), 9) == (Unanswered(again),)


def test_a_late_or_contradicted_answer_is_replaced_by_one_about_the_present_view() -> None:
    for at_s, contradicted, why in ((5.1, False, "stale"), (1.0, True, "contradicted")):
        story = DescriptionPolicy(SETTINGS, "en")
        story.step(Requested(question(1)), 0)
        late = SentenceReady("s1", "No car.", "m", contradicted=contradicted)
        assert story.step(late, at_s) == (Suppressed("s1", why, "No car.", "m"),)
        assert story.step(AnswerFinished("s1"), at_s) == (AskAgain(question(1), detector_only=True),)


def test_a_question_that_waited_too_long_is_asked_in_full_about_the_present_view() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(scene(1)), 0)
    story.step(Requested(question(2, 0.5)), 0.5)
    assert story.step(AnswerFinished("s1"), 6) == (AskAgain(question(2, 0.5), detector_only=False),)


def test_a_question_that_was_hushed_or_replaced_by_another_gets_no_answer() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(question(1)), 0)
    story.step(StopDescribing(), 1)
    assert story.step(AnswerFinished("s1"), 1) == ()
    story.step(Requested(question(2, 1)), 1)
    story.step(Requested(question(3, 2)), 2)
    assert story.step(AnswerFinished("s2"), 2) == (StartDescription(question(3, 2)),)


def test_a_view_that_waits_is_described_if_the_question_before_it_cannot_be_asked_again() -> None:
    story = DescriptionPolicy(SETTINGS, "en")
    story.step(Requested(question(1)), 0)
    danger = scene(2, Trigger.DANGER, 1)
    story.step(Requested(danger), 1)
    assert story.step(AnswerFinished("s1"), 2) == (AskAgain(question(1), detector_only=True),)
    assert story.step(DescriptionTick(), 2.1) == (StartDescription(danger),)


class SlowDescriber:
    """Carries out a policy's effects: each view takes `answer_s`, is given up at the deadline, and ends soon
    after it was cancelled; the detector's report takes a moment.
    """

    def __init__(self, answer_s: float) -> None:
        self.story, self.now = DescriptionPolicy(SETTINGS, "en"), 0.0
        self.answers: list[str] = []
        self._answer_s = answer_s
        self._running: tuple[float, SceneEvent, bool] | None = None
        self._ids = itertools.count()

    def ask(self, view: SceneEvent) -> None:
        self._perform(Requested(replace(view, id=f"s{next(self._ids)}", captured_at_s=self.now)))

    def wait(self, seconds: float) -> None:
        until_s = self.now + seconds
        while self._running is not None and self._running[0] <= until_s:
            (self.now, view, answered), self._running = self._running, None
            if answered:
                self._perform(SentenceReady(view.id, "At the door.", "m"))
            self._perform(AnswerFinished(view.id))
        self.now = until_s

    def _perform(self, event: NarrationInput) -> None:
        for effect in self.story.step(event, self.now):
            match effect:
                case StartDescription(view) if view.detector_only:
                    self._running = self.now + 0.05, view, True
                case StartDescription(view):
                    took_s = min(self._answer_s, SETTINGS.deadline_s)
                    self._running = self.now + took_s, view, took_s == self._answer_s
                case CancelDescription():
                    assert self._running is not None
                    self._running = self.now + 0.05, self._running[1], False
                case AskAgain(view, detector_only):
                    self.ask(replace(view, detector_only=detector_only))
                case Speak(_, view) if view.question:
                    self.answers.append(view.id)


@given(
    before=st.lists(st.floats(0.1, 5), max_size=10),
    after=st.lists(st.floats(0.1, 5), max_size=20),
    answer_s=st.floats(0.1, 20),
)
def test_a_question_is_answered_whatever_dangers_come_and_however_slow_the_model(
    before: list[float], after: list[float], answer_s: float
) -> None:
    """Once, and within two deadlines."""
    world = SlowDescriber(answer_s)
    for gap_s in before:
        world.ask(scene(0, Trigger.DANGER))
        world.wait(gap_s)
    world.ask(question(0))
    asked_at_s = world.now
    for gap_s in after:
        world.ask(scene(0, Trigger.DANGER))
        world.wait(gap_s)
    world.wait(max(0.0, asked_at_s + 2 * SETTINGS.deadline_s - world.now))
    assert len(world.answers) == 1


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
