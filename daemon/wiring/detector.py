"""The wiring: which parts there are and who gets what. Nothing else builds collaborators."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2

from capture.camera import Camera, CameraUnusable
from capture.factory import open_camera, open_path
from capture.frame import Frame
from capture.reader import CameraEvent, Reader
from capture.slot import LatestSlot, SlotPolicy
from capture.v4l2 import Device, list_devices
from common.redact import redact
from daemon.config.settings import Settings
from daemon.control.paths import server_socket
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.health import OK, Report
from daemon.core.health_sources import CameraReporter, QualityReporter, loudspeaker_report
from daemon.core.messages import CoreSpec, HazardSpec, Say
from daemon.core.view import SentenceEncoder, no_encoder
from daemon.errors import CommandError
from daemon.journal.false_alarms import FalseAlarms
from daemon.journal.paths import JournalPaths
from daemon.journal.writer import JournalWriter
from daemon.paths import NAME
from daemon.replay.replay import Options, Replay, ReplaySink
from daemon.replay.replay import ReplayVoice as ReplayVoice
from daemon.runtime.description_loop import DescriptionLoop
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.effects import EffectExecutor
from daemon.runtime.engine import CoreRunner
from daemon.runtime.event_writer import EventWriter, Outlet
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.latest_frame import LatestFrame
from daemon.runtime.metrics import Metrics
from daemon.runtime.phrase_prefetch import Phrase, PhrasePrefetch
from daemon.wiring.store import model_store
from pipeline import hazards as hazard_tables
from pipeline.alerting.baseline import BaselineFilter
from pipeline.calibration.few_shot import TeachError, few_shot_names
from pipeline.calibration.repository import CalibrationRepository
from pipeline.calibration.table import CalibrationError, CalibrationTable
from pipeline.description import factory as describers
from pipeline.description.base import DescribeError
from pipeline.description.status import WatchedDescriber
from pipeline.description.template import PlaceFinder, TemplateDescriber, builtin_words
from pipeline.detection.detector import Detector
from pipeline.detection.scorer import build_scorer, load_hazards, state_version
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.hazards import Hazard, HazardError, arriving, glowing
from pipeline.models.base import ImageTextModel
from pipeline.models.loader import fell_back, load_image_text
from pipeline.store.errors import StoreError
from pipeline.store.store import Store
from pipeline.wording import HEALTH, NOT_NOTED, danger_phrases, own_phrases
from speech.playback.base import PlayerEvent
from speech.playback.process_player import ProcessPlayer
from speech.playback.speaker import Speaker
from speech.synthesis.base import SynthesisError, Synthesizer
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.renderer import Renderer
from speech.synthesis.with_deadline import DeadlineSynthesizer, open_neural
from speech.utterance import Priority

log = logging.getLogger(__name__)

DEMO = "demo"

Clock = Callable[[], float]
"""Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class DetectorBundle:
    """A model with its prompts and calibration, and what the core must know of them."""

    model: ImageTextModel
    assessor: Detector
    thresholds: Mapping[str, float]
    """The calibration's, by hazard."""
    spec: CoreSpec
    usual: BaselineFilter
    """The assessor's."""


def open_store(settings: Settings) -> Store:
    """The model store."""
    return model_store(settings.paths.models)


def open_calibrations(settings: Settings) -> CalibrationRepository:
    """Where calibrations are looked for."""
    return CalibrationRepository(settings.paths.state, open_store(settings))


def load_model(settings: Settings) -> ImageTextModel:
    """The image-text model that the settings name; `auto` takes none that was never calibrated.

    Raises StoreError, ModelUnusableError, StarterUnusableError.
    """
    cv2.setNumThreads(2)  # two share a frame's one large shrinking; more only get in the encoder's way
    wanted = settings.pipeline
    model = load_image_text(
        open_store(settings),
        wanted.model,
        wanted.device,
        wanted.threads,
        settings.paths.cache,
        open_calibrations(settings).known,
    )
    if fell_back(wanted.device, model.device):
        log.warning("%s runs on %s, not on %s as preferred", model.name, model.device, wanted.device)
    return model


