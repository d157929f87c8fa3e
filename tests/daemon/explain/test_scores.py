"""Why it stayed silent: the scores of one hazard, followed again as the watch followed them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.messages import Assessed, CoreTick, Mute
from daemon.errors import CommandError
from daemon.explain.explain import explain_recording
from daemon.explain.scores import alerts_of, evidence_at, explain_silence, hazard_trace
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech
from tests.fakes import assessment, core_spec


class Scene:
    """Frames into a core whose voice is instant, or holds its breath."""

    def __init__(self, *, speaks: bool = True, segment_s: float = 10.0, keep_s: float = 60.0) -> None:
        self.box = BlackBox(Core(core_spec()), segment_s=segment_s, keep_s=keep_s)
        self.seq = 0
        self.speaks = speaks
        self.started: list[str] = []

    @property
    def now(self) -> float:
        return self.seq / 25

    def watch(self, seconds: float, fire: float = 0.01, vehicle: float = 0.01, dog: float = 0.01) -> Scene:
        for _ in range(round(seconds * 25)):
            a = assessment(self.seq, self.now, fire, vehicle, dog)
            for effect in self.box.step(Assessed(a), self.now):
                if isinstance(effect, StartSpeech):
                    self.started.append(effect.utterance.id)
                    if self.speaks:
                        self.box.step(PlaybackBegan(effect.utterance.id), self.now)
                        self.box.step(PlaybackEnded(effect.utterance.id), self.now)
            self.seq += 1
        return self

    def silence(self, hazard: str) -> str:
        return " ".join(explain_silence(self.box.snapshot(), hazard))


def test_never_over_its_threshold() -> None:
    told = Scene().watch(2, fire=0.1).watch(0.2, fire=0.4).watch(1).silence("fire")
    assert "fire reached 0.3" in told or "fire reached 0.29" in told
    assert "its threshold is 0.50" in told
    assert "never over its threshold" in told


def test_single_pictures_do_not_make_a_danger() -> None:
    scene = Scene().watch(1).watch(0.2, fire=0.95).watch(1)
    assert "Within 0.6 s it was over it for 0.20 s at most; 0.35 s are needed" in scene.silence("fire")


def test_what_stays_below_when_smoothed() -> None:
    scene = Scene()
    for _ in range(6):
        scene.watch(0.08, fire=0.51).watch(0.04, fire=0.02)
    assert "Smoothed over time it stayed below" in scene.silence("fire")


def test_the_same_danger_is_not_said_again_so_soon() -> None:
    scene = Scene(segment_s=2, keep_s=2).watch(0.6, fire=0.9).watch(3.4).watch(0.8, fire=0.9)
    assert alerts_of(scene.box.snapshot(), "fire") == []
    told = scene.silence("fire")
    assert "It had been spoken of 3." in told or "It had been spoken of 4." in told
    assert "not said again within 5 s" in told


def test_a_danger_that_lasts_is_said_again_only_now_and_then() -> None:
    scene = Scene(segment_s=2, keep_s=2).watch(12, vehicle=0.9)
    assert "It is the danger of a1 that has not gone since" in scene.silence("vehicle")


def test_an_unknown_hazard_is_said_to_be_so() -> None:
    with pytest.raises(CommandError, match="dragon: not watched for; it is one of fire, vehicle, dog"):
        Scene().watch(1).silence("dragon")
    assert Scene().silence("fire") == "No picture has been looked at in the last minute."


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        ("mute", "silence had been asked for"),
        ("over", "it was over, or marked as wrong, before it could be said"),
        ("urgent", 'it had waited too long to be worth saying, while "Stop! fire." was being said'),
        ("voice", "the voice or the loudspeaker failed"),
    ],
)
def test_an_alert_that_was_not_spoken_says_why(happens: str, words: str) -> None:
    scene = Scene(speaks=False)
    if happens == "mute":
        scene.box.step(Mute(60), 0.0)
        scene.box.step(Mute(60), 0.0)
        scene.watch(0.6, vehicle=0.9)
    elif happens == "over":
        scene.watch(0.6, vehicle=0.9).watch(3)
    elif happens == "voice":
        scene.watch(0.6, vehicle=0.9)
        scene.box.step(CoreTick(), scene.now + 60)
    else:
        scene.watch(0.6, fire=0.9).watch(0.6, fire=0.9, vehicle=0.9)
        # Its name alone is being said by now, and does not come to an end.
        scene.box.step(PlaybackBegan(scene.started[-1]), scene.now)
        scene.watch(3.2, fire=0.9, vehicle=0.45)
        assert words in explain_recording(scene.box.snapshot(), "a2")["text"]
        return
    assert words in explain_recording(scene.box.snapshot(), "a1")["text"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1, width=32), st.sampled_from([0.0, 0.02, 0.04, 0.3, 0.7, 6.0])),
        min_size=1,
        max_size=60,
    )
)
def test_the_scores_are_those_of_the_watch_itself(story: list[tuple[float, float]]) -> None:
    box, now = BlackBox(Core(core_spec())), 10.0
    smoothed, voted_s = [], []
    for seq, (fire, dt) in enumerate(story):
        now += dt
        box.step(Assessed(assessment(seq, now, fire)), now)
        smoothed.append(float(box.core.alert_policy.smoothed[0]))
        voted_s.append(float(box.core.alert_policy.voted_s[0]))
    found = hazard_trace(box.snapshot(), "fire")
    # The recording begins in the middle of the watch's life where its oldest part is forgotten.
    kept = len(found.times_s)
    np.testing.assert_allclose(found.smoothed, smoothed[-kept:], atol=1e-9)
    if kept == len(story):
        np.testing.assert_allclose(found.voted_s, voted_s, atol=1e-6)
    evidence = evidence_at(box.snapshot(), "fire", len(story) - 1)
    assert evidence is not None
    assert evidence["smoothed"]["fire"] == pytest.approx(smoothed[-1], abs=1e-4)
