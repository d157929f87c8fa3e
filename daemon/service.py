"""Starts the daemon's parts in order, watches and reloads them, and stops them in reverse order."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from capture.camera import CameraUnusable
from capture.reader import CameraState
from common.memory import return_free_memory
from common.processor_heat import hottest_c
from common.redact import redact
from daemon.config.settings import Loaded, Settings, defaults
from daemon.control.event_feed import EventFeed
from daemon.control.paths import server_socket
from daemon.control.server import ControlServer
from daemon.core.health_sources import configuration_report, describer_report, program_report
from daemon.core.messages import CoreTick
from daemon.core.summary import summary
from daemon.errors import CommandError, ConfigError
from daemon.handlers.commands import build_handlers
from daemon.handlers.info import DaemonInfo
from daemon.handlers.requests import RequestHandler, still_starting
from daemon.keys.reader import KeyReader
from daemon.process.gaps import GapMonitor
from daemon.process.signals import Signals
from daemon.process.supervisor import PartFailed, PartFinished, ReloadRequested, StopRequested, Supervisor
from daemon.process.systemd import Notifier, is_service
from daemon.process.watchdog import HUNG_S, Heartbeats, WatchdogFeeder, is_hung
from daemon.runtime.event_file import EventFile
from daemon.runtime.event_writer import Outlet
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.lifecycle_speech import LifecycleSpeech
from daemon.runtime.mute_file import MuteFile
from daemon.runtime.narrator import Narrator
from daemon.runtime.rate import Rate
from daemon.runtime.settings_updates import SettingsUpdater
from daemon.wiring.detector import unrecognised_hazards
from daemon.wiring.head_start import HeadStart
from daemon.wiring.live import LiveParts, apply_settings, build_live
from daemon.wiring.sources import DEMO, choose_source
from daemon.wiring.voice import Voice
from daemon.worker.client import WorkerClient
from pipeline.models.loader import fell_back
from speech.playback.base import AudioOutput

log = logging.getLogger(__name__)

LOAD_S = 180.0
"""Seconds systemd is asked to wait while models compile and phrases are rendered."""
SOUND_PROCESS_S = 2.0
"""Seconds that the first frame waits for the process that owns the loudspeaker."""
LOUDSPEAKER_S = 5.0
"""Seconds that the loudspeaker may take to open before its absence is logged."""

MAX_AGES_S = {"capture": 5.0, "watch": 5.0, "audio": 5.0}
"""The watchdog is fed only while every heartbeat is younger than this."""

FINISH_S = 20.0
"""Seconds to finish the present speech at the end of a file."""
FAILURE_SPEECH_S = 5.0
"""Seconds to say that the camera has failed for good, before the process ends."""

STATUS_EVERY_S = 5.0
"""Seconds between two status lines for systemd."""
LOOK_S = 0.25
"""Seconds between two inspections of the parts. Short, so that a describer which fails and recovers within a
second is noticed.
"""


class Daemon:
    """One run of the daemon. `load` reads the settings again, for each reload."""

    def __init__(
        self,
        loaded: Loaded,
        load: Callable[[], Loaded],
        clock: Callable[[], float],
        env: Mapping[str, str],
        *,
        head_start: HeadStart,
        events: Path | None = None,
        fallback: Path | None = None,
        once: bool = False,
        narrator: Narrator | None = None,
    ) -> None:
        """`loaded`: the settings of the start. `head_start`: the model and the processes that are under way.

        `events`: file to which every event is appended. `fallback`: WAV file for speech while there is no
        loudspeaker. `once`: end with the file or folder; without it the demo begins again. `narrator`: prints
        the speech.
        """
        self._load = load
        self._clock = clock
        self._env = env
        self._events = events
        self._loaded = loaded
        self._once = once
        self._narrator = narrator
        self._head_start = head_start
        # Chosen once: a camera plugged in later must not change what a reload means.
        self._source = choose_source(self._loaded.settings, service=is_service(env))
        self._settings = self._looped(self._loaded.settings)
        self._fallback = fallback or self._settings.paths.state / "speech.wav"
        self._supervisor = Supervisor(clock)
        self._notifier = Notifier(env)
        self._heartbeats = Heartbeats(MAX_AGES_S, clock())
        self._feed = EventFeed()
        self._started_s = clock()

    @property
    def settings(self) -> Settings:
        """The settings of the start."""
        return self._settings

    def run(self) -> int:
        """Run until asked to stop or the source ends. Raises WatchwordError, PartFailed."""
        with Signals(self._supervisor.request), self._outlets() as outlets:
            try:
                self._start(outlets).run()
            finally:
                self._notifier.stopping("stopping")
                # In `finally`: whatever ended the run, recordings and the journal must be written.
                self._supervisor.stop()
                self._notifier.close()
        return 0

    @contextmanager
    def _outlets(self) -> Iterator[tuple[Outlet, ...]]:
        """The receivers of event lines."""
        outlets: tuple[Outlet, ...] = (self._feed.publish,)
        if self._narrator is not None:
            outlets = (*outlets, self._narrator.take)
        if self._events is None:
            yield outlets
            return
        try:
            file = EventFile(self._events)
        except OSError as error:
            raise CommandError(f"--events {self._events}: cannot be written: {error.strerror}") from error
        with file:
            yield (*outlets, file.write)

    def _start(self, outlets: tuple[Outlet, ...]) -> MainLoop:
        """Start every part in order. The supervisor stops them in reverse order."""
        settings, supervisor, clock = self._settings, self._supervisor, self._clock
        path = server_socket(self._env, settings.paths.state, settings.control.instance)
        # First of all: clients are told that it is starting, and a second daemon on this socket fails.
        server = ControlServer(path, still_starting, self._feed, group=settings.control.group)
        # Not vital: without the socket, the wearer is still warned.
        supervisor.start("control", server.run, server.close, vital=False)
        # Compiling a model takes longer than systemd's own limit for a start.
        self._notifier.extend(LOAD_S)
        live = build_live(
            settings=settings,
            source=self._source,
            outlets=outlets,
            clock=clock,
            heartbeat=lambda: self._heartbeats.beat("watch", clock()),
            fallback=self._fallback,
            env=self._env,
            head_start=self._head_start,
        )
        # An instance that forwards its utterances has no use for the processes of voice and sound.
        self._head_start.close()
        updater = SettingsUpdater(
            settings, partial(self._reload_settings, live), partial(apply_settings, live), live.runner.step
        )
        rate, keys = Rate(), KeyReader(settings.keys, clock)
        requests = self._build_requests(live, updater, rate, keys)
        server.replace_handler(requests.answer)
        if self._loaded.refused:
            live.runner.step(configuration_report(self._loaded.refused))
        self._start_parts(live, updater)
        for mute in MuteFile(settings.paths.state).inputs():
            live.runner.step(mute)
        press = partial(requests.press, mute_s=settings.keys.mute_minutes * 60)
        supervisor.start("keys", partial(keys.run, press), keys.close, vital=False)
        lifecycle = LifecycleSpeech(
            live.runner,
            supervisor,
            self._notifier,
            clock,
            settings.speech.language,
            forwards=isinstance(live.output, Forwarder),
        )
        log.info("watching %s", live.reader.event.reason or redact(self._source))
        if self._source == DEMO and settings.capture.source != DEMO:
            # Before the first frame: an alert of the clip could otherwise be mistaken for a real one.
            lifecycle.demonstration()
        # What the parts needed only to be built.
        return_free_memory()
        # After every part: the first frame needs them all.
        live.reader.start()
        # Only now: frames are assessed while the loudspeaker opens, and what is said meanwhile waits in its
        # process. Before the greeting, which is to be heard.
        self._await_loudspeaker(live.output)
        return MainLoop(
            live=live,
            settings=settings,
            source=redact(self._source),
            lifecycle=lifecycle,
            updater=updater,
            supervisor=supervisor,
            notifier=self._notifier,
            heartbeats=self._heartbeats,
            rate=rate,
            clock=clock,
        )

    def _reload_settings(self, live: LiveParts) -> Settings:
        """Read the settings again. Success ends the report about a configuration refused at the start."""
        settings = self._load().settings
        if self._loaded.refused:
            live.runner.step(configuration_report(()))
        return self._looped(settings)

    def _looped(self, settings: Settings) -> Settings:
        """Loop the demo until it is stopped, unless `once` is set."""
        if not self._once and self._source != DEMO:
            return settings
        capture = settings.capture.model_copy(update={"loop": not self._once})
        return settings.model_copy(update={"capture": capture})

    def _build_requests(
        self, live: LiveParts, updater: SettingsUpdater, rate: Rate, keys: KeyReader
    ) -> RequestHandler:
        mutes = MuteFile(self._settings.paths.state)
        worker = WorkerClient(self._settings.worker)
        self._supervisor.add("worker", worker.close)
        info = DaemonInfo(
            loaded=self._loaded,
            defaults=defaults(self._env),
            source=redact(self._source),
            clock=self._clock,
            started_s=self._started_s,
            rate=rate,
            feed=self._feed,
            heartbeats=self._heartbeats,
            supervisor=self._supervisor,
            keys=keys,
        )
        return RequestHandler(
            runner=live.runner,
            updater=updater,
            loudspeaker=isinstance(live.output, Voice),
            handlers=build_handlers(live=live, info=info, updater=updater, worker=worker),
            unrecognised=lambda: unrecognised_hazards(self._load().settings, live.bundle.model),
            keep_mute=lambda: mutes.keep(*live.runner.read(lambda core: core.muted(self._clock()))),
        )

    def _start_parts(self, live: LiveParts, updater: SettingsUpdater) -> None:
        supervisor = self._supervisor
        if live.journal_writer:
            supervisor.start("journal", live.journal_writer.run, live.journal_writer.close, vital=False)
        supervisor.start("events", live.event_writer.run, live.event_writer.close)
        # Stopped, and so written, after every other part that writes events.
        supervisor.add("summary", partial(_write_summary, live, self._clock))
        supervisor.start("settings", updater.run, updater.close, vital=False)
        supervisor.start("false alarms", live.false_alarms.run, live.false_alarms.close, vital=False)
        self._start_output(live.output)
        supervisor.add("reader", live.text_reader.close)
        if live.describer:
            supervisor.add("describer", live.describer.close)
        supervisor.start("describe", live.description_loop.run, live.description_loop.close)
        supervisor.start("watch", live.detection_loop.run, live.detection_loop.close, may_end=True)
        supervisor.add("camera", lambda: None if live.reader.stop() else log.warning("the camera hangs"))

    def _start_output(self, output: Voice | Forwarder) -> None:
        if isinstance(output, Forwarder):
            self._supervisor.start("forward", output.send, output.close)
            self._supervisor.start("forward-events", output.listen, output.close)
            return
        self._supervisor.add("voice", output.close_synthesizers)
        self._supervisor.add("speaker", output.speaker.close)
        # Sounds wait in the process until its loudspeaker is open; without a process they would fail.
        output.player.wait_started(SOUND_PROCESS_S)

    def _await_loudspeaker(self, output: Voice | Forwarder) -> None:
        """Wait until sound has a destination, and tell if that is a file."""
        if isinstance(output, Forwarder):
            return
        if output.player.wait_opened(LOUDSPEAKER_S) is not AudioOutput.LOUDSPEAKER:
            # The player has logged the reason.
            said = f"sound goes into {self._fallback}; to hear it: {play_command(self._fallback)}"
            log.info(said) if self._narrator is None else self._narrator.tell(said)


@dataclass(kw_only=True)
class MainLoop:
    """Watches the started parts until it is asked to stop, or until the source ends."""

    live: LiveParts
    settings: Settings
    source: str
    """Without credentials."""
    lifecycle: LifecycleSpeech
    updater: SettingsUpdater
    supervisor: Supervisor
    notifier: Notifier
    heartbeats: Heartbeats
    rate: Rate
    clock: Callable[[], float]
    _greeted: bool = False
    _status_s: float = 0.0
    _lost_parts: bool = False

    def run(self) -> None:
        """Run until a stop or the end of the source.

        Raises CameraUnusable if the camera cannot be used, PartFailed if a vital part has ended.
        """
        watchdog, gaps = WatchdogFeeder(self.notifier, self.heartbeats), GapMonitor()
        self.notifier.ready(f"watching {self.source}")
        while True:
            # Never longer than the watchdog's interval, or systemd would end a healthy process.
            wake = self.supervisor.wait(min(LOOK_S, watchdog.interval_s))
            self._greet_once()
            # Suspended, or starved of processor time; nothing else notices that time has passed.
            if away_s := gaps.step():
                log.warning("nothing was seen for %.0f s: the machine or the process stood still", away_s)
                self.lifecycle.was_away(away_s)
            match wake:
                case StopRequested(reason):
                    log.info("stopping: %s", reason)
                    self.lifecycle.goodbye()
                    return
                case ReloadRequested():
                    self._reload()
                case PartFinished():
                    self._finish()
                    return
            self._inspect()
            watchdog.feed(self.clock())

    def _greet_once(self) -> None:
        """Say hello once the first frame has been assessed."""
        if self._greeted or self.live.detection_loop.first_assessed_at_s is None:
            return
        self._greeted = True
        bundle = self.live.bundle
        self.lifecycle.hello(
            other_device=fell_back(self.settings.pipeline.device, bundle.model.device),
            lessons=bundle.outdated.lessons,
            unknown=bundle.outdated.unknown,
            calibration=bundle.outdated.calibration,
            heads=bundle.outdated.heads,
        )

    def _inspect(self) -> None:
        """Collect the heartbeats of capture and sound, and report hangs, failed parts and the describer."""
        live, now = self.live, self.clock()
        self.heartbeats.beat("capture", live.reader.heartbeat_s)
        self._report_hang(self.heartbeats.ages(now)["watch"])
        # Once more after the last failure has ended: that report announces the recovery.
        if (failures := self.supervisor.failures) or self._lost_parts:
            live.runner.step(program_report(failures))
        self._lost_parts = bool(failures)
        if live.describer is not None:
            live.runner.step(describer_report(live.describer.status))
        if live.output.alive:
            self.heartbeats.beat("audio", now)
        self.rate.record(live.detection_loop.assessed, now)
        if now - self._status_s >= STATUS_EVERY_S:
            self._status_s = now
            age = live.metrics.percentiles().get("frame_age", {}).get("p95_ms", 0.0)
            self._look_at_heat()
            self.notifier.status(f"{self.rate.per_second:.1f} frames/s, frame age p95 {age:.0f} ms")

    def _look_at_heat(self) -> None:
        """Leave out frames while the processor is hot, before it slows down by itself."""
        budget = self.live.detection_loop.budget
        if budget is None:
            return
        before = budget.hot
        budget.on_temperature(hottest_c())
        if budget.hot != before:
            log.warning("the processor is %s", "hot: frames are left out" if budget.hot else "cool again")

    def _report_hang(self, silent_s: float) -> None:
        """Report a detection loop that hangs, and tick the core: the loop itself can do neither."""
        detection = self.live.detection_loop
        seeing = self.live.reader.event.state not in (CameraState.OPENING, CameraState.LOST)
        if is_hung(silent_s, seeing=seeing, begun=detection.first_assessed_at_s is not None):
            detection.on_hung(silent_s)
        # The core's timers are driven by the detection loop; while it hangs, this thread does so.
        if silent_s > HUNG_S:
            self.live.runner.step(CoreTick())

    def _finish(self) -> None:
        """The frames have ended: finish the present utterance, then report why they ended."""
        event = self.live.reader.event
        # The announcement of the failure must be heard before the process ends.
        if event.state is not CameraState.ENDED:
            self.lifecycle.wait_quiet(FAILURE_SPEECH_S)
            if event.state in (CameraState.UNUSABLE, CameraState.STUCK):
                # Faults of the device or of its settings, and not of this program.
                raise CameraUnusable(event.reason)
            raise PartFailed("capture", f"failed ({event.reason})" if event.reason else "ended by itself")
        self.lifecycle.wait_quiet(FINISH_S)
        self.lifecycle.goodbye()
        log.info("%s: %s", self.source, event.reason)

    def _reload(self) -> None:
        """Reload on SIGHUP. A mistake keeps the old settings, and is logged, spoken and told to systemd."""
        self.notifier.reloading()
        try:
            result = self.updater.reload()
            log.info("reloaded: %s; needs a restart: %s", result["changed"], result["needs_restart"])
        except (ConfigError, CommandError) as error:
            log.error("not reloaded, the old settings hold: %s", error)  # noqa: TRY400 - no bug
            self.lifecycle.settings_not_changed()
        # A bug in a reload must not end a daemon that protects its wearer.
        except Exception:
            log.exception("not reloaded, the old settings hold")
            self.lifecycle.settings_not_changed()
        # systemd waits for READY=1 after RELOADING=1 (sd_notify(3)), after success and failure alike.
        finally:
            self.notifier.ready()


def play_command(file: Path, which: Callable[[str], str | None] = shutil.which) -> str:
    """Return a command that plays a WAV file with the first player found on this machine."""
    # In order of preference: PipeWire, PulseAudio, ALSA.
    players = {"pw-play": "", "paplay": "", "aplay": "", "ffplay": " -autoexit -nodisp"}
    name = next((player for player in players if which(player)), "aplay")
    return f"{name}{players[name]} {shlex.quote(str(file))}"


def _write_summary(live: LiveParts, clock: Callable[[], float]) -> None:
    live.event_writer.write(
        summary(
            clock(),
            frames=live.reader.frames,
            skipped=live.slot.skipped,
            left_out=live.detection_loop.left_out,
            vlm_calls=live.describer.calls if live.describer else 0,
            counts=live.runner.read(lambda core: core.counts),
        )
    )
