"""What is no longer true is not said: checked where it would begin, through the whole core."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.core import Core
from daemon.core.health import Health, HealthSettings, Report
from daemon.core.messages import Ask, CoreTick, FalseAlarm, Input, Mute, Repeat, Say, TellStatus
from daemon.core.validity import Condition, Validity
from pipeline.log_odds import logit
from pipeline.settings import WatchSettings
from speech.outbox.messages import SpeechFailed, StartSpeech, StopSpeaking, StopSpeech
from speech.utterance import Priority, Utterance
from tests.daemon.core.world import World
from tests.fakes import SCENE, core_spec

LONG_S = 60.0
AT_ONCE = HealthSettings(settle_s=0, quiet_s=0)


def talking(**spec: object) -> World:
    """Somebody's message is being said and does not end by itself."""
    return World(LONG_S, **spec).tell(Say("a long message"))


def test_a_description_whose_danger_has_passed_is_not_said() -> None:
    world = talking().watch(1, vehicle=0.9).finish().tell(Say("another long message"))
    world.watch(0.2, vehicle=0.9).describe("A car comes closer.")
    assert world.records("clear") == []
    world.watch(3)
    assert len(world.records("clear")) == 1
    world.finish()
    assert "A car comes closer." not in world.said


def test_a_description_whose_danger_lasts_is_said() -> None:
    world = talking().watch(1, vehicle=0.9).finish().tell(Say("another long message"))
    world.watch(2, vehicle=0.9).describe("A car comes closer.").finish().finish()
    assert "A car comes closer." in world.said


def test_a_description_that_comes_after_its_danger_is_not_even_begun() -> None:
    world = World().watch(1).watch(1, vehicle=0.9).watch(3)
    assert world.records("clear")
    world.describe("A car comes closer.")
    assert "A car comes closer." not in world.said
    assert [e["reason"] for e in world.records("unspoken")] == ["over"]


def test_a_danger_that_waits_behind_a_worse_one_until_it_is_over_is_not_said() -> None:
    world = World(2.7, watch=WatchSettings(clear_s=0.2)).watch(0.6, fire=0.95)
    world.watch(0.5, fire=0.95, dog=0.9).watch(3, fire=0.95)
    assert [a["hazard"] for a in world.records("alert")] == ["fire", "dog"]
    assert not any("dog" in text for text in world.said)


def test_what_rests_on_a_danger_that_is_not_there_does_not_hold() -> None:

    core = Core(core_spec())
    truth = Validity(core.alert_policy, Health(AT_ONCE))
    truth.require("u1", Condition(hazard="fire"))
    assert not truth.is_valid(truth.condition("u1"), 0.0)


def test_what_is_seen_no_more_is_not_described() -> None:
    world = talking(scene=SCENE.model_copy(update={"min_interval_s": 0.1})).watch(1)
    world.describe("A quiet street.").watch(2, view=1)
    assert len(world.views) == 2
    world.finish()
    assert "A quiet street." not in world.said
    assert World().watch(1).describe("A quiet street.").said == ["A quiet street."]


def test_camera_lost_is_not_said_once_it_is_back_nor_its_return_without_its_loss() -> None:
    world = talking(health=AT_ONCE)
    world.tell(Report("camera", "lost"), Report("camera")).finish()
    world.now = 2
    world.tell(CoreTick()).finish()
    assert world.said == ["a long message"]
    assert [h["reason"] for h in world.records("health")] == ["lost", "ok"], "those who look on see both"


def test_the_return_of_the_camera_is_said_later_if_the_word_of_it_was_dropped() -> None:
    world = World(LONG_S, health=AT_ONCE).tell(Report("camera", "lost"))
    world.tell(Report("camera"), StopSpeaking(), CoreTick())
    assert world.said[-1] == "The camera is back."


