"""Whatever is called live is taken over by the part that runs: each pattern, looked at where it works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from capture.frame import Frame
from daemon.config import settings
from daemon.config.reload_plan import is_live, merged, plan
from daemon.config.schema import dotted
from daemon.config.settings import SCHEMA
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.messages import Ask, Assessed
from daemon.core.view import View
from daemon.runtime.description_loop import DescriptionLoop
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.effects import EffectExecutor
from daemon.runtime.engine import CoreRunner
from daemon.runtime.event_writer import EventWriter
from daemon.runtime.latest_frame import LatestFrame
from daemon.runtime.metrics import Metrics
from daemon.runtime.phrase_prefetch import PhrasePrefetch
from daemon.wiring.detector import DetectorBundle, DetectorReloader, core_spec, enabled_hazards
from daemon.wiring.live import LiveParts, apply_settings
from daemon.wiring.voice import Voice
from pipeline.alerting.baseline import BaselineFilter
from pipeline.description.base import DescribeRequest
from pipeline.detection.detector import Detector
from pipeline.detection.scorer import Outdated
from pipeline.hazards import prompt_set
from pipeline.types import Assessment, Encoding, PromptSet
from speech.playback.speaker import Speaker
from speech.synthesis.renderer import Renderer
from tests.fakes import ColourBank, ColourModel, Logistic, plain
from tests.speech.made import HandPlayer, ToneSynthesizer, utterance

SAYS = "Stop! Fire."
MINUTE_S = 60.0


def no_effect(*_: object) -> None:
    """Where nobody listens."""


class Asked:
    """A narrator that only remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[DescribeRequest] = []

    def submit(self, request: DescribeRequest) -> None:
        self.requests.append(request)

    def cancel(self, scene_id: str) -> None:
        """Nothing runs."""


class Remembering(ColourModel):
    """It remembers the prompts it was given last."""

    def bind(self, prompts: PromptSet) -> ColourBank:
        self.bound = dict(prompts.hazards)
        return super().bind(prompts)