def core_spec(settings: Settings, hazards: Sequence[Hazard], thresholds: Mapping[str, float]) -> CoreSpec:
    """What the core's decisions depend on; `thresholds` are the calibration's, by hazard."""
    return CoreSpec(
        language=settings.speech.language,
        hazards=tuple(
            HazardSpec(
                name=h.name,
                severity=int(h.severity),
                threshold=thresholds[h.name] if h.threshold is None else h.threshold,
                say=h.say[settings.speech.language],
            )
            for h in hazards
        ),
        watch=settings.watch,
        scene=settings.scene,
        describe=settings.describe,
        health=settings.health,
        outbox=settings.speech.outbox,
        verbosity=settings.speech.verbosity,
        clear_earcon=settings.speech.clear_earcon,
        tick_s=settings.speech.tick_s,
        forwards=bool(settings.control.forward_to),
    )


class DetectorReloader:
    """A running model's detector, made anew for other hazards and for what is new in the state folder."""

    def __init__(self, detector: DetectorBundle, settings: Settings) -> None:
        self._detector = detector
        self._asked = _asked(settings)
        self._stamp = state_version(settings.paths.state)

    def detector_for(self, settings: Settings) -> DetectorBundle:
        """Raises ValueError, once, where what the state folder holds does not fit; the old one then holds.

        It holds too while the settings still name a hazard whose pictures were forgotten: a reload takes
        it out.
        """
        asked, taught = _asked(settings), few_shot_names(settings.paths.state)
        if any(not any(map(str.strip, prompts)) and name not in taught for name, prompts in asked):
            return self._detector
        stamp, before = state_version(settings.paths.state), self._stamp
        self._stamp = stamp
        if stamp != before or asked != self._asked:
            try:
                self._detector = build_detector(settings, self._detector.model)
            except (HazardError, CalibrationError, TeachError, CommandError) as error:
                raise ValueError(str(error)) from error
            self._asked = asked
        return self._detector


def _asked(settings: Settings) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The enabled hazards and their prompts."""
    return tuple((name, one.prompts) for name, one in settings.hazards.items() if one.enabled)


def enabled_hazards(settings: Settings) -> tuple[Hazard, ...]:
    """What is watched for. Raises HazardError, CommandError."""
    hazards = load_hazards(settings.hazards, settings.paths.state)
    if not hazards:
        raise CommandError("every hazard is disabled; enable one in [hazards.NAME]")
    return hazards


def build_detector(
    settings: Settings,
    model: ImageTextModel | None = None,
    *,
    own: bool = True,
    table: CalibrationTable | None = None,
) -> DetectorBundle:
    """Model, prompts, taught pictures, calibration and thresholds, fitted together.

    `own`: with the user's own calibration, where there is one. `table`: with this one instead.
    """
    model = model or load_model(settings)
    hazards = enabled_hazards(settings)
    eye = build_scorer(
        model, hazards, open_calibrations(settings), settings.paths.state, own=own, table=table
    )
    thresholds = dict(zip(eye.calibration.names, eye.calibration.thresholds.tolist(), strict=True))
    spec = core_spec(settings, hazards, thresholds)
    stillness = StaticSceneCheck(settings.pipeline.still_level, settings.pipeline.still_s)
    usual = BaselineFilter(settings.pipeline.usual_s, [hazard.threshold for hazard in spec.hazards])
    assessor = Detector(model, eye.bank, eye.calibration, stillness, arriving(), glowing(), usual)
    return DetectorBundle(model, assessor, thresholds, spec, usual)


def build_describer(
    settings: Settings, model: ImageTextModel, *, idle: bool = True
) -> WatchedDescriber | None:
    """Who turns views into sentences; None where the settings want none. Raises CommandError.

    `idle`: only with what processor time nobody else wants, as beside the danger lane.
    """
    words = builtin_words()
    try:
        return describers.build(
            settings.describe,
            language=settings.speech.language,
            tags=TemplateDescriber(words, PlaceFinder(model, words)),
            locate=open_store(settings).path,
            cache=settings.paths.cache,
            words=words,
            idle=idle,
        )
    except DescribeError as error:
        raise CommandError(str(error)) from None


def build_meaning(settings: Settings) -> SentenceEncoder:
    """Sentence vectors by the starter's text encoder, whichever model looks; else words are compared."""
    from pipeline.models.starter.model import TEXT_FILE, TOKENIZER_FILE
    from pipeline.models.starter.text_encoder import TextEncoder

    try:
        folder = open_store(settings).path("starter")
    except StoreError:
        return no_encoder
    encoder = TextEncoder(folder / TEXT_FILE, folder / TOKENIZER_FILE)
    return lambda sentence: tuple(encoder.encode([sentence])[0].tolist())


