"""The core as a whole: from assessments and commands to what is said, shown and asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.core import Core
from daemon.core.health import Report
from daemon.core.messages import (
    Ask,
    Assessed,
    CoreTick,
    DescribeView,
    Effect,
    Hand,
    Input,
    Mute,
    Record,
    Repeat,
    Say,
)
from daemon.handlers.status import core_status
from pipeline.description.policy import AnswerFinished, SentenceReady
from pipeline.types import Trigger
from speech.outbox.messages import (
    PlaybackBegan,
    PlaybackEnded,
    SpeechFailed,
    StartSpeech,
    StopSpeaking,
    StopSpeech,
)
from speech.utterance import Priority
from tests.fakes import assessment, core_spec


class World:
    """Feeds a core and answers it like a shell with an instant voice and describer."""

    def __init__(self, core: Core | None = None) -> None:
        self.core = core or Core(core_spec())
        self.effects: list[Effect] = []
        self.seq, self.now = 0, 0.0
        self.answers = True

    def step(self, event: Input) -> list[Effect]:
        effects = list(self.core.step(event, self.now))
        self.effects += effects
        return effects

    def watch(self, seconds: float, *, view: int = 0, unseen: str = "", **p: float) -> World:
        for _ in range(round(seconds * 25)):
            self.now = self.seq / 25
            for effect in self.step(Assessed(assessment(self.seq, self.now, view=view, **p), unseen)):
                self.answer(effect)
            self.seq += 1
        return self

    def answer(self, effect: Effect) -> None:
        match effect:
            case StartSpeech(utterance):
                self.tell(PlaybackBegan(utterance.id), PlaybackEnded(utterance.id))
            case DescribeView(scene) if self.answers:
                self.tell(SentenceReady(scene.id, f"View {scene.id}.", "fake"), AnswerFinished(scene.id))

    def tell(self, *events: Input) -> None:
        """Steps whose effects are answered too."""
        for event in events:
            for effect in self.step(event):
                self.answer(effect)

    def records(self, kind: str) -> list[dict[str, object]]:
        events = [e.event for e in self.effects if isinstance(e, Record) and e.event.kind == kind]
        return [json.loads(e.to_json()) for e in events]

    @property
    def said(self) -> list[str]:
        return [str(e["text"]) for e in self.records("speak")]


def test_a_danger_is_said_in_the_step_that_finds_it() -> None:
    world = World().watch(1).watch(2, fire=0.95)
    (alert,) = world.records("alert")
    spoken = next(e for e in world.records("speak") if e["cause"] == alert["id"])
    assert (alert["hazard"], alert["severity"]) == ("fire", "critical")
    assert spoken["t"] == alert["t"]
    assert spoken["text"] == "Stop! fire."


def test_a_danger_cuts_what_is_being_said() -> None:
    world = World().watch(1)
    world.step(Say("a long story"))
    world.step(PlaybackBegan("u2"))
    world.watch(1, fire=0.95)
    cut = next(i for i, e in enumerate(world.effects) if isinstance(e, StopSpeech))
    following = next(e for e in world.effects[cut:] if isinstance(e, StartSpeech))
    assert following.utterance.priority is Priority.DANGER


def test_a_danger_asks_for_detail_and_a_new_scene_for_a_description() -> None:
    world = World().watch(2).watch(2, view=1).watch(2, view=1, vehicle=0.9)
    scenes = world.records("scene")
    assert [s["trigger"] for s in scenes] == ["scene_change", "scene_change", "danger"]
    assert [d["cause"] for d in world.records("describe")] == ["s1", "s2", "s3"]
    assert scenes[2]["cause"] == world.records("alert")[0]["id"]


def test_a_reminder_asks_for_no_detail() -> None:
    spec = core_spec()
    spec = spec.model_copy(update={"watch": spec.watch.model_copy(update={"remind_s": 5.0})})
    world = World(Core(spec)).watch(17, fire=0.9)
    assert len(world.records("alert")) == 3
    assert [s["trigger"] for s in world.records("scene")].count(Trigger.DANGER) == 1


def test_a_danger_that_grows_asks_for_no_further_detail() -> None:
    world = World().watch(3, vehicle=0.6).watch(4, vehicle=0.99)
    assert [a["escalated"] for a in world.records("alert")] == [False, True]
    assert [s["trigger"] for s in world.records("scene")].count(Trigger.DANGER) == 1


def test_a_sentence_that_is_not_told_stands_in_the_events_with_its_model() -> None:
    world = World().watch(1)
    world.answers = False
    world.watch(2, view=1)
    (wanted,) = [e for e in world.effects if isinstance(e, DescribeView)][-1:]
    world.tell(SentenceReady(wanted.scene.id, "View s1.", "fake"), AnswerFinished(wanted.scene.id))
    told = world.records("unspoken")[-1]
    assert (told["cause"], told["reason"]) == ("s2", "repeats")
    assert (told["text"], told["model"]) == ("View s1.", "fake")


def test_an_alert_whose_voice_fails_is_raised_again() -> None:
    world = World()
    world.watch(0.2, fire=0.95)
    for _ in range(200):
        world.now = world.seq / 25
        for effect in world.step(Assessed(assessment(world.seq, world.now, fire=0.95))):
            if isinstance(effect, StartSpeech):
                world.step(SpeechFailed(effect.utterance.id, "no sound"))
        world.seq += 1
    assert len(world.records("alert")) >= 2


def test_mute_silences_descriptions_but_danger_only_when_asked_twice() -> None:
    world = World().watch(1)
    world.tell(Mute(600))
    assert world.said[-1] == "Silent for 10 minutes, except for danger."
    before = len(world.said)
    world.watch(2, view=1)
    assert len(world.said) == before, "a description was said in spite of mute"
    world.watch(1, view=1, fire=0.95)
    assert world.said[-1] == "Stop! fire."

    world.tell(Mute(600))
    assert "even about danger" in world.said[-1]
    before = len(world.said)
    world.watch(3, view=1, dog=0.95)
    assert len(world.said) == before
    assert [a["hazard"] for a in world.records("alert")] == ["fire", "dog"], (
        "a silent alert is still an event"
    )


def test_mute_asked_again_much_later_is_not_asked_twice() -> None:
    world = World()
    world.tell(Mute(600))
    world.now += 60
    world.tell(Mute(600))
    assert "except for danger" in world.said[-1]


@pytest.mark.parametrize(
    ("first", "second", "silent"),
    [
        ("keys", "keys", True),
        ("command", "command", True),
        ("home", "keys", False),
        ("keys", "home", False),
        ("page", "keys", False),
        ("page", "page", False),
        ("home", "home", False),
        ("keys", "command", False),
    ],
)
def test_danger_is_silenced_only_by_the_wearer_and_twice_by_the_same_hand(
    first: Hand, second: Hand, silent: bool
) -> None:
    world = World().watch(1)
    world.tell(Mute(600, first), Mute(600, second))
    assert ("even about danger" in world.said[-1]) is silent
    world.watch(1, fire=0.95)
    assert (world.said[-1] == "Stop! fire.") is not silent


def test_what_others_mute_neither_counts_nor_comes_between() -> None:
    world = World().watch(1)
    world.tell(Mute(600, "keys"), Mute(600, "home"), Mute(600, "keys"))
    assert "even about danger" in world.said[-1]


def test_a_danger_of_a_moment_ago_is_not_told_as_a_present_one() -> None:
    world = World()
    for seq in range(50):
        world.now = 10 + seq / 25
        for effect in world.step(Assessed(assessment(seq, world.now - 4, fire=0.95))):
            if isinstance(effect, StartSpeech):
                assert effect.utterance.text.startswith("A moment ago: ")
                return
    raise AssertionError("it was not said at all")


def test_mute_ends_by_itself_and_by_command() -> None:
    world = World().watch(1)
    world.tell(Mute(5))
    world.watch(6).watch(2, view=1)
    assert "View s2." in world.said


def test_repeat_says_the_last_thing_again() -> None:
    world = World().watch(1).watch(1, fire=0.95)
    world.tell(StopSpeaking(), Repeat())
    assert world.said[-1] == world.said[-2]


def test_an_explicit_question_is_passed_on_and_answered_as_a_message() -> None:
    world = World().watch(1)
    (asked,) = [e for e in world.step(Ask("Is the door open?")) if isinstance(e, DescribeView)]
    assert (asked.scene.trigger, asked.scene.question) == (Trigger.REQUEST, "Is the door open?")
    world.answer(asked)
    start = [e for e in world.effects if isinstance(e, StartSpeech)][-1]
    assert start.utterance.priority is Priority.MESSAGE


def test_a_lost_camera_is_told_and_so_is_its_return() -> None:
    world = World().watch(1)
    for at_s, report in (
        (2.0, Report("camera", "lost")),
        (3.5, None),
        (20.0, Report("camera")),
        (21.5, None),
    ):
        world.now = at_s
        world.tell(report or CoreTick())
    assert [(h["component"], h["reason"]) for h in world.records("health")] == [
        ("camera", "lost"),
        ("camera", "ok"),
    ]
    assert world.said[-2:] == ["Camera lost. I see nothing.", "The camera is back."]


@pytest.mark.parametrize("works", [None, "camera"])
def test_a_camera_lost_again_after_ready_was_heard_is_told_again(works: Literal["camera"] | None) -> None:
    """Without `works` the second loss would be no news: "lost" was the last that was heard of the camera."""
    world = World().watch(1)
    lost, ready = "Camera lost. I see nothing.", "Ready. I am watching."
    for at_s, event in (
        (2.0, Report("camera", "lost")),
        (3.5, CoreTick()),
        (20.0, Report("camera")),
        (20.1, Say(ready, works=works)),
        (21.0, Report("camera", "lost")),
        (22.5, CoreTick()),
    ):
        world.now = at_s
        world.tell(event)
    assert world.said[1:] == [lost, ready, *([lost] if works else [])]


def test_what_a_bad_picture_shows_is_not_described() -> None:
    world = World()
    world.step(Report("picture", "dark"))
    world.watch(3, view=2)
    assert world.records("scene") == []


@pytest.mark.parametrize("unseen", ["dark", "covered", "blurred"])
def test_a_view_that_shows_nothing_is_not_described_from_its_first_picture_on(unseen: str) -> None:
    world = World().watch(1).watch(2, view=1, unseen=unseen).watch(1, view=1, unseen=unseen, fire=0.95)
    assert [s["id"] for s in world.records("scene")] == ["s1"]
    assert len(world.records("alert")) == 1
    world.watch(3, view=1)
    assert [s["trigger"] for s in world.records("scene")] == ["scene_change", "scene_change"]


@pytest.mark.parametrize("told", [False, True])
def test_a_question_about_nothing_to_be_seen_is_answered_by_the_reason(told: bool) -> None:
    world = World().watch(1)
    if told:
        world.tell(Report("picture", "dark"))
        world.watch(3)
    else:
        world.watch(0.2, unseen="dark")
    before = len(world.records("scene"))
    world.tell(Ask("what is ahead?"))
    assert world.said[-1] == "Too dark for the camera."
    assert len(world.records("scene")) == before


def test_a_question_about_a_lost_camera_is_not_answered_from_its_last_picture() -> None:
    world = World().watch(1)
    world.tell(Report("camera", "lost"))
    world.now = 3.0
    world.tell(CoreTick(), Ask())
    assert world.said[-1] == "Camera lost. I see nothing."


commands: st.SearchStrategy[Input] = st.one_of(
    st.just(CoreTick()),
    st.just(StopSpeaking()),
    st.just(Repeat()),
    st.builds(Say, st.sampled_from(["one", "two"])),
    st.builds(Ask, st.none() | st.just("what?")),
    st.builds(Mute, st.sampled_from([0.0, 5.0, 60.0])),
    st.builds(Report, st.sampled_from(["camera", "picture", "voice"]), st.sampled_from(["ok", "lost"])),
    st.builds(PlaybackBegan, st.sampled_from([f"u{i}" for i in range(1, 9)])),
    st.builds(PlaybackEnded, st.sampled_from([f"u{i}" for i in range(1, 9)])),
    st.builds(SpeechFailed, st.sampled_from([f"u{i}" for i in range(1, 9)]), st.just("broke")),
    st.builds(
        SentenceReady, st.sampled_from(["s1", "s2", "s3"]), st.sampled_from(["A.", "B."]), st.just("m")
    ),
    st.builds(AnswerFinished, st.sampled_from(["s1", "s2", "s3"]), st.none() | st.just("broke")),
)
level = st.sampled_from([0.01, 0.3, 0.6, 0.98])
moments = st.lists(
    st.tuples(st.floats(0.01, 1.0), commands | st.tuples(level, level, level, st.integers(0, 3))), max_size=60
)


@settings(max_examples=60)
@given(moments)
def test_laws_under_any_inputs(
    steps: Sequence[tuple[float, Input | tuple[float, float, float, int]]],
) -> None:
    """It never raises; ids are unique; one thing sounds at a time; a saved state decides the same."""
    whole, parts, now = Core(core_spec()), Core(core_spec()), 0.0
    ids: set[tuple[str, str]] = set()
    sounding: str | None = None
    for seq, (dt, thing) in enumerate(steps):
        now += dt
        event: Input
        if isinstance(thing, tuple):
            event = Assessed(assessment(seq, now, *thing[:3], view=thing[3]))
        else:
            event = thing
        fresh = Core(core_spec())
        fresh.restore(json.loads(json.dumps(parts.state())))
        effects = whole.step(event, now)
        assert effects == fresh.step(event, now)
        parts = fresh
        if isinstance(event, PlaybackEnded | SpeechFailed) and event.id == sounding:
            sounding = None
        for effect in effects:
            match effect:
                case StartSpeech(utterance):
                    assert sounding is None
                    sounding = utterance.id
                case StopSpeech(id):
                    assert sounding == id
                    sounding = None
                case Record(record):
                    assert (record.kind, record.id) not in ids
                    ids.add((record.kind, record.id))
                case _:
                    pass


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_word_it_can_say_of_itself_exists_in_both_languages(language: str) -> None:
    from pipeline import wording

    assert wording.HEALTH[language].keys() == wording.HEALTH["en"].keys()
    assert all(len(text.split()) <= 12 for text in wording.HEALTH[language].values())


def test_the_status_names_each_danger_as_its_events_do() -> None:
    world = World().watch(1, fire=0.9)
    (alert,) = world.records("alert")
    (danger,) = core_status(world.core, world.now)["dangers"]
    assert danger["hazard"] == alert["hazard"] == "fire"
    assert danger["severity"] == alert["severity"] == "critical"
    assert danger["alert"] == alert["id"]
