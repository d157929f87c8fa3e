"""What the process says of its own life, and how long it waits for that."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.health import Report
from daemon.core.messages import Effect, Mute, Say
from daemon.process.supervisor import StopRequested, Supervisor
from daemon.process.systemd import Notifier
from daemon.runtime.engine import CoreRunner
from daemon.runtime.lifecycle_speech import GOODBYE_S, STOP_S, LifecycleSpeech
from pipeline import wording
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech, StopSpeech
from tests.daemon.ear import listening
from tests.fakes import core_spec


class Stage:
    """A mind whose voice says everything at once, or never comes to an end."""

    def __init__(self, *, endless: bool = False, forwards: bool = False, notify: str = "") -> None:
        self.now, self.said, self.cut = 0.0, list[str](), 0
        self._endless = endless
        self.mind = CoreRunner(BlackBox(Core(core_spec())), self.clock)
        self.mind.attach(self._perform)
        self.crew = Supervisor()
        notifier = Notifier({"NOTIFY_SOCKET": notify})
        self.words = LifecycleSpeech(self.mind, self.crew, notifier, self.clock, "en", forwards=forwards)

    def clock(self) -> float:
        """A little later with every look."""
        self.now += 0.05
        return self.now

    def _perform(self, effect: Effect, timing: Mapping[str, float]) -> None:
        match effect:
            case StartSpeech(utterance):
                self.said.append(utterance.text)
                self.mind.step(PlaybackBegan(utterance.id))
                if not self._endless:
                    self.mind.step(PlaybackEnded(utterance.id))
            case StopSpeech():
                self.cut += 1


def test_goodbye_is_said_even_where_it_is_muted() -> None:
    stage = Stage()
    stage.mind.step(Mute(60))
    stage.mind.step(Mute(60))
    stage.words.goodbye()
    assert stage.said[-1] == wording.GOODBYE["en"]


def test_goodbye_cuts_what_is_no_danger_and_does_not_wait_for_ever() -> None:
    stage = Stage(endless=True)
    stage.mind.step(Say("a long story"))
    began_s = time.monotonic()
    stage.words.goodbye()
    assert stage.said == ["a long story", wording.GOODBYE["en"]]
    assert stage.cut == 1
    assert time.monotonic() - began_s < 10


def test_systemd_is_asked_for_the_time_that_goodbye_takes() -> None:
    with listening() as ear:
        Stage(notify=ear.name).words.goodbye()
        assert ear.hear()[0] == "STOPPING=1"
        assert ear.hear() == [f"EXTEND_TIMEOUT_USEC={round((GOODBYE_S + STOP_S) * 1e6)}"]


@pytest.mark.parametrize(("loudspeaker", "said"), [("ok", [wording.ONE_LESS["en"]]), ("unreachable", [])])
def test_goodbye_through_another_instance(loudspeaker: str, said: list[str]) -> None:
    stage = Stage(forwards=True)
    stage.mind.step(Report("loudspeaker", loudspeaker))
    stage.words.goodbye()
    assert stage.said == said


def test_who_is_asked_to_stop_waits_no_longer_and_forgets_it_not() -> None:
    stage = Stage(endless=True)
    stage.crew.request(StopRequested("SIGTERM"))
    stage.words.demonstration()
    assert stage.said == [wording.DEMONSTRATION["en"]]
    assert stage.now < 1
    assert stage.crew.wait(5) == StopRequested("SIGTERM")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_word_is_short_and_in_every_language(language: str) -> None:
    for texts in (wording.READY, wording.GOODBYE, wording.ONE_LESS, wording.DEMONSTRATION):
        assert 0 < len(texts[language].split()) <= 12