def build_renderer(
    settings: Settings, synthesizer: Synthesizer, natural: Synthesizer | None = None
) -> Renderer:
    """Words to sound, with danger phrases rendered beforehand and kept on disk."""
    return Renderer(settings.speech, settings.paths.cache / "phrases", synthesizer, natural)


def prepare_phrases(renderer: Renderer, spec: CoreSpec) -> None:
    """Render every danger phrase, so that none is synthesised when it is needed. Raises SynthesisError.

    And what is said of the program itself; a voice that has died since yesterday need not be able to.
    """
    language = spec.language
    renderer.prepare(_dangers((hazard.say for hazard in spec.hazards), language))
    try:
        renderer.prepare(_own(language))
    except SynthesisError as error:
        log.warning("what is to be said of failing parts is not prepared: %s", error)


def other_phrases(hazards: Sequence[Hazard], own: str) -> Iterator[Phrase]:
    """The same in the languages that are not one's own: another instance may hand those over."""
    for language in HEALTH:
        if language != own:
            yield from _dangers((hazard.say[language] for hazard in hazards), language)
            yield from _own(language)


def _dangers(says: Iterable[str], language: str) -> list[Phrase]:
    texts = (text for say in says for text in danger_phrases(say, language))
    return [(text, language, Priority.DANGER) for text in dict.fromkeys(texts)]


def _own(language: str) -> list[Phrase]:
    return [(text, language, Priority.MESSAGE) for text in own_phrases(language)]


def choose_source(
    settings: Settings, *, service: bool = False, devices: Callable[[], Sequence[Device]] = list_devices
) -> str:
    """What `capture.source` means here: `auto` is the first camera, else the demo clip.

    For a `service` it stays `auto` where there is none: nobody there knows a clip from a street, so it
    waits, and looks for one whenever it tries to open it.
    """
    source = settings.capture.source
    if source != "auto":
        return source
    if found := devices():
        return str(found[0].path)
    return source if service else DEMO


def source_path(settings: Settings, source: str) -> str:
    """`demo` becomes the clip's path. Raises StoreError where it has not been pulled."""
    return str(open_store(settings).path(DEMO) / "bikes.mp4") if source == DEMO else source


def open_recorded(settings: Settings, source: str) -> Camera:
    """A file or folder on stream time. Raises CameraUnusable, StoreError."""
    if "://" in source:
        raise CameraUnusable(f"{redact(source)} is a stream, no recording; `watchword run` watches those")
    return open_path(Path(source_path(settings, source)), settings.capture)


