"""The wiring of the running daemon: every part, and the parts that each one gets."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from capture.factory import is_live, open_camera
from capture.frame import Frame
from capture.reader import CameraEvent, CameraState, Reader
from capture.settings import CaptureSettings
from capture.slot import LatestSlot, SlotPolicy
from capture.source_clock import StampTrust
from common.redact import redact
from common.spawn import ChildHandle
from daemon.config.settings import Settings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.health_sources import CameraReporter
from daemon.core.messages import Say
from daemon.journal.false_alarms import FalseAlarms
from daemon.journal.paths import JournalPaths
from daemon.journal.writer import JournalWriter
from daemon.runtime.description_loop import DescriptionLoop
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.effects import EffectExecutor
from daemon.runtime.engine import CoreRunner
from daemon.runtime.event_writer import EventWriter, Outlet
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.frame_budget import MIN_FPS, FrameBudget
from daemon.runtime.latest_frame import LatestFrame
from daemon.runtime.metrics import Metrics
from daemon.wiring.describer import build_describer, build_sentence_encoder, slow_describers
from daemon.wiring.detector import DetectorBundle, DetectorReloader, build_detector, core_spec
from daemon.wiring.head_start import HeadStart
from daemon.wiring.sources import source_path
from daemon.wiring.store import open_store
from daemon.wiring.voice import (
    PreparedVoice,
    Voice,
    build_forwarder,
    build_voice,
    prepare_voice,
    replace_voice,
)
from pipeline import hazards as hazard_tables
from pipeline import wording
from pipeline.description.fallback import StaticDescriber
from pipeline.description.status import WatchedDescriber
from pipeline.reading.reading_process import ReadingProcess
from pipeline.wording import NOT_NOTED

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveParts:
    """The parts of a running daemon, wired and not yet started."""

    bundle: DetectorBundle
    runner: CoreRunner
    event_writer: EventWriter
    metrics: Metrics
    output: Voice | Forwarder
    describer: WatchedDescriber | None
    description_loop: DescriptionLoop
    text_reader: ReadingProcess
    detection_loop: DetectionLoop
    slot: LatestSlot[Frame]
    reader: Reader
    reloader: DetectorReloader
    false_alarms: FalseAlarms
    journal_writer: JournalWriter | None
    """None if `journal.enabled` is false."""
    latest_frame: LatestFrame
    slow_describers: Mapping[str, str]
    """The describers that `auto` turns down for their speed, with the reasons."""


def build_live(
    *,
    settings: Settings,
    source: str,
    outlets: Sequence[Outlet],
    clock: Callable[[], float],
    heartbeat: Callable[[], None],
    fallback: Path,
    env: Mapping[str, str],
    head_start: HeadStart,
) -> LiveParts:
    """Build the core driven by threads. Raises the errors of opening a model, a voice and the store.

    `head_start`: what was begun already.
    """
    bundle, voice = _load(settings, head_start)
    # First: the other parts report to it from the moment they are built.
    runner = CoreRunner(BlackBox(Core(bundle.spec)), clock)
    metrics, latest_frame = Metrics(), LatestFrame()
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.NEWEST)
    # Opens nothing here: a slow or full disk must not delay the first frame.
    journal_writer = build_journal_writer(
        settings=settings, bundle=bundle, runner=runner, source=source, clock=clock
    )
    event_writer = EventWriter((*outlets, journal_writer.write) if journal_writer else outlets)
    path, trust = source_path(settings, source), StampTrust()
    reader = Reader(
        open_camera=lambda: open_camera(path, capture_settings(settings), clock, trust),
        slot=slot,
        settings=settings.capture,
        on_event=CameraReporter(runner.step, _log_camera_end),
        clock=clock,
    )
    describer = build_describer(settings, bundle.model)
    detection_loop = DetectionLoop(
        frames=slot,
        detector=bundle.detector,
        runner=runner,
        metrics=metrics,
        clock=clock,
        heartbeat=heartbeat,
        late_s=settings.health.late_s,
        unseen_reason=lambda: reader.unusable_reason or "",
        latest_frame=latest_frame,
        budget=build_budget(settings, path, describer),
    )
    text_reader = ReadingProcess(open_store(settings).path)
    description_loop = DescriptionLoop(
        describer=describer,
        report=runner.step,
        encode_sentence=build_sentence_encoder(settings),
        clock=clock,
        text_reader=text_reader,
    )
    language = settings.speech.language
    false_alarms = FalseAlarms(
        state=settings.paths.state,
        metadata={"model": bundle.model.name, "fingerprint": bundle.model.fingerprint},
        snapshot=runner.snapshot if settings.journal.black_boxes else None,
        on_failure=lambda: runner.step(Say(NOT_NOTED[language], earcon="error")),
    )
    output = build_output(
        voice=voice,
        sound=head_start.take_sound() if voice else None,
        settings=settings,
        runner=runner,
        metrics=metrics,
        fallback=fallback,
        env=env,
        clock=clock,
    )
    executor = EffectExecutor(
        runner=runner,
        output=output if isinstance(output, Forwarder) else output.speaker,
        descriptions=description_loop,
        language=language,
        events=event_writer,
        metrics=metrics,
        # A function: the view is read when an effect needs it, long after this line.
        latest_view=lambda: detection_loop.latest_view,
        on_alert=_log_alert,
        on_false_alarm=false_alarms.record,
        on_event=journal_writer.attach_frame if journal_writer else None,
    )
    # Last: the executor needs the parts above, which already report to the runner; it has queued their
    # inputs.
    runner.attach(executor.perform)
    return LiveParts(
        bundle=bundle,
        runner=runner,
        event_writer=event_writer,
        metrics=metrics,
        output=output,
        describer=describer,
        description_loop=description_loop,
        text_reader=text_reader,
        detection_loop=detection_loop,
        slot=slot,
        reader=reader,
        reloader=DetectorReloader(bundle, settings),
        false_alarms=false_alarms,
        journal_writer=journal_writer,
        latest_frame=latest_frame,
        slow_describers=slow_describers(settings),
    )


def build_budget(settings: Settings, path: str, describer: WatchedDescriber | None) -> FrameBudget | None:
    """Build the detector's budget for a live camera; None for a file, whose frames are all assessed."""
    if not is_live(path):
        return None
    describes = describer is not None and not isinstance(describer, StaticDescriber)
    return FrameBudget(settings.pipeline.max_fps, settings.pipeline.cpu_share, describes=describes)


