"""The core shared by threads: effects in order, reports taken in afterwards, settings swapped."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.messages import Assessed, Effect, Record, Say
from daemon.runtime.engine import CoreRunner
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech
from tests.fakes import assessment, core_spec


class Hands:
    """Says everything at once and notes the order of events."""

    def __init__(self, mind: CoreRunner) -> None:
        self.mind = mind
        self.seen: list[str] = []
        mind.attach(self.perform)

    def perform(self, effect: Effect, timing: Mapping[str, float]) -> None:
        if isinstance(effect, Record):
            self.seen.append(f"{effect.event.kind} {effect.event.fields.get('text', '')}")
        if isinstance(effect, StartSpeech):
            self.mind.step(PlaybackBegan(effect.utterance.id))
            self.mind.step(PlaybackEnded(effect.utterance.id))
            self.seen.append(f"start {effect.utterance.text}")


def mind() -> CoreRunner:
    return CoreRunner(BlackBox(Core(core_spec())), lambda: 1.0)


def test_what_a_performer_reports_is_taken_in_after_the_effect() -> None:
    subject = mind()
    hands = Hands(subject)
    subject.step(Say("one"))
    assert hands.seen == ["start one", "speak one"]


def test_inputs_wait_until_there_is_something_to_carry_their_effects_out() -> None:
    subject = mind()
    subject.step(Say("early"))
    hands = Hands(subject)
    subject.step(Say("late"))
    assert hands.seen == ["start early", "speak early", "start late", "speak late"]


def test_many_threads_lose_nothing() -> None:
    subject = mind()
    hands = Hands(subject)

    def talk(number: int) -> None:
        for i in range(50):
            subject.step(Say(f"{number}-{i}"))

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    spoken = [line for line in hands.seen if line.startswith("speak")]
    assert len(set(spoken)) == 400


def test_settings_are_swapped_without_forgetting() -> None:
    subject = mind()
    Hands(subject)
    for seq in range(50):
        subject.step(Assessed(assessment(seq, seq / 25, fire=0.9)))
    assert subject.read(lambda core: sorted(core.alert_policy.active)) == ["fire"]
    spec = core_spec()
    deaf = spec.model_copy(
        update={"hazards": tuple(h.model_copy(update={"threshold": 0.95}) for h in spec.hazards)}
    )
    subject.replace_spec(deaf)
    assert subject.read(lambda core: sorted(core.alert_policy.active)) == ["fire"]
    assert subject.read(lambda core: core.spec) == deaf