sights = st.sampled_from(["ok", "lost"])
blinking = st.lists(
    st.one_of(
        st.builds(Report, st.just("camera"), sights),
        st.sampled_from([StopSpeaking(), Say("hello"), CoreTick()]),
        st.floats(0.1, 25.0),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(blinking, st.floats(0, 12))
def test_in_the_end_everybody_knows_whether_it_sees(story: list[Input | float], talks_s: float) -> None:
    """Whatever was hushed, overtaken or expired: the last word heard of the camera is true."""
    world = World(talks_s, health=HealthSettings(settle_s=0.5, quiet_s=5, remind_s=0))
    for thing in [*story, *[1.0] * 60]:
        if isinstance(thing, float):
            world.now += thing
            world.finish().tell(CoreTick())
        else:
            world.tell(thing)
    heard = [text for text in world.said if "amera" in text]
    truth = world.core.component_states.get("camera")
    if truth is None or truth.reason == "ok":
        assert not heard or heard[-1] == "The camera is back."
    else:
        assert heard[-1] == "Camera lost. I see nothing."


def test_camera_lost_is_said_when_it_is_lost_again_although_the_first_word_of_it_was_dropped() -> None:
    world = talking(health=AT_ONCE)
    world.tell(Report("camera", "lost"), StopSpeaking())
    assert world.said == ["a long message"]
    world.tell(CoreTick())
    assert world.said[1:] == ["Camera lost. I see nothing."], "hush must not hide that it is blind"


def test_a_cut_answer_is_taken_up_again_only_while_it_is_fresh() -> None:
    for wait_s, again in ((1, 2), (10, 1)):
        world = World(LONG_S).watch(1).tell(Ask())
        world.finish().describe("A red door, a bench, and a tree.")
        world.watch(1, fire=0.95)
        assert world.said[-1] == "Stop! fire."
        world.now += wait_s
        world.finish()
        assert world.said.count("A red door, a bench, and a tree.") == again


def test_a_question_without_an_answer_is_told_so() -> None:
    world = World().watch(1).tell(Ask()).describe().describe()
    assert world.said[-2:] == ["[listening]", "I have no answer to that."]


# The end of a danger, and the tick


def test_the_end_of_a_critical_danger_is_heard_and_that_of_another_is_not() -> None:
    world = World().watch(1).watch(1, fire=0.95).watch(4)
    assert world.said[-1] == "[clear]"
    assert world.records("speak")[-1]["earcon"] == "clear"
    assert "[clear]" not in World().watch(1, vehicle=0.9).watch(4).said
    assert "[clear]" in World(clear_earcon="all").watch(1, vehicle=0.9).watch(4).said
    assert "[clear]" not in World(clear_earcon="off").watch(1, fire=0.9).watch(4).said


def test_the_end_of_a_danger_nobody_heard_is_not_told() -> None:
    world = World().tell(Mute(60), Mute(60)).watch(1, fire=0.95).tell(Mute(0)).watch(4)
    assert "[clear]" not in world.said


def test_repeat_says_words_not_signs() -> None:
    world = World().watch(1, fire=0.95).watch(4).tell(Repeat())
    assert world.said[-2:] == ["[clear]", "Stop! fire."]


def test_silence_ticks_while_it_sees() -> None:
    assert "[tick]" not in World().watch(30).said
    world = World(tick_s=5.0, describe=core_spec().describe).watch(21)
    ticks = [t for t, u in world.heard if u.earcon == "tick"]
    assert ticks == pytest.approx([5, 10, 15, 20], abs=0.1)
    blind = World(tick_s=5.0).tell(Report("picture", "dark")).watch(21)
    assert "[tick]" not in blind.said
    assert "[tick]" not in World(tick_s=5.0).tell(Mute(60)).watch(21).said


# How much it says

texts = st.lists(st.sampled_from(["one.", "two.", "three."]), max_size=4, unique=True)
Happening = tuple[str, object, list[str]]
happenings: st.SearchStrategy[list[Happening]] = st.lists(
    st.one_of(
        st.tuples(st.just("view"), st.integers(0, 3), texts),
        st.tuples(st.sampled_from(["fire", "vehicle"]), st.just(0), texts),
        st.tuples(st.just("ask"), st.just(0), texts),
        st.tuples(st.just("health"), st.sampled_from(["camera", "voice", "disk"]), st.just([])),
    ),
    max_size=8,
)
OFTEN = SCENE.model_copy(update={"min_interval_s": 0.1, "budget_per_minute": 600})


def lived(verbosity: str, story: list[Happening]) -> World:
    world = World(verbosity=verbosity, scene=OFTEN).watch(1)
    for number, (kind, detail, sentences) in enumerate(story):
        numbered = [f"{number} {kind} {text}" for text in sentences]
        before = len(world.views)
        match kind:
            case "view":
                world.watch(2, view=int(str(detail)))
            case "ask":
                world.tell(Ask())
            case "health":
                component: Input = Report(detail, "lost")  # type: ignore[arg-type]
                world.tell(component).watch(1.5)
            case "fire":
                world.watch(1, fire=0.95)
            case _:
                world.watch(1, vehicle=0.95)
        if len(world.views) > before:
            world.describe(*numbered)
    return world


@settings(max_examples=40, deadline=None)
@given(happenings)
def test_each_verbosity_says_what_the_lower_one_says_and_no_less(
    story: list[Happening],
) -> None:
    full, brief, alerts = (lived(v, story) for v in ("full", "brief", "alerts"))

    def kinds(world: World, kind: Priority) -> list[str]:
        return [u.text for _, u in world.heard if u.priority is kind]

    assert kinds(full, Priority.DANGER) == kinds(brief, Priority.DANGER) == kinds(alerts, Priority.DANGER)
    assert kinds(alerts, Priority.TEXT) == []
    descriptions: dict[str, list[Utterance]] = {}
    for _, u in full.heard:
        if u.priority is Priority.TEXT:
            descriptions.setdefault(str(u.cause), []).append(u)
    assert kinds(brief, Priority.TEXT) == [group[0].text for group in descriptions.values()]
    assert kinds(brief, Priority.MESSAGE) == kinds(alerts, Priority.MESSAGE)
    extra = [text for text in kinds(full, Priority.MESSAGE) if text not in kinds(alerts, Priority.MESSAGE)]
    assert set(extra) <= {
        "My voice is failing. Warnings go on.",
        "My records were lost. I begin new ones.",
        "A part of me has failed. Warnings go on.",
        "The disk fails. Nothing is being recorded.",
    }


# Never the same again too soon

frames = st.lists(
    st.tuples(st.sampled_from([0.2, 0.5, 1.0, 3.0]), st.sampled_from([0.01, 0.4, 0.55, 0.8, 0.99])),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(frames, st.sampled_from([0.0, 1.5]))
def test_the_same_danger_is_not_said_again_before_its_cooldown_unless_it_grew(
    story: list[tuple[float, float]], talks_s: float
) -> None:
    world = World(talks_s)
    for seconds, p in story:
        world.watch(seconds, vehicle=p)
    watch = core_spec().watch
    alerts = {a["id"]: a for a in world.records("alert")}
    spoken = [(s["t"], alerts[s["cause"]]) for s in world.records("speak") if s["cause"] in alerts]
    for (t0, first), (t1, second) in itertools.pairwise(spoken):
        risen = logit(second["probability"]) - logit(first["probability"])
        grew = risen >= watch.escalate_logit - 0.02 and t1 - t0 >= watch.escalate_min_s - 1.6
        assert t1 - t0 >= watch.cooldown_s or grew, (t0, first, t1, second)


# False alarms, and how it is


def test_a_false_alarm_is_noted_with_what_the_detector_said() -> None:
    world = World().watch(1).watch(1, vehicle=0.9).watch(4).tell(FalseAlarm())
    (noted,) = world.records("false_alarm")
    (alert,) = world.records("alert")
    assert (noted["alert"], noted["cause"], noted["hazard"]) == (alert["id"], alert["id"], "vehicle")
    assert set(noted["probabilities"]) == set(noted["smoothed"]) == {"fire", "vehicle", "dog"}
    assert noted["raised_at_s"] == alert["t"]
    assert world.said[-1] == "False alarm noted: vehicle."


def test_a_false_alarm_without_an_alarm_is_told() -> None:
    world = World().watch(1).tell(FalseAlarm())
    assert world.said[-1] == "There was no warning to take back."
    assert world.records("false_alarm") == []


def test_marked_as_false_is_what_was_heard_not_what_waits() -> None:
    world = World(LONG_S).watch(0.6, fire=0.95).watch(0.6, fire=0.95, dog=0.9)
    world.tell(FalseAlarm(), FalseAlarm()).finish()
    (marked,) = world.records("false_alarm")
    assert marked["hazard"] == "fire"
    assert any("Stop! dog" in text for text in world.said)


def test_where_nothing_was_heard_the_last_raised_is_marked() -> None:
    world = World(LONG_S).tell(Mute(60), Mute(60)).watch(1, fire=0.95)
    world.tell(FalseAlarm())
    assert [marked["hazard"] for marked in world.records("false_alarm")] == ["fire"]


@pytest.mark.parametrize(
    ("reports", "rate", "words"),
    [
        ((), 24.4, "All is well. I am watching."),
        ((Report("camera", "lost"),), 0.0, "Camera lost. I see nothing."),
        (
            (Report("disk", "full"), Report("detector", "late")),
            3.0,
            "Warnings are late. The disk is full. Nothing is being recorded. I am watching.",
        ),
        ((), 0.0, "I get no pictures. I see nothing."),
    ],
)
def test_status_is_told_what_matters_most_first(reports: tuple[Report, ...], rate: float, words: str) -> None:
    world = World(health=HealthSettings(settle_s=60)).tell(*reports, TellStatus(rate))
    assert world.said[-1] == words


def test_status_tells_of_silence() -> None:
    assert World().tell(Mute(60), TellStatus(20)).said[-1].endswith("Silent for 1 minute, except for danger.")
    both = World().tell(Mute(60), Mute(60), TellStatus(20))
    assert both.said[-1].endswith("Silent for 1 minute, even about danger.")


# The state carries all of it

inputs: st.SearchStrategy[Input] = st.one_of(
    st.sampled_from(
        [CoreTick(), StopSpeaking(), Ask(), FalseAlarm(), TellStatus(9.0), Repeat(), Say("hello")]
    ),
    st.builds(Report, st.sampled_from(["camera", "voice"]), st.sampled_from(["ok", "lost"])),
    st.builds(SpeechFailed, st.sampled_from(["u1", "u2", "u3"]), st.just("broke")),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(inputs | st.sampled_from([0.01, 0.98]), max_size=12), st.sampled_from([0.0, 0.3]))
def test_a_saved_state_decides_the_same(story: list[Input | float], talks_s: float) -> None:
    spec = {"tick_s": 1.0, "health": HealthSettings(settle_s=0.1, quiet_s=0.5)}
    whole, parts = World(talks_s, **spec), World(talks_s, **spec)
    for thing in story:
        fresh = Core(core_spec(**spec))
        fresh.restore(json.loads(json.dumps(parts.core.state())))
        parts.core = fresh
        for world in (whole, parts):
            if isinstance(thing, float):
                world.watch(0.8, fire=thing)
            else:
                world.tell(thing)
        assert whole.effects == parts.effects
    started = [e.utterance.id for e in whole.effects if isinstance(e, StartSpeech)]
    cut = [e.id for e in whole.effects if isinstance(e, StopSpeech)]
    assert all(id in started for id in cut), "what never began is not cut"