def build_replay(
    settings: Settings,
    detector: DetectorBundle,
    voice: ReplayVoice,
    sink: ReplaySink,
    describer: WatchedDescriber | None,
    write: Callable[[Event], None],
    *,
    real_time: bool = False,
    black_boxes: Path | None = None,
) -> Replay:
    """The core driven over a file. Without a `describer`, which the caller closes, nothing is described."""
    return Replay(
        box=BlackBox(Core(detector.spec)),
        detector=detector.assessor,
        voice=voice,
        sink=sink,
        describer=describer,
        options=Options(
            language=settings.speech.language,
            describe_s=settings.describe.replay_s,
            deadline_s=settings.describe.deadline_s,
            load_s=settings.describe.load_s,
            real_time=real_time,
            black_boxes=black_boxes,
        ),
        write=write,
        quality=QualityReporter(settings.capture),
        encode_sentence=build_meaning(settings) if describer else no_encoder,
    )


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice and a loudspeaker of our own; its threads run from the start."""

    renderer: Renderer
    synthesizer: EspeakSynthesizer
    speaker: Speaker
    player: ProcessPlayer
    natural: DeadlineSynthesizer | None
    """Who says what is no danger, where `speech.engine` is another than espeak."""
    rehearsal: PhrasePrefetch
    """Who prepares the other language's phrases."""

    @property
    def alive(self) -> bool:
        """False where only a restart helps."""
        return self.player.alive and self.speaker.alive

    def close_synthesizers(self) -> None:
        self.rehearsal.close()
        self.synthesizer.close()
        if self.natural is not None:
            self.natural.close()


@dataclass(frozen=True, slots=True)
class LiveParts:
    """The parts of a running daemon, wired and not yet started."""

    detector: DetectorBundle
    mind: CoreRunner
    scribe: EventWriter
    ledger: Metrics
    mouth: Voice | Forwarder
    describer: WatchedDescriber | None
    narrator: DescriptionLoop | None
    watcher: DetectionLoop
    slot: LatestSlot[Frame]
    reader: Reader
    sight: DetectorReloader
    false_alarms: FalseAlarms
    clerk: JournalWriter | None
    """Who keeps the journal, where one is kept."""
    outlook: LatestFrame


def build_voice(
    settings: Settings, spec: CoreSpec, mind: CoreRunner, ledger: Metrics, fallback: Path, clock: Clock
) -> Voice:
    """Everything between words and the loudspeaker, danger phrases prepared.

    Raises SynthesisError; StoreError where the voice of `speech.engine` has not been pulled.
    """
    synthesizer = EspeakSynthesizer(settings.speech)
    natural = open_neural(settings.speech, synthesizer, open_store(settings).path)
    renderer = build_renderer(settings, synthesizer, natural)
    prepare_phrases(renderer, spec)
    player: list[ProcessPlayer] = []

    def open_player(tell: Callable[[PlayerEvent], None]) -> ProcessPlayer:
        player.append(ProcessPlayer(settings.speech, tell, fallback=fallback))
        return player[0]

    speaker = Speaker(
        renderer,
        open_player,
        report=lambda event, at_s: mind.step(event, {"output_s": at_s - clock()}),
        on_output_change=lambda change: mind.step(loudspeaker_report(change)),
        on_synthesis=partial(ledger.record, "synthesise"),
        on_voice_change=lambda why: mind.step(Report("voice", "failed" if why else OK, why)),
    )
    rehearsal = PhrasePrefetch()
    rehearsal.prefetch(renderer, other_phrases(enabled_hazards(settings), spec.language))
    return Voice(renderer, synthesizer, speaker, player[0], natural, rehearsal)


def build_clerk(
    settings: Settings, detector: DetectorBundle, mind: CoreRunner, source: str, clock: Clock
) -> JournalWriter:
    """Who keeps the journal; nothing is opened before its thread runs."""
    about = {
        "version": version("watchword"),
        "model": detector.model.name,
        "fingerprint": detector.model.fingerprint,
        "source": redact(source),
    }
    places = JournalPaths.in_state(settings.paths.state)
    run = secrets.token_hex(4)
    return JournalWriter(
        places, settings.journal, run, about, mind.read, mind.snapshot, mind.forget, mind.step, clock
    )


def build_forwarder(settings: Settings, mind: CoreRunner, env: Mapping[str, str], clock: Clock) -> Forwarder:
    """The loudspeaker of another instance on this machine."""
    control = settings.control
    socket = server_socket(env, settings.paths.state, control.forward_to)
    told = partial(mind.step, timing={"output_s": 0.0})
    return Forwarder(control.instance or NAME, socket, told, mind.step, clock)


