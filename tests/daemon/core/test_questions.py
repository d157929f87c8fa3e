"""A question of the wearer is answered, whatever dangers come meanwhile and however slow the model is."""

from __future__ import annotations

import pytest

from daemon.core.health import Report
from daemon.core.messages import Ask, DescribeView, Read
from pipeline.description.policy import AnswerFinished, SentenceReady
from tests.daemon.core.world import World


def test_a_question_is_answered_while_dangers_follow_each_other_faster_than_a_slow_model_answers() -> None:
    world = World().watch(1).tell(Ask("Where is the door?"))
    view = world.views[-1]
    world.watch(2, fire=0.95).watch(3).watch(1, vehicle=0.95)
    assert len(world.records("alert")) >= 2
    assert world.views[-1] == view, "the dangers wait for the answer"
    world.tell(SentenceReady(view, "The door is on the left.", "fake"), AnswerFinished(view))
    assert world.said[-1] == "The door is on the left."


def test_a_question_without_an_answer_is_asked_again_of_the_detector_with_what_it_reports_now() -> None:
    world = World().watch(1).tell(Ask("Where is the door?")).watch(2, fire=0.95).describe()
    again = [effect for effect in world.effects if isinstance(effect, DescribeView)][-1]
    assert (again.scene.question, again.scene.detector_only) == ("Where is the door?", True)
    assert [seen.hazard for seen in again.seen] == ["fire"]
    assert again.scene.captured_at_s == pytest.approx(world.now)
    world.describe("A full answer was not possible.", "I see fire.")
    assert world.said[-2:] == ["A full answer was not possible.", "I see fire."]


def test_a_question_that_cannot_be_asked_again_is_answered_by_the_reason() -> None:
    world = World().watch(1).tell(Ask(), Report("camera", "lost")).describe()
    assert world.said[-1] == "Camera lost. I see nothing."


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("There is no fire.", False),
        ("The door is on the left.", True),
        ("No fire, but smoke.", True),
        ("No danger here.", False),
        ("You are safe.", False),
        ("The way is clear.", False),
        ("There is nothing dangerous.", False),
        ("The safe is open.", True),
        ("I cannot say whether it is safe.", True),
    ],
)
def test_an_answer_that_denies_a_danger_announced_since_its_picture_is_not_heard(
    sentence: str, said: bool
) -> None:
    world = World().watch(1).tell(Ask("What is here?")).watch(1, fire=0.95).describe(sentence)
    assert (sentence in world.said) is said
    assert bool(world.records("unspoken")) is not said


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("위험한 것은 없습니다.", False),
        ("안전합니다.", False),
        ("길이 비어 있습니다.", False),
        ("금고가 열려 있습니다.", True),
        ("안전한지는 말씀드릴 수 없습니다.", True),
        ("알아본 것이 없습니다. 길이 비었다는 뜻은 아닙니다.", True),
    ],
)
def test_an_all_clear_in_korean_is_not_heard_after_an_alert(sentence: str, said: bool) -> None:
    world = World(language="ko").watch(1).tell(Ask("뭐가 있어?")).watch(1, fire=0.95).describe(sentence)
    assert (sentence in world.said) is said


def test_a_sign_that_is_read_denies_no_danger() -> None:
    world = World().watch(1).tell(Read()).watch(1, fire=0.95).describe("NO FIRE")
    assert "NO FIRE" in world.said


def test_an_answer_may_deny_a_danger_that_is_not_there() -> None:
    world = World().watch(1).tell(Ask("Is there a fire?")).watch(1).describe("There is no fire.")
    assert world.said[-1] == "There is no fire."
