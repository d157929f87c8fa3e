"""The black box repeats a decision exactly, and says so when it cannot."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from daemon.core.black_box import BlackBox, BlackBoxError, Recording
from daemon.core.core import Core
from daemon.core.health import Report
from daemon.core.messages import Ask, Assessed, CoreSpec, CoreTick, FalseAlarm, Input, Mute, Record, Say
from pipeline.description.policy import AnswerFinished, SentenceReady
from pipeline.types import Direction, PartReading
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech, StopSpeaking
from tests.fakes import assessment, core_spec


def lived(seconds: float = 30) -> BlackBox:
    """A box that has seen half a minute with dangers, commands and crops."""
    box = BlackBox(Core(core_spec()), keep_s=12, segment_s=4)
    rng = np.random.default_rng(7)
    for seq in range(round(seconds * 10)):
        now = seq / 10
        fire, vehicle, dog = rng.choice([0.02, 0.9], 3, p=[0.3, 0.7]).tolist()
        a = assessment(seq, now, fire, vehicle, dog, view=seq // 40 % 4)
        focus = box.core.alert_policy.next_crop()
        if focus:
            a = type(a)(
                a.seq, a.captured_at_s, a.encoding, a.probabilities, (PartReading(focus, a.probabilities),)
            )
        box.step(Assessed(a), now)
        extra: list[Input] = [
            CoreTick(),
            Say("hello"),
            Ask("what?"),
            Report("camera", "lost"),
            Report("camera"),
            StopSpeaking(),
            Mute(3),
        ]
        if seq % 9 == 0:
            box.step(extra[seq // 9 % len(extra)], now)
        box.step(SentenceReady(f"s{seq // 20}", "A view.", "m"), now)
        box.step(AnswerFinished(f"s{seq // 20}"), now)
        box.step(PlaybackBegan(f"u{seq // 10}"), now)
        box.step(PlaybackEnded(f"u{seq // 10}"), now)
    return box


def test_a_decision_is_repeated_from_a_saved_box_exactly(tmp_path: Path) -> None:
    recording = lived().snapshot()
    assert any('"kind":"alert"' in line for line in recording.events)
    recording.save(tmp_path / "a1.blackbox")
    loaded = Recording.load(tmp_path / "a1.blackbox")
    assert loaded.events == recording.events
    assert loaded.repeat() == recording.events


def test_another_threshold_is_tried_against_the_same_minute(tmp_path: Path) -> None:
    recording = lived().snapshot()

    def deaf(spec: CoreSpec) -> CoreSpec:
        hazards = tuple(h.model_copy(update={"threshold": 1.0}) for h in spec.hazards)
        return spec.model_copy(update={"hazards": hazards})

    assert not any('"kind":"alert"' in line for line in recording.repeat(deaf))


def test_it_holds_the_last_seconds_and_no_more() -> None:
    entries = lived(120).snapshot().entries
    assert 12 <= entries[-1].now - entries[0].now <= 12 + 2 * 4


def test_it_is_bounded_in_steps_too() -> None:
    box = BlackBox(Core(core_spec()), keep_s=60, segment_s=10, most_entries=400)
    for i in range(5000):
        box.step(CoreTick(), i / 1000)
    assert len(box.snapshot().entries) <= 500


SIDES = (Direction.LEFT, Direction.AHEAD, Direction.RIGHT)


def test_parts_survive(tmp_path: Path) -> None:
    box = BlackBox(Core(core_spec()))
    rows = np.array([[0.1, 0.2, 0.0], [0.3, 0.4, 0.1], [0.5, 0.6, 0.2]], np.float32)
    readings = tuple(map(PartReading, SIDES, rows))
    a = assessment(0, 0.0)
    box.step(Assessed(type(a)(0, 0.0, a.encoding, a.probabilities, readings), "dark"), 0.0)
    box.snapshot().save(tmp_path / "x.blackbox")
    (entry,) = Recording.load(tmp_path / "x.blackbox").entries
    assert isinstance(entry.input, Assessed)
    assert entry.input.unseen == "dark"
    parts = entry.input.assessment.parts
    assert [part.direction for part in parts] == list(SIDES)
    for part, reading in zip(parts, readings, strict=True):
        assert np.array_equal(part.probabilities, reading.probabilities)


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "truncated", "other"])
def test_a_box_that_cannot_be_read_says_so_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a1.blackbox"
    lived(5).snapshot().save(path)
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other":
        np.savez(path.open("wb"), meta=np.frombuffer(b'{"format": 99}', np.uint8))
    else:
        path.write_bytes({"empty": b"", "text": b"hello", "truncated": whole[: len(whole) // 2]}[damage])
    with pytest.raises(BlackBoxError) as caught:
        Recording.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_box_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BlackBoxError, match="cannot write"):
        lived(1).snapshot().save(tmp_path / "file" / "a1.blackbox")


def test_other_hazards_leave_those_that_stay_as_they_are() -> None:
    box = BlackBox(Core(core_spec()))
    for seq in range(20):
        for effect in box.step(Assessed(assessment(seq, seq / 10, fire=0.9, dog=0.9)), seq / 10):
            if isinstance(effect, StartSpeech):
                box.step(PlaybackBegan(effect.utterance.id), seq / 10)
    before = box.core.alert_policy
    assert set(before.active) == {"fire", "dog"}
    spec = core_spec()
    ice = spec.hazards[0].model_copy(update={"name": "ice"})
    box.replace_spec(spec.model_copy(update={"hazards": (ice, *spec.hazards[:2])}))
    after = box.core.alert_policy
    assert after.names == ("ice", "fire", "vehicle")
    assert dict(after.active) == {"fire": before.active["fire"]}
    assert after.smoothed.tolist() == [0.0, *before.smoothed[:2]]
    box.step(FalseAlarm(), 2.0)
    alerts = []
    for seq in range(20, 40):
        seen = assessment(seq, seq / 10, fire=0.9, vehicle=0.9, dog=0.01)  # in the order ice, fire, vehicle
        effects = box.step(Assessed(seen), seq / 10)
        alerts += [
            e.event.fields["hazard"] for e in effects if isinstance(e, Record) and e.event.kind == "alert"
        ]
    assert alerts == ["ice"], "the fire is known already"
    recording = box.snapshot()
    assert recording.repeat() == recording.events
    box.replace_spec(spec)
    assert set(box.core.alert_policy.active) == {"fire"}


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_recording_is_refused_in_one_line_or_read_whatever_is_damaged(
    tmp_path: Path, seed: int
) -> None:
    """Bytes flipped, cut off or zeroed at random: zlib, zip, NumPy and JSON each complain differently."""
    path, chance = tmp_path / "a.blackbox", random.Random(seed)
    lived(1).snapshot().save(path)
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    match seed % 3:
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            del data[at:]
        case 2:
            data[at : at + 200] = bytes(min(200, len(data) - at))
    path.write_bytes(data)
    try:
        Recording.load(path)
    except BlackBoxError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "meta", [b"[" * 200_000, b'{"format": 4, "entries": [[' + b"[" * 100_000, b"\xff", b"1", b'{"format": 4}']
)
def test_a_hostile_recording_is_refused_in_one_line(tmp_path: Path, meta: bytes) -> None:
    path = tmp_path / "a.blackbox"
    none = np.zeros((0, 0), np.float32)
    with path.open("wb") as file:
        np.savez_compressed(file, meta=np.frombuffer(meta, np.uint8), embeddings=none, probabilities=none)
    with pytest.raises(BlackBoxError) as caught:
        Recording.load(path)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.blackbox"
    bomb = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with bomb, bomb.open("meta.npy", "w", force_zip64=True) as part:
        for _ in range(600):
            part.write(bytes(1_000_000))
    with pytest.raises(BlackBoxError, match="would unpack to 600 MB"):
        Recording.load(path)
