"""Dangers that come at once: all names first, the worst first, then the rest of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from speech.outbox.messages import (
    Enqueue,
    OutboxTick,
    PlaybackBegan,
    PlaybackEnded,
    Retract,
    SpeechDropped,
    SpeechStarted,
    StartSpeech,
    StopSpeech,
)
from speech.outbox.outbox import Outbox
from speech.settings import OutboxSettings
from speech.sound.earcons import SEVERAL, danger_earcon, lead_s
from speech.utterance import Utterance
from tests.speech.outbox.world import DANGER, MESSAGE, kinds, say

NAME_S, REST_S = 0.4, 1.0
"""Seconds that a name, and a side with its advice, take."""
STEP_S = 0.02


def danger(name: str, *, severity: int = 3, rank: int = 0, side: str = "", advice: str = "") -> Utterance:
    return replace(
        say(name, DANGER, severity=severity),
        text=" ".join(filter(None, (f"long {name}", side, advice))),
        cause=f"cause of {name}",
        rank=rank,
        name=name,
        side=side,
        advice=advice,
        named_after_s=NAME_S,
        earcon=danger_earcon(severity),
    )


class Ear:
    """Plays what the outbox starts, in stream time, and notes what is heard to its end or cut."""

    def __init__(self, *, joins: bool = True) -> None:
        self.outbox = Outbox(OutboxSettings(), joins=joins)
        self.now = 0.0
        self.heard: list[tuple[float, str, str | None]] = []
        """(begin, text, earcon) of all that sounded."""
        self.reported: list[str] = []
        self._ends: tuple[float, Utterance] | None = None

    def tell(self, *utterances: Utterance) -> Ear:
        for one in utterances:
            self._feed(Enqueue(one))
        self._begin()
        return self

    def wait(self, seconds: float) -> Ear:
        """Time passes, in whole steps."""
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            if self._ends is not None and self.now >= self._ends[0]:
                said, self._ends = self._ends[1], None
                self._feed(PlaybackEnded(said.id))
            self._feed(OutboxTick())
            self._begin()
        return self

    def _feed(self, event: Enqueue | PlaybackBegan | PlaybackEnded | OutboxTick | Retract) -> None:
        for effect in self.outbox.step(event, self.now):
            match effect:
                case StartSpeech(said):
                    self._ends = (self.now + _length_s(said), said)
                case StopSpeech():
                    self._ends = None
                case SpeechStarted(said) | SpeechDropped(said, _):
                    self.reported.append(said.id)

    def _begin(self) -> None:
        """The first sample of what was started last is heard."""
        current = self.outbox.state.current
        if current is not None and not current.sounding:
            self.heard.append((self.now, current.said.text, current.said.earcon))
            self._feed(PlaybackBegan(current.said.id))

    @property
    def texts(self) -> list[str]:
        return [text for _, text, _ in self.heard]


def _length_s(said: Utterance) -> float:
    alone = said.text in (said.name, f"long {said.name}")
    return lead_s(said.earcon) + NAME_S + (0.0 if alone else REST_S)


def test_two_at_once_are_named_and_then_said() -> None:
    ear = Ear().tell(danger("smoke", side="left", rank=1), danger("fire", side="left", advice="stop", rank=2))
    assert ear.wait(6).texts == ["fire", "long smoke left", "stop"]


def test_their_order_of_arrival_does_not_matter() -> None:
    smoke, fire = danger("smoke", rank=1), danger("fire", advice="stop", rank=2)
    assert Ear().tell(smoke, fire).wait(6).texts == Ear().tell(fire, smoke).wait(6).texts


def test_the_sound_of_several_is_short_and_comes_once() -> None:
    ear = Ear().tell(danger("smoke"), danger("fire", rank=1), danger("train")).wait(6)
    assert [earcon for _, _, earcon in ear.heard] == [SEVERAL, None, None]
    assert lead_s(SEVERAL) < lead_s(danger_earcon(3)) / 2
    assert [earcon for *_, earcon in Ear().tell(danger("fire")).wait(1).heard] == ["critical"]


def test_one_that_comes_during_the_earcon_begins_anew_as_a_name() -> None:
    ear = Ear().tell(danger("armed", advice="away")).wait(0.1).tell(danger("knife")).wait(6)
    assert ear.texts == ["long armed away", "armed", "long knife", "away"]
    assert ear.heard[2][0] - ear.heard[1][0] <= NAME_S + 1.5 * STEP_S
    assert [earcon for *_, earcon in ear.heard[1:]] == [None, None, None], "its sound was heard already"


def test_one_that_says_no_more_than_its_name_does_not_begin_anew() -> None:
    smoke = replace(danger("smoke"), text="smoke")
    ear = Ear().tell(smoke).wait(0.1).tell(danger("bike", severity=2)).wait(6)
    assert ear.texts == ["smoke", "long bike"]
    # A loudspeaker that takes longer to begin than the next step takes to come.
    outbox = Outbox(OutboxSettings())
    outbox.step(Enqueue(smoke), 0.0)
    assert outbox.step(Enqueue(danger("bike", severity=2)), 0.05) == ()
    assert outbox.step(OutboxTick(), 0.1) == ()


def test_one_that_has_expired_does_not_begin_anew_but_goes_on() -> None:
    """A loudspeaker may take longer to begin than the danger is news."""
    outbox = Outbox(OutboxSettings())
    car = replace(danger("car"), expires_at_s=1.0)
    assert kinds(outbox.step(Enqueue(car), 0.9)) == [("start", "car")]
    assert outbox.step(Enqueue(danger("bike", severity=2)), 1.1) == ()
    assert kinds(outbox.step(PlaybackBegan("car"), 1.2)) == [("spoken", "car")]


def test_a_newer_text_that_waits_is_said_in_place_of_the_rest_of_an_older_one() -> None:
    ear = Ear().tell(danger("car", side="left", advice="wait")).wait(0.9)
    ear.tell(replace(danger("car", side="left", advice="closer"), id="newer"), danger("bike")).wait(9)
    assert ear.texts == ["long car left wait", "long bike", "long car left closer"]
    assert sorted(ear.reported) == ["bike", "car", "newer"]


def test_one_that_comes_during_the_rest_is_named_at_once() -> None:
    ear = Ear().tell(danger("car", side="left", advice="wait")).wait(1.0).tell(danger("bike", severity=2))
    assert ear.texts == ["long car left wait", "long bike"]
    assert ear.wait(6).texts[2:] == ["long car left wait"], "its side has not been heard"


def test_no_name_is_cut_off_for_a_name_that_is_not_worse() -> None:
    ear = Ear().tell(danger("car", side="left")).wait(lead_s("critical") + NAME_S / 2).tell(danger("train"))
    assert ear.texts == ["long car left"]
    assert ear.wait(0.5).texts[:2] == ["long car left", "long train"]


def test_a_notice_waits_for_the_end_of_a_warning() -> None:
    ear = Ear().tell(danger("car", side="left"), danger("dog", severity=1)).wait(6)
    assert ear.texts == ["long car left", "long dog"]


def test_sides_of_their_own_are_said_with_their_names() -> None:
    ear = Ear().tell(danger("fire", side="left", rank=1), danger("smoke", side="right")).wait(9)
    assert ear.texts == ["fire", "long smoke right", "long fire left"]


def test_one_name_seen_by_two_cameras_is_not_called_twice() -> None:
    left, right = danger("car", side="left"), replace(danger("car", side="right"), id="b", key="b")
    assert Ear().tell(left, right).wait(9).texts == ["long car left", "long car right"]


def test_a_side_that_becomes_known_meanwhile_is_said_with_the_name() -> None:
    ear = Ear().tell(danger("fire", advice="stop", rank=1), danger("smoke")).wait(0.2)
    ear.tell(replace(danger("fire", side="left", advice="stop", rank=1), id="located")).wait(9)
    assert ear.texts == ["fire", "long smoke", "long fire left stop"]


def test_a_rest_that_needs_its_name_is_said_with_it() -> None:
    nearer = danger("fire", rank=1, advice="nearer")
    ear = Ear().tell(replace(nearer, advice=nearer.text), danger("smoke")).wait(6)
    assert ear.texts == ["fire", "long smoke", "long fire nearer"]


def test_what_is_over_is_not_finished() -> None:
    ear = Ear().tell(danger("fire", advice="stop", rank=1), danger("smoke")).wait(0.2)
    ear._feed(Retract("cause of fire"))
    assert ear.wait(9).texts == ["fire", "long smoke", "stop"], "it was being named when it ended"
    ear = Ear().tell(danger("fire", advice="stop", rank=1), danger("smoke")).wait(0.7)
    ear._feed(Retract("cause of fire"))
    assert ear.wait(9).texts == ["fire", "long smoke"]


def test_an_outbox_that_hands_over_leaves_the_joining_to_the_other() -> None:
    ear = Ear(joins=False).tell(danger("smoke", advice="out"), danger("fire", advice="stop")).wait(9)
    assert ear.texts == ["long smoke out", "long fire stop"]
    assert [earcon for *_, earcon in ear.heard] == ["critical", "critical"]


dangers = st.lists(
    st.builds(
        danger,
        st.sampled_from([f"d{n}" for n in range(5)]),
        severity=st.integers(1, 3),
        rank=st.integers(0, 3),
        side=st.sampled_from(["", "left", "right"]),
        advice=st.sampled_from(["", "stop"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.name,
)
bursts = st.lists(st.tuples(dangers, st.floats(0, 2)), min_size=1, max_size=3)


@given(dangers)
def test_of_a_burst_every_name_comes_after_the_names_before_it_alone(burst: Sequence[Utterance]) -> None:
    ear = Ear().tell(say("talk", MESSAGE), *burst).wait(60)
    urgent = [one for one in burst if one.severity >= 2]
    first = [
        next(at_s for at_s, text, _ in ear.heard if text in (one.name, one.text))
        for one in sorted(urgent, key=lambda one: (-one.severity, -one.rank))
    ]
    assert first == sorted(first), "the worst is named first"
    assert all(
        at_s <= lead_s("critical") + (NAME_S + 2 * STEP_S) * before for before, at_s in enumerate(first)
    ), "no name waits for the side or the advice of another"


@given(bursts)
def test_whenever_they_come_a_name_waits_no_longer_than_for_names(
    story: Sequence[tuple[Sequence[Utterance], float]],
) -> None:
    ear, told = Ear(), dict[str, tuple[float, Utterance]]()
    for burst, after_s in story:
        new = [one for one in burst if one.name not in told]
        told |= {one.name: (ear.now, one) for one in new}
        ear.tell(*new).wait(after_s)
    ear.wait(60)
    for told_s, one in told.values():
        if one.severity < 2:
            continue
        named_s = next((at_s for at_s, text, _ in ear.heard if one.name in text.split()), None)
        assert named_s is not None
        # At worst one name that was cut off by a worse one, and every other name, come before it.
        assert named_s - told_s <= lead_s("critical") + (NAME_S + 2 * STEP_S) * 2 * len(told) + REST_S


@given(bursts)
def test_each_danger_is_named_its_side_told_and_reported_once(
    story: Sequence[tuple[Sequence[Utterance], float]],
) -> None:
    ear, told = Ear(), dict[str, Utterance]()
    for burst, after_s in story:
        new = [one for one in burst if one.name not in told]
        told |= {one.name: one for one in new}
        ear.tell(*new).wait(after_s)
    ear.wait(60)
    assert sorted(ear.reported) == sorted(told)
    for one in told.values():
        assert any(text in (one.name, one.text) for text in ear.texts)
        sides = [text for text in ear.texts if one.side in text.split()]
        assert not one.side or sides, "every side is heard, if only with a danger of the same side"
