"""Why it spoke, told in words."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.messages import Assessed
from daemon.errors import CommandError
from daemon.explain.explain import explain_recording
from daemon.explain.scores import explain_silence
from daemon.explain.words import NAMES, WORDS, ExplanationWords
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech
from tests.fakes import assessment, core_spec


def spoken() -> BlackBox:
    box = BlackBox(Core(core_spec()))
    for seq in range(60):
        for effect in box.step(Assessed(assessment(seq, seq / 25, fire=0.9)), seq / 25):
            if isinstance(effect, StartSpeech):
                box.step(PlaybackBegan(effect.utterance.id), seq / 25)
                box.step(PlaybackEnded(effect.utterance.id), seq / 25)
    return box


def test_the_last_thing_said_is_followed_back_to_its_scores() -> None:
    lines = explain_recording(spoken().snapshot(), None)["text"].splitlines()
    assert 'said "Stop! fire." (danger)' in lines[0]
    assert "probability 0.90, its threshold is 0.50" in lines[1]


def test_any_event_can_be_asked_about() -> None:
    lines = explain_recording(spoken().snapshot(), "s1")["text"].splitlines()
    assert "wanted" in lines[0] or "changed" in lines[0]


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(CommandError, match="a77: not in the last minute"):
        explain_recording(spoken().snapshot(), "a77")["text"]
    with pytest.raises(CommandError, match="nothing has been said"):
        explain_recording(BlackBox(Core(core_spec())).snapshot(), None)["text"]


def gaps(text: str) -> set[tuple[str, str]]:
    """Names and formats of what stands in braces."""
    return {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name}


def test_every_sentence_is_there_in_each_language_with_the_same_figures() -> None:
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    for place, text in WORDS["en"].items():
        assert gaps(text) == gaps(WORDS["ko"][place]), place
        assert not re.search("[가-힣]", text)
    assert all(re.search("[가-힣]", text) for place, text in WORDS["ko"].items() if "." in place)
    assert all(re.search("[가-힣]", name) for name in NAMES["ko"].values())


def test_a_korean_is_told_in_korean() -> None:
    lines = explain_recording(spoken().snapshot(), None, ExplanationWords("ko"))["text"].splitlines()
    assert '말함: "Stop! fire." (위험)' in lines[0]
    assert "불 (처음, 위급): 확률 0.90, 기준 0.50." in lines[1]
    (first, *_) = explain_silence(spoken().snapshot(), "dog", ExplanationWords("ko"))
    assert "개, 지난 2초의 최고 확률" in first


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_hazard_that_the_model_cannot_know_is_explained_with_its_cure(language: str) -> None:
    spec = core_spec()
    dog = next(h for h in spec.hazards if h.name == "dog").model_copy(update={"unrecognised": True})
    hazards = tuple(dog if h.name == "dog" else h for h in spec.hazards)
    box = BlackBox(Core(spec.model_copy(update={"hazards": hazards})))
    box.step(Assessed(assessment(0, 0.0)), 0.0)
    first, *_ = explain_silence(box.snapshot(), "dog", ExplanationWords(language))
    assert "watchword teach dog" in first
