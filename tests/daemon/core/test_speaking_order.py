"""What is said first, what makes room, and what is not described."""

from __future__ import annotations

import pytest

from daemon.core.core import Core
from daemon.core.messages import Ask, Say
from pipeline.description.policy import AnswerFinished, SentenceReady
from pipeline.types import Direction
from speech.utterance import Priority, Utterance
from tests.daemon.core.world import World
from tests.fakes import core_spec


def ranked(talks_s: float = 1.5, **changes: object) -> World:
    """A world with three critical hazards of different rank."""
    spec = core_spec(**changes)
    ranks = {"fire": 30, "vehicle": 20, "dog": 10}
    hazards = tuple(
        h.model_copy(update={"severity": 3, "rank": ranks.get(h.name, 0), "say": f"{h.name}{{where}}! Act!"})
        for h in spec.hazards
    )
    world = World(talks_s=talks_s)
    world.core = Core(spec.model_copy(update={"hazards": hazards}))
    return world


def test_of_equals_the_higher_rank_is_said_first_and_cuts() -> None:
    world = ranked().watch(1).watch(0.5, vehicle=0.9)
    assert [u.text for _, u in world.heard][-1].startswith("vehicle")
    world.watch(2, vehicle=0.9, fire=0.9)
    fire_alert = next(e for e in world.records("alert") if e["hazard"] == "fire")
    fire_s = next(t for t, u in world.heard if u.text.startswith("fire"))
    assert fire_s - fire_alert["t"] < 0.1, "it does not wait for the end of what matters less"


def dangers(world: World) -> list[tuple[float, Utterance]]:
    """The dangers that sounded; what was replaced at the moment of its start did not."""
    times = [at_s for at_s, _ in world.heard[1:]] + [float("inf")]
    return [
        (at_s, said)
        for (at_s, said), until_s in zip(world.heard, times, strict=True)
        if said.priority is Priority.DANGER and until_s > at_s
    ]


def test_of_several_at_once_all_are_named_first_the_worst_first_then_follows_the_rest() -> None:
    heard = dangers(ranked(talks_s=0.3).watch(1).watch(6, vehicle=0.9, fire=0.9, dog=0.9))
    assert [said.text for _, said in heard[:5]] == ["fire!", "vehicle!", "dog! Act!", "Act!", "Act!"]
    assert [said.earcon for _, said in heard[:5]] == ["several", None, None, None, None]
    assert heard[1][0] - heard[0][0] < 0.35, "each waits for the names before it only"


def test_a_danger_is_named_during_the_side_and_the_advice_of_a_worse_one() -> None:
    world = World(talks_s=4.0).watch(0.6, fire=0.95).watch(1.5, fire=0.95, vehicle=0.95)
    alerted_s = next(e["t"] for e in world.records("alert") if e["hazard"] == "vehicle")
    named_s = next(at_s for at_s, said in world.heard if "vehicle" in said.text)
    assert named_s - alerted_s <= 0.5


def test_a_common_side_is_said_once() -> None:
    sides = {"vehicle": Direction.LEFT, "fire": Direction.LEFT}
    world = ranked(talks_s=0.3, facing="left").watch(1).watch(3, vehicle=0.9, fire=0.9, sides=sides)
    texts = [said.text for _, said in dangers(world)]
    assert texts[:3] == ["fire!", "vehicle on your left! Act!", "Act!"]


def test_a_side_of_its_own_is_said_with_its_name() -> None:
    world = ranked(talks_s=0.3).watch(1)
    world.watch(3, vehicle=0.9, fire=0.9, sides={"fire": Direction.RIGHT})
    texts = [said.text for _, said in dangers(world)]
    assert "fire on your right! Act!" in texts
    assert "On your right." not in texts, "it would be taken for the side of what was named last"


def test_a_side_that_becomes_known_during_the_advice_is_said_with_its_name() -> None:
    world = ranked(talks_s=0.6).watch(1).watch(1.6, vehicle=0.9, fire=0.9)
    assert [said.text for _, said in dangers(world)] == ["fire!", "vehicle! Act!", "Act!"]
    world.watch(2, vehicle=0.9, fire=0.9, sides={"fire": Direction.RIGHT})
    texts = [said.text for _, said in dangers(world)]
    assert texts[3:] == ["fire on your right! Act!"]


def test_one_who_speaks_through_another_leaves_the_joining_to_it() -> None:
    world = ranked(talks_s=0.3, forwards=True).watch(1).watch(3, vehicle=0.9, fire=0.9)
    assert {said.text for _, said in world.heard} == {"fire! Act!", "vehicle! Act!"}
    assert {said.name for _, said in world.heard} == {"fire!", "vehicle!"}


def test_no_true_critical_danger_expires_behind_another() -> None:
    world = ranked(talks_s=4.0).watch(1).watch(12, vehicle=0.9, fire=0.9, dog=0.9)
    assert {u.text.split("!")[0] for _, u in world.heard} >= {"fire", "vehicle", "dog"}
    assert not [e for e in world.records("unspoken") if e["reason"] == "expired"]


def test_the_sign_that_a_question_was_heard_comes_at_once_and_ends_the_older_answer() -> None:
    world = World(talks_s=5.0).watch(1).tell(Ask("what is there?"))
    world.describe("An old answer that takes long.")
    world.finish().tell(Ask("and now?"))
    assert world.said[-1] == "[listening]"
    world.finish()
    assert world.said[-1] == "[listening]", "the older answer is not taken up again"


def test_an_answer_goes_before_what_nobody_asked_for() -> None:
    world = World(talks_s=5.0).watch(1).tell(Say("one"), Say("two"), Ask("what is there?"))
    world.describe("The answer.")
    world.finish()
    assert world.said[-1] == "The answer."


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("There is a car on your left.", "warned"),
        ("A car waits behind a red barrier that closes the pavement.", None),
    ],
)
def test_a_description_does_not_repeat_the_warning(sentence: str, reason: str | None) -> None:
    world = World().watch(1).watch(3, vehicle=0.9, sides={"vehicle": Direction.LEFT})
    world.describe(sentence)
    reasons = [e["reason"] for e in world.records("unspoken") if e.get("text") == sentence]
    assert reasons == ([reason] if reason else [])
    assert (sentence in world.said) is (reason is None)


def test_descriptions_keep_their_distance_and_their_share() -> None:
    spaced = World(description_gap_s=5.0, talks_s=1.0).watch(1).tell(Say("something")).finish()
    spaced.watch(1, view=1).describe("A quiet street.")
    assert [e["reason"] for e in spaced.records("unspoken")] == ["spacing"]
    shared = World(talk_share=0.01, talks_s=1.0).watch(1).tell(Say("something")).watch(3)
    shared.watch(1, view=1).describe("A quiet street.")
    assert [e["reason"] for e in shared.records("unspoken")] == ["talk"]


def test_the_detector_alone_describes_only_what_is_asked_for() -> None:
    world = World().watch(2)
    world.tell(SentenceReady(world.views[-1], "I see a car.", "tags"))
    assert "I see a car." not in world.said
    assert [e["reason"] for e in world.records("unspoken")] == ["unasked"]
    world.tell(AnswerFinished(world.views[-1]), Ask())
    world.tell(SentenceReady(world.views[-1], "I see a car.", "tags"))
    assert world.said[-1] == "I see a car."
