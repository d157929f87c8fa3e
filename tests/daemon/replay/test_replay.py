"""A replay: every frame, stream time, the same twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.settings import CaptureSettings
from daemon.core.black_box import SUFFIX, BlackBox, Recording
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.health_sources import QualityReporter
from daemon.replay.replay import Options, Replay
from pipeline.detection.detector import Detector
from pipeline.types import PromptSet
from tests.fakes import (
    COLOURS,
    ColourModel,
    FakeDescriber,
    FakeSink,
    FakeVoice,
    ListCamera,
    Logistic,
    core_spec,
    plain,
)

GREY = plain((120, 120, 120))
STREET = [GREY] * 50 + [plain(COLOURS["fire"])] * 75 + [GREY] * 50


class Stage:
    """A replay with stand-ins all round."""

    def __init__(
        self, describer: FakeDescriber | None = None, voice: FakeVoice | None = None, **options: object
    ) -> None:
        model = ColourModel()
        names = [h.name for h in core_spec().hazards]
        bank = model.bind(PromptSet(tuple((name, (name,)) for name in names), ()))
        self.events: list[Event] = []
        self.sink, self.voice = FakeSink(), voice or FakeVoice()
        self.slept: list[float] = []
        self.clock = 0.0
        self.replay = Replay(
            box=BlackBox(Core(core_spec())),
            detector=Detector(model, bank, Logistic()),
            voice=self.voice,
            sink=self.sink,
            describer=describer,
            options=Options("en", describe_s=0.5, deadline_s=5, **options),  # type: ignore[arg-type]
            write=self.events.append,
            quality=QualityReporter(CaptureSettings()),
            clock=lambda: self.clock,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds

    def run(self, pictures: object = STREET) -> Stage:
        self.replay.run(ListCamera(pictures))  # type: ignore[arg-type]
        return self

    def of(self, kind: str) -> list[Event]:
        return [e for e in self.events if e.kind == kind]

    @property
    def lines(self) -> list[str]:
        return [e.untimed().to_json() for e in self.events]


def test_every_frame_is_assessed_and_the_summary_comes_last() -> None:
    stage = Stage().run()
    fields = stage.events[-1].fields
    assert stage.events[-1].kind == "summary"
    assert (fields["frames"], fields["assessed"], fields["skipped"]) == (175, 175, 0)


def test_a_danger_is_heard_at_its_stream_time() -> None:
    stage = Stage().run()
    (alert,) = stage.of("alert")
    assert 2.0 < alert.t <= 3.0
    at_s, audio = stage.sink.placed[0]
    assert at_s == alert.t
    assert audio.duration_s > 0


def test_speech_lasts_as_long_as_its_audio() -> None:
    stage = Stage(FakeDescriber(("one two three four five.", "six seven eight."))).run([GREY] * 200)
    first, second = stage.of("speak")
    assert second.t - first.t == pytest.approx(5 * 0.3, abs=0.01)


def test_a_description_takes_its_configured_time() -> None:
    stage = Stage(FakeDescriber()).run([GREY] * 100)
    (scene,), (described,) = stage.of("scene"), stage.of("describe")
    assert described.t - scene.t == pytest.approx(0.5)
    assert described.cause == scene.id
    assert stage.of("speak")[0].cause == described.id


def test_a_danger_cuts_the_description_and_is_heard_at_once() -> None:
    long = FakeDescriber((" ".join(["word"] * 40),))
    stage = Stage(long).run([GREY] * 40 + [plain(COLOURS["fire"])] * 50)
    (alert,) = stage.of("alert")
    assert stage.sink.cuts == [alert.t]
    assert stage.sink.placed[1][0] == alert.t


def test_what_is_due_after_the_last_frame_is_still_said() -> None:
    stage = Stage(FakeDescriber()).run([GREY] * 12)
    assert [e.fields["text"] for e in stage.of("speak")] == ["A quiet street."]
    assert stage.sink.closed_at_s is not None
    assert stage.sink.closed_at_s >= stage.of("speak")[0].t + 0.8


def test_twice_the_same() -> None:
    assert Stage(FakeDescriber()).run().lines == Stage(FakeDescriber()).run().lines


def test_a_failing_describer_is_no_description() -> None:
    stage = Stage(FakeDescriber(failure="Error: out of memory")).run([GREY] * 60)
    assert stage.of("describe") == []
    assert stage.of("speak") == []


def test_a_voice_that_fails_does_not_end_the_replay() -> None:
    stage = Stage(voice=FakeVoice(mute=frozenset(["Stop! fire."]))).run()
    assert stage.events[-1].fields["frames"] == 175
    assert stage.of("speak") == []


def test_a_black_box_of_every_alert_repeats_it(tmp_path: Path) -> None:
    stage = Stage(black_boxes=tmp_path).run()
    (alert,) = stage.of("alert")
    recording = Recording.load(tmp_path / f"{alert.id}{SUFFIX}")
    assert recording.repeat() == recording.events
    assert any(f'"id":"{alert.id}"' in line for line in recording.events)


def test_real_pace_sleeps_until_each_frame_is_due() -> None:
    stage = Stage(real_time=True).run([GREY] * 26)
    assert sum(stage.slept) == pytest.approx(1.0)


def test_a_view_that_grows_dark_is_never_shown_to_the_describer() -> None:
    stage = Stage(FakeDescriber()).run([GREY] * 50 + [GREY // 60] * 40 + [GREY] * 40)
    assert [e.fields["trigger"] for e in stage.of("scene")] == ["scene_change"]


def test_a_dark_stretch_is_told() -> None:
    stage = Stage().run([GREY] * 10 + [GREY // 60] * 150)
    assert [e.fields["reason"] for e in stage.of("health")] == ["dark"]
    assert "Too dark for the camera." in [e.fields["text"] for e in stage.of("speak")]