def build_live(
    settings: Settings,
    source: str,
    outlets: Sequence[Outlet],
    clock: Clock,
    beat: Callable[[], None],
    camera_over: Callable[[CameraEvent], None],
    on_alert: Callable[[Event], None],
    fallback: Path,
    env: Mapping[str, str],
) -> LiveParts:
    """The core driven by threads. Raises what opening a model, a voice or the store raises."""
    detector = build_detector(settings)
    mind = CoreRunner(BlackBox(Core(detector.spec)), clock)
    clerk = build_clerk(settings, detector, mind, source, clock) if settings.journal.enabled else None
    ledger, scribe = Metrics(), EventWriter((*outlets, clerk.write) if clerk else outlets)
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.NEWEST)
    late_s = settings.health.late_s
    outlook = LatestFrame()
    watcher = DetectionLoop(
        slot,
        detector.assessor,
        mind,
        ledger,
        clock,
        beat,
        late_s,
        lambda: reader.unusable_reason or "",
        outlook,
    )
    describer = build_describer(settings, detector.model)
    narrator = DescriptionLoop(describer, mind.step, build_meaning(settings), clock) if describer else None
    language = settings.speech.language
    false_alarms = FalseAlarms(
        settings.paths.state,
        {"model": detector.model.name, "fingerprint": detector.model.fingerprint},
        mind.snapshot if settings.journal.black_boxes else None,
        lambda: mind.step(Say(NOT_NOTED[language], earcon="error")),
    )
    mouth = (
        build_forwarder(settings, mind, env, clock)
        if settings.control.forward_to
        else build_voice(settings, detector.spec, mind, ledger, fallback, clock)
    )
    executor = EffectExecutor(
        runner=mind,
        output=mouth if isinstance(mouth, Forwarder) else mouth.speaker,
        descriptions=narrator,
        language=language,
        events=scribe,
        metrics=ledger,
        latest_view=lambda: watcher.latest_view,
        on_alert=on_alert,
        on_false_alarm=false_alarms.record,
        on_event=clerk.attach_frame if clerk else None,
    )
    mind.attach(executor.perform)
    path = source_path(settings, source)
    sense = CameraReporter(mind.step, camera_over)
    reader = Reader(lambda: open_camera(path, settings.capture, clock), slot, settings.capture, sense, clock)
    sight = DetectorReloader(detector, settings)
    return LiveParts(
        detector,
        mind,
        scribe,
        ledger,
        mouth,
        describer,
        narrator,
        watcher,
        slot,
        reader,
        sight,
        false_alarms,
        clerk,
        outlook,
    )


def apply_live(live: LiveParts, settings: Settings, voice: bool) -> None:
    """Let a running daemon take over settings that need no restart; `voice`: words sound different.

    Phrases are rendered before anything changes, which takes a while. A new calibration, and what was taught
    or forgotten, holds from then on too. Raises SynthesisError, ValueError; the old settings then hold.
    """
    detector = live.sight.detector_for(settings)
    running = [hazard.name for hazard in detector.spec.hazards]
    hazards = hazard_tables.from_settings(settings.hazards, running)
    spec = core_spec(settings, hazards, detector.thresholds)
    if voice and isinstance(live.mouth, Voice):
        renderer = build_renderer(settings, live.mouth.synthesizer, live.mouth.natural)
        prepare_phrases(renderer, spec)
        live.mouth.speaker.replace_renderer(renderer)
        live.mouth.rehearsal.prefetch(renderer, other_phrases(hazards, spec.language))
    detector.usual.set_thresholds([hazard.threshold for hazard in spec.hazards])
    live.watcher.replace_detector(detector.assessor, lambda: live.mind.replace_spec(spec))
    live.watcher.late_s = settings.health.late_s
    logging.getLogger().setLevel(settings.log.level.upper())