class Station:
    """A daemon without camera, describer and loudspeaker: the parts that take settings over are real."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._now = 0.0
        self.settings = self.load()
        self.synthesizer = ToneSynthesizer()
        self.narrator = Asked()
        self.detector = self._detector()
        self.mind = CoreRunner(BlackBox(Core(self.detector.spec)), lambda: self._now)
        self.scribe, self.ledger = EventWriter(()), Metrics()
        self.live = self._live()

    def load(self, **changes: object) -> settings.Settings:
        return settings.load(None, {"HOME": str(self._home)}, changes).settings

    def _detector(self) -> DetectorBundle:
        hazards = enabled_hazards(self.settings)
        thresholds = {hazard.name: 0.5 for hazard in hazards}
        model = self.model = Remembering()
        spec = core_spec(self.settings, hazards, thresholds, model.geometry)
        usual = BaselineFilter(self.settings.pipeline.usual_s, [hazard.threshold for hazard in spec.hazards])
        detector = Detector(model, model.bind(prompt_set(hazards)), Logistic(), baseline=usual)
        return DetectorBundle(
            model=cast("Any", model),
            detector=detector,
            thresholds=thresholds,
            picture_hazards=spec.hazards,
            spec=spec,
            baseline=usual,
            outdated=Outdated(),
            note="",
            turned_down={},
        )

    def _attach(self, speaker: Speaker[HandPlayer]) -> None:
        view = View(Frame(plain((9, 9, 9)), (32, 32), 0, 0.0, "s"), self.assessment())
        executor = EffectExecutor(
            runner=self.mind,
            output=speaker,
            descriptions=cast("DescriptionLoop", self.narrator),
            language="en",
            events=self.scribe,
            metrics=self.ledger,
            latest_view=lambda: view,
            on_alert=no_effect,
            on_false_alarm=no_effect,
        )
        self.mind.attach(executor.perform)

    def assessment(self) -> Assessment:
        low = np.full(len(self.detector.spec.hazards), 0.01, np.float32)
        return Assessment(0, self._now, Encoding(np.ones(3, np.float32)), low)

    def _live(self) -> LiveParts:
        renderer = Renderer(self.settings.speech, None, self.synthesizer)
        speaker = Speaker(renderer, HandPlayer, no_effect, no_effect)
        self._attach(speaker)
        self.player = speaker.player
        self.rehearsal = PhrasePrefetch(after_s=600)
        nobody: Any = None
        voice = Voice(
            synthesizer=cast("Any", self.synthesizer),
            neural=None,
            speaker=cast("Any", speaker),
            prefetch=self.rehearsal,
        )
        watcher = DetectionLoop(
            nobody, self.detector.detector, self.mind, self.ledger, lambda: self._now, no_effect, 0.7
        )
        return LiveParts(
            slow_describers={},
            bundle=self.detector,
            runner=self.mind,
            event_writer=self.scribe,
            metrics=self.ledger,
            output=voice,
            describer=nobody,
            description_loop=nobody,
            text_reader=nobody,
            detection_loop=watcher,
            slot=nobody,
            reader=nobody,
            reloader=DetectorReloader(self.detector, self.settings),
            false_alarms=nobody,
            journal_writer=nobody,
            latest_frame=LatestFrame(),
        )

    def change(self, key: str, value: object) -> None:
        """As a reload does."""
        new = self.load(**{key: value})
        found = plan(self.settings, new)
        assert found.live == (key,)
        apply_settings(self.live, merged(self.settings, new, found), found.voice)

    def close(self) -> None:
        self.rehearsal.close()
        cast("Voice", self.live.output).speaker.close()

    # Where it is to be seen

    def core(self, path: str) -> object:
        """What the core that decides was made from."""
        found: Any = self.mind.read(lambda core: core.spec)
        for name in path.split("."):
            found = getattr(found, name)
        return found

    def fire(self, what: str) -> object:
        return next(
            getattr(h, what) for h in self.mind.read(lambda core: core.spec.hazards) if h.name == "fire"
        )

    def names(self) -> list[str]:
        """What the core watches for."""
        return self.mind.read(lambda core: [hazard.name for hazard in core.spec.hazards])

    def prompts(self, hazard: str) -> object:
        """What the model was last given for it."""
        return list(self.model.bound[hazard])

    def deadline_s(self) -> object:
        """Of the next question."""
        self.mind.step(Assessed(self.assessment()))
        self.mind.step(Ask())
        return self.narrator.requests[-1].deadline_s

    def asked(self, what: str) -> object:
        """Of the synthesiser, for the phrases that are rendered last but for its own."""
        return {getattr(request, what) for request in self.synthesizer.asked}

    def korean_pace(self) -> float:
        """How much faster Korean is asked for than English."""
        renderer = cast("Voice", self.live.output).speaker.renderer
        korean, english = (renderer.request("1", language).rate_wpm for language in ("ko", "en"))
        return korean / english

    def heard(self, pan: float) -> tuple[float, float]:
        """How loud a prepared danger is, left and right, as soon as `start` returns."""
        said = SAYS if self.fire("say") == SAYS else str(self.fire("say")).replace("{where}", "")
        cast("Voice", self.live.output).speaker.start(utterance(said, pan=pan, earcon=None))
        loud = np.abs(self.player.turn(0.5).astype(int)).max(axis=0)
        return float(loud[0]), float(loud[1])


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    level = logging.getLogger().level
    made = Station(tmp_path)
    yield made
    made.close()
    logging.getLogger().setLevel(level)


Look = Callable[[Station], object]

SEEN: tuple[tuple[str, object, Look], ...] = (
    ("watch.cooldown_s", 33.0, lambda s: s.core("watch.cooldown_s")),
    ("scene.min_interval_s", 33.0, lambda s: s.core("scene.min_interval_s")),
    ("health.settle_s", 3.0, lambda s: s.core("health.settle_s")),
    ("health.quiet_s", 33.0, lambda s: s.core("health.quiet_s")),
    ("health.remind_s", 33.0, lambda s: s.core("health.remind_s")),
    ("describe.stale_s", 33.0, lambda s: s.core("describe.stale_s")),
    ("describe.deadline_s", 2.5, Station.deadline_s),
    ("hazards.fire.enabled", False, lambda s: "fire" in s.names()),
    ("hazards.fire.prompts", ["flames"], lambda s: s.prompts("fire")),
    ("health.late_s", 33.0, lambda s: s.live.detection_loop.late_s),
    ("hazards.fire.threshold", 0.9, lambda s: s.fire("threshold")),
    ("hazards.fire.severity", "notice", lambda s: {1: "notice"}.get(cast("int", s.fire("severity")))),
    ("hazards.fire.say_en", SAYS, lambda s: s.heard(0)[0] > 0 and s.fire("say")),
    ("speech.rate_wpm", 333, lambda s: 333 if 333 in cast("set[int]", s.asked("rate_wpm")) else None),
    ("speech.danger_rate_wpm", 222, lambda s: 222 if 222 in cast("set[int]", s.asked("rate_wpm")) else None),
    ("speech.volume", 0.0, lambda s: s.heard(0)[0]),
    ("speech.korean_rate", 1.5, Station.korean_pace),
    ("speech.description_gap_s", 33.0, lambda s: s.core("description_gap_s")),
    ("speech.talk_share", 0.5, lambda s: s.core("talk_share")),
    ("speech.verbosity", "alerts", lambda s: s.core("verbosity")),
    ("speech.clear_earcon", "all", lambda s: s.core("clear_earcon")),
    ("speech.tick_s", 33.0, lambda s: s.core("tick_s")),
    ("speech.pitch", 11, lambda s: max(cast("set[int]", s.asked("pitch")))),
    ("speech.voice", "en-us", lambda s: "en-us" if s.asked("voice") == {"en-us"} else None),
    ("speech.pan_width", 0.0, lambda s: s.heard(-1.0)[0] - s.heard(-1.0)[1]),
    ("speech.outbox.longest_s", 33.0, lambda s: s.core("outbox.longest_s")),
    ("log.level", "error", lambda s: logging.getLevelName(logging.getLogger().level).lower()),
)


@pytest.mark.parametrize(("key", "value", "look"), SEEN, ids=[key for key, *_ in SEEN])
def test_what_is_live_is_seen_at_work(station: Station, key: str, value: object, look: Look) -> None:
    station.change(key, value)
    assert look(station) == value


PASSED_WHOLE = ("watch.", "scene.", "speech.outbox.")
"""Sections that reach their part as one object: one setting stands for all."""
SENT_ALONG = {"hazards.*.words"}
"""Read by the worker only, which is sent the settings with each question."""


def test_every_live_setting_is_looked_at() -> None:
    seen = {key.replace(".fire.", ".*.") for key, *_ in SEEN}
    alike = {"hazards.*.say_ko": "hazards.*.say_en"}
    live = {key for path in SCHEMA.leaves() if is_live(key := dotted(path))} - SENT_ALONG
    missed = {key for key in live - seen if alike.get(key) not in seen}
    whole = tuple(part for part in PASSED_WHOLE if any(key.startswith(part) for key in seen))
    assert {key for key in missed if not key.startswith(whole)} == set()


def test_a_new_threshold_holds_for_what_a_view_usually_shows(station: Station) -> None:
    """A view that shows a little of it is learnt from below the threshold and left alone above it."""
    number = [hazard.name for hazard in station.detector.spec.hazards].index("fire")
    view = station.assessment().probabilities.copy()
    view[number] = 0.4

    def after(begin_s: float) -> float:
        times = np.arange(begin_s, begin_s + 60 * MINUTE_S)
        return float([station.detector.baseline.subtract(view, float(now))[number] for now in times][-1])

    station.change("hazards.fire.threshold", 0.3)
    assert after(0) == pytest.approx(0.4), "it is a danger, not usual"
    station.change("hazards.fire.threshold", 0.9)
    assert after(60 * MINUTE_S) < 0.3
