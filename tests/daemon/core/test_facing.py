"""Two cameras, one voice: each instance faces one side of the wearer and hands its words over."""

from __future__ import annotations

import pytest

from capture.settings import Facing
from daemon.core.messages import RelayedSpeech
from speech.utterance import Utterance
from tests.daemon.core.world import World

PANS: dict[Facing, float] = {"left": -1.0, "right": 1.0}


def relayed(utterance: Utterance, instance: str) -> RelayedSpeech:
    """As the forwarder hands it over."""
    return RelayedSpeech(
        text=utterance.text,
        language=utterance.language,
        priority=utterance.priority,
        key=f"{instance}:{utterance.key}",
        severity=utterance.severity,
        rank=utterance.rank,
        certainty=utterance.certainty,
        name=utterance.name,
        side=utterance.side,
        advice=utterance.advice,
        named_after_s=utterance.named_after_s,
        pan=utterance.pan,
        earcon=utterance.earcon,
    )


def test_the_sides_of_two_forwarding_cameras_are_the_wearers() -> None:
    voice = World(1.5)
    for facing, instance in (("left", "a"), ("right", "b")):
        camera = World(facing=facing, forwards=True).watch(1.0, vehicle=0.95)
        ((_, warning),) = camera.heard
        voice.tell(relayed(warning, instance))
    voice.watch(4)
    assert [(u.text, u.pan) for _, u in voice.heard] == [
        ("Stop! vehicle on your left.", -1.0),
        ("Stop! vehicle on your right.", 1.0),
    ]


@pytest.mark.parametrize("facing", ["left", "right"])
def test_in_korean_too(facing: Facing) -> None:
    camera = World(facing=facing, forwards=True, language="ko").watch(1.0, vehicle=0.95)
    ((_, warning),) = camera.heard
    assert {"left": "왼쪽", "right": "오른쪽"}[facing] in warning.text
    assert warning.pan == PANS[facing]
