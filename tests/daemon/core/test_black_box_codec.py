"""Recordings name inputs by tags that survive renames and moves of the classes."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import get_args

from daemon.core.messages import INPUT_TAGS, Input

WRITTEN = {
    "assessed": "Assessed",
    "say": "Say",
    "ask": "Ask",
    "read": "Read",
    "repeat": "Repeat",
    "mute": "Mute",
    "false_alarm": "FalseAlarm",
    "tell_status": "TellStatus",
    "relayed_speech": "RelayedSpeech",
    "tick": "CoreTick",
    "report": "Report",
    "enqueue": "Enqueue",
    "playback_began": "PlaybackBegan",
    "playback_ended": "PlaybackEnded",
    "speech_failed": "SpeechFailed",
    "retract": "Retract",
    "stop_speaking": "StopSpeaking",
    "outbox_tick": "OutboxTick",
    "requested": "Requested",
    "sentence_ready": "SentenceReady",
    "answer_finished": "AnswerFinished",
    "stop_describing": "StopDescribing",
    "description_tick": "DescriptionTick",
}
"""Tags as they stand in recordings. A class may be renamed here; its tag may not."""


def members(union: UnionType) -> Iterator[type]:
    for member in get_args(union):
        yield from members(member) if isinstance(member, UnionType) else (member,)


def test_tags_do_not_change() -> None:
    assert {tag: kind.__name__ for tag, kind in INPUT_TAGS.items()} == WRITTEN


def test_every_input_has_one_tag() -> None:
    assert sorted(kind.__name__ for kind in INPUT_TAGS.values()) == sorted(
        kind.__name__ for kind in members(Input)
    )
