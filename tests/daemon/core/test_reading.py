"""Reading aloud: the words in view, each passage in its language, behind every danger."""

from __future__ import annotations

import pytest

from daemon.core.health import Report
from daemon.core.messages import Ask, DescribeView, Input, Read
from pipeline.description.policy import AnswerFinished, SentenceReady
from pipeline.types import Trigger
from speech.outbox.messages import StopSpeaking
from tests.daemon.core.world import World

LONG_S = 12.0


def read(world: World, *passages: tuple[str, str]) -> World:
    scene = world.views[-1]
    sentences = (SentenceReady(scene, text, "pp-ocrv4", language=language) for text, language in passages)
    return world.tell(*sentences, AnswerFinished(scene))


@pytest.mark.parametrize("wish", [Read(), Ask("read this"), Ask("읽어 줘")])
def test_a_wish_to_read_is_heard_and_put_to_the_reader(wish: Input) -> None:
    world = World().watch(0.2).tell(wish)
    assert world.said == ["[listening]"]
    assert [e.scene.trigger for e in world.effects if isinstance(e, DescribeView)] == [Trigger.READ]


def test_each_passage_is_spoken_in_its_language() -> None:
    world = read(World().watch(0.2).tell(Read()), ("ROAD CLOSED.", "en"), ("출입 금지.", "ko"))
    assert [(u.text, u.language) for _, u in world.heard[1:]] == [
        ("ROAD CLOSED.", "en"),
        ("출입 금지.", "ko"),
    ]


def test_a_long_reading_is_said_to_its_end() -> None:
    world = World(LONG_S).watch(0.2).tell(Read())
    read(world, ("First page.", "en"), ("둘째 쪽.", "ko"), ("Third page.", "en")).watch(3 * LONG_S)
    assert world.said[1:] == ["First page.", "둘째 쪽.", "Third page."]


def test_hush_ends_it() -> None:
    world = read(World(LONG_S).watch(0.2).tell(Read()), ("First page.", "en"), ("둘째 쪽.", "ko"))
    world.watch(0.2).tell(StopSpeaking()).watch(2 * LONG_S)
    assert "둘째 쪽." not in world.said


def test_a_danger_cuts_it_and_it_goes_on_afterwards() -> None:
    world = read(World(2.0).watch(0.2).tell(Read()), ("A long page.", "en"))
    world.watch(2.4).watch(8, fire=0.95)
    assert world.said == ["[listening]", "A long page.", "Stop! fire.", "A long page."]


def test_another_wish_ends_the_reading() -> None:
    world = read(World(LONG_S).watch(0.2).tell(Read()), ("First page.", "en"), ("Second page.", "en"))
    world.watch(0.2).tell(Read()).watch(2 * LONG_S)
    assert "Second page." not in world.said


def test_the_same_text_is_read_again_if_asked_again() -> None:
    world = read(World().watch(0.2).tell(Read()), ("EXIT.", "en")).watch(1).tell(Read())
    assert read(world, ("EXIT.", "en")).said.count("EXIT.") == 2


def test_what_fails_and_what_cannot_be_seen_is_said() -> None:
    world = World().watch(0.2).tell(Read())
    world.tell(AnswerFinished(world.views[-1], "reading: its process ended"))
    assert world.said[-1] == "I have no answer to that."
    world.tell(Report("camera", "lost")).watch(2).tell(Read())
    assert world.said[-1] == "Camera lost. I see nothing."
