"""What a listener makes of it: directions beside their danger, silence on demand, and what nobody heard."""

from __future__ import annotations

import pytest

from daemon.core.health import HealthSettings, Report
from daemon.core.messages import Ask, Mute, Repeat, Say
from pipeline.description.policy import SentenceReady
from pipeline.settings import WatchSettings
from pipeline.types import Direction
from speech.outbox.messages import StopSpeaking
from tests.daemon.core.world import World
from tests.fakes import SCENE

SIDES = {"fire": Direction.LEFT, "vehicle": Direction.RIGHT}
PHRASE_S = 1.4


def test_a_direction_that_follows_its_danger_is_said_without_the_name() -> None:
    world = World(PHRASE_S).watch(0.6, fire=0.95).watch(4, fire=0.95, sides=SIDES)
    assert world.said[:2] == ["Stop! fire.", "On your left."]


def test_no_direction_is_heard_with_the_wrong_danger() -> None:
    world = World(PHRASE_S).watch(0.6, fire=0.95, vehicle=0.95).watch(6, fire=0.95, vehicle=0.95, sides=SIDES)
    said = [text for text in world.said if "Stop" in text or "On your" in text]
    assert said[0] == "Stop! fire."
    assert "Stop! vehicle on your right." in said
    assert "On your right." not in said
    assert "Stop! fire on your left." in said
    where = [i for i, text in enumerate(said) if text == "On your left."]
    assert all(said[i - 1] == "Stop! fire." for i in where)


def test_a_waiting_danger_is_said_with_its_direction_in_its_place() -> None:
    world = World(2.7).watch(0.6, fire=0.95).watch(0.6, fire=0.95, dog=0.95)
    world.watch(3, fire=0.95, dog=0.95, sides={"dog": Direction.RIGHT})
    assert world.said[:2] == ["Stop! fire.", "Stop! dog on your right."]
    replaced = [record["reason"] for record in world.records("unspoken")]
    assert replaced == ["replaced"]


def test_words_in_between_give_the_direction_its_name_back() -> None:
    world = World(0.5).watch(0.6, fire=0.95).watch(0.6, fire=0.95).tell(Say("hello")).watch(0.6, fire=0.95)
    world.watch(2, fire=0.95, sides=SIDES)
    assert "On your left." not in world.said
    assert "Stop! fire on your left." in world.said


def test_one_who_speaks_through_another_names_the_danger_each_time() -> None:
    world = World(PHRASE_S, forwards=True).watch(0.6, fire=0.95).watch(3, fire=0.95, sides=SIDES)
    assert "On your left." not in world.said
    assert "Stop! fire on your left." in world.said


def test_hush_ends_an_answer_that_is_still_being_written() -> None:
    world = World(1.0).watch(0.2).tell(Ask("what is there?"))
    scene = world.views[-1]
    world.tell(
        SentenceReady(scene, "A quiet street.", "fake"),
        StopSpeaking(),
        SentenceReady(scene, "Two people wait.", "fake"),
    )
    world.watch(5)
    assert "Two people wait." not in world.said
    assert [r["reason"] for r in world.records("unspoken") if r["text"] == "Two people wait."] != []
    assert not any("answer" in text for text in world.said), "silence was asked for, not an excuse"


def test_hush_before_the_first_sentence_gets_no_excuse() -> None:
    world = World(1.0).watch(0.2).tell(Ask(None), StopSpeaking()).watch(3)
    assert world.said == ["[listening]"]


def test_a_mute_silences_what_waits() -> None:
    world = World(2.0).watch(0.2).tell(Say("long"), Say("waits"), Mute(600)).watch(6)
    assert world.said == ["long", "Silent for 10 minutes, except for danger."]


def test_the_second_mute_silences_a_danger_that_waits() -> None:
    world = World(2.0).watch(0.6, fire=0.95).watch(0.6, fire=0.95, dog=0.95)
    world.tell(Mute(600), Mute(600)).watch(6, fire=0.95, dog=0.95)
    assert not any("dog" in text for text in world.said)


@pytest.mark.parametrize("ended_by", ["a wish", "its time"])
def test_a_danger_nobody_wanted_to_hear_is_told_when_silence_ends(ended_by: str) -> None:
    world = World().watch(0.2).tell(Mute(10), Mute(10)).watch(5, fire=0.95, dog=0.95)
    assert not any("fire" in text for text in world.said)
    if ended_by == "a wish":
        world.tell(Mute(0)).watch(0.5, fire=0.95, dog=0.95)
    else:
        world.watch(6, fire=0.95, dog=0.95)
    assert {"Stop! fire.", "Stop! dog."} <= set(world.said)


def test_what_sounded_into_the_void_is_said_when_the_loudspeaker_is_back() -> None:
    world = World(health=HealthSettings(settle_s=0), watch=WatchSettings(remind_s=0)).watch(0.2)
    world.tell(Report("loudspeaker", "lost")).watch(6, fire=0.95)
    assert world.said.count("Stop! fire.") == 1
    world.tell(Report("loudspeaker")).watch(1, fire=0.95)
    assert world.said.count("Stop! fire.") == 2


def test_what_was_heard_before_the_loudspeaker_went_is_not_said_again() -> None:
    world = World(health=HealthSettings(settle_s=0), watch=WatchSettings(remind_s=0)).watch(6, fire=0.95)
    world.tell(Report("loudspeaker", "lost")).watch(1, fire=0.95).tell(Report("loudspeaker"))
    world.watch(5, fire=0.95)
    assert world.said.count("Stop! fire.") == 1


def test_repeat_says_an_alert_with_its_direction() -> None:
    world = World(PHRASE_S, watch=WatchSettings(remind_s=0)).watch(0.6, fire=0.95)
    world.watch(8, fire=0.95, sides=SIDES).tell(Repeat())
    assert world.said[-1] == "Stop! fire. On your left."


def test_repeat_says_all_sentences_of_an_answer() -> None:
    world = World().watch(0.2).tell(Ask("what is there?"))
    world.describe("A quiet street.", "Two people wait.").tell(Repeat())
    assert world.said[-1] == "A quiet street. Two people wait."


@pytest.mark.parametrize("unwanted", ["muted", "alerts only"])
def test_nothing_is_described_for_nobody(unwanted: str) -> None:
    world = World(verbosity="full" if unwanted == "muted" else "alerts")
    if unwanted == "muted":
        world.tell(Mute(600))
    world.watch(3).watch(3, view=1).watch(3, view=1, fire=0.95)
    assert world.views == []
    world.tell(Ask(None))
    assert len(world.views) == 1


def test_what_was_withheld_by_silence_is_no_repetition_afterwards() -> None:
    world = World(scene=SCENE.model_copy(update={"min_interval_s": 1})).watch(2).tell(Mute(600))
    world.describe("A kitchen with a table.")
    world.tell(Mute(0)).watch(4, view=1).describe("A kitchen with a table.")
    assert "A kitchen with a table." in world.said
