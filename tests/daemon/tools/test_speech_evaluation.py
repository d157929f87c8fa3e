"""When a listener hears what, and what counts as the first word of a warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from daemon.core.events import Event
from daemon.tools.speech_evaluation import Listener, heard_clip
from speech.settings import SpeechSettings
from speech.sound.audio import Audio
from speech.sound.earcons import lead_s
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority, Utterance
from tests.speech.made import ToneSynthesizer, utterance


def listener() -> Listener:
    return Listener(Renderer(SpeechSettings(), None, ToneSynthesizer()))


def sound(seconds: float) -> Audio:
    return Audio(np.zeros((round(seconds * 1000), 2), np.int16), 1000)


def warning(id_: str, earcon: str | None) -> Utterance:
    return replace(utterance("Fire!", priority=Priority.DANGER), id=id_, earcon=earcon)


def test_the_first_word_follows_the_earcon() -> None:
    ear = listener()
    ear.render(warning("u1", "critical"))
    ear.place(sound(1.0), 5.0)
    assert ear.first_words_s == {"u1": 5.0 + lead_s("critical")}


def test_a_word_that_was_cut_off_before_it_began_is_none() -> None:
    ear = listener()
    for id_, earcon, at_s in (("u1", "critical", 5.0), ("u2", "several", 5.1), ("u1", None, 5.6)):
        ear.render(warning(id_, earcon))
        ear.place(sound(1.0), at_s)
    assert ear.first_words_s == {"u1": 5.6, "u2": 5.1 + lead_s("several")}


def test_of_one_that_is_resumed_the_first_time_counts() -> None:
    ear = listener()
    for at_s in (5.0, 7.0):
        ear.render(warning("u1", None))
        ear.place(sound(1.0), at_s)
    assert ear.first_words_s == {"u1": 5.0}


def test_each_of_several_counts_from_its_own_name() -> None:
    fields = {"severity": "critical", "again": False}
    events = [
        Event("alert", "a1", 5.0, fields={"hazard": "fire", **fields}),
        Event("alert", "a2", 5.0, fields={"hazard": "smoke", **fields}),
        *(
            Event("speak", id_, at_s, cause, fields={"text": "Fire!", "priority": "danger"})
            for id_, at_s, cause in (("u1", 5.0, "a1"), ("u2", 5.4, "a2"), ("u3", 6.0, "a1"))
        ),
        Event("summary", "end", 9.0, fields={"last_frame_s": 9.0}),
    ]
    heard = heard_clip(events, (), "en", {"u1": 5.08, "u2": 5.44})
    assert [(one.time_s, one.hazard) for one in heard.warnings] == [(5.08, "fire"), (5.44, "smoke")]