def capture_settings(settings: Settings) -> CaptureSettings:
    """The camera's settings, with a rate no higher than will be assessed, unless a rate is set."""
    capture, wanted = settings.capture, settings.pipeline.max_fps
    if capture.device_fps or wanted == "auto":
        return capture
    # Rounded up: drivers take whole rates, and a frame too many is left out by the budget.
    return capture.model_copy(update={"device_fps": math.ceil(max(wanted, MIN_FPS))})


def _load(settings: Settings, head_start: HeadStart) -> tuple[DetectorBundle, PreparedVoice | None]:
    """Load the model and prepare the voice beside it; no voice if another instance speaks."""
    if settings.control.forward_to:
        return build_detector(settings, head_start.take_model()), None
    # Loading holds no lock of the interpreter, and preparing mostly waits for a process and for files.
    with ThreadPoolExecutor(1, thread_name_prefix="voice") as beside:
        voice = beside.submit(prepare_voice, settings, head_start.take_voice())
        bundle = build_detector(settings, head_start.take_model())
        return bundle, voice.result()


def build_output(
    *,
    voice: PreparedVoice | None,
    sound: ChildHandle | None,
    settings: Settings,
    runner: CoreRunner,
    metrics: Metrics,
    fallback: Path,
    env: Mapping[str, str],
    clock: Callable[[], float],
) -> Voice | Forwarder:
    """Build this instance's own output of a prepared voice; without one the connection to another's.

    `sound`: the process that owns the loudspeaker, if it runs already.
    """
    if voice is None:
        return build_forwarder(settings=settings, runner=runner, env=env, clock=clock)
    return build_voice(
        prepared=voice,
        settings=settings,
        runner=runner,
        metrics=metrics,
        fallback=fallback,
        clock=clock,
        started=sound,
    )


def build_journal_writer(
    *,
    settings: Settings,
    bundle: DetectorBundle,
    runner: CoreRunner,
    source: str,
    clock: Callable[[], float],
) -> JournalWriter | None:
    """Build the journal, or None if the settings want none; its files are opened by its thread."""
    if not settings.journal.enabled:
        return None
    return JournalWriter(
        paths=JournalPaths.in_state(settings.paths.state),
        settings=settings.journal,
        # Event ids start again with each run; a random name distinguishes the runs in one journal.
        run_name=secrets.token_hex(4),
        metadata={
            "version": version("watchword"),
            "model": bundle.model.name,
            "fingerprint": bundle.model.fingerprint,
            # The journal and its exports must not hold the password of a stream.
            "source": redact(source),
        },
        read_core=runner.read,
        snapshot=runner.snapshot,
        forget_recording=runner.forget,
        report=runner.step,
        clock=clock,
    )


def apply_settings(live: LiveParts, settings: Settings, voice: bool) -> None:
    """Apply settings that need no restart to a running daemon. `voice`: words sound different.

    Phrases are rendered before anything changes, which takes a while. A new calibration and taught or
    forgotten pictures are applied too. Raises SynthesisError, ValueError; the old settings then stay.
    """
    # Everything that may fail comes before the first change, so that an error leaves the old settings whole.
    bundle = live.reloader.detector_for(settings)
    running = [hazard.name for hazard in bundle.spec.hazards]
    hazards = hazard_tables.from_settings(settings.hazards, running)
    spec = core_spec(settings, hazards, bundle.thresholds, bundle.model.geometry, bundle.outdated.unknown)
    # Read before the spec is replaced: only hazards that are newly unrecognised are announced.
    already = live.runner.read(unrecognised)
    if voice and isinstance(live.output, Voice):
        replace_voice(live.output, settings, spec, hazards)
    bundle.baseline.set_thresholds([hazard.threshold for hazard in spec.hazards])
    # The spec changes in the same instant: hazards and scores must agree frame by frame.
    live.detection_loop.replace_detector(bundle.detector, lambda: live.runner.replace_spec(spec))
    live.detection_loop.late_s = settings.health.late_s
    if new := [name for name in bundle.outdated.unknown if name not in already]:
        live.runner.step(Say(wording.unknown_hazards_phrase(new, spec.language)))
    logging.getLogger().setLevel(settings.log.level.upper())


def unrecognised(core: Core) -> tuple[str, ...]:
    """The hazards that are watched for in vain: the model can never recognise them."""
    return tuple(hazard.name for hazard in core.spec.hazards if hazard.unrecognised)


def _log_alert(event: Event) -> None:
    log.info("%s %s (%.2f)", event.id, event.fields["hazard"], event.fields["probability"])


def _log_camera_end(event: CameraEvent) -> None:
    if event.state is not CameraState.ENDED:
        log.error("camera: %s", event.reason)
