"""The life of the daemon: started in order, watched, reloaded, stopped in reverse."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from capture.camera import CameraUnusable
from capture.reader import CameraEvent, CameraState
from daemon.config.settings import Loaded, Settings, defaults
from daemon.control.event_feed import EventFeed
from daemon.control.paths import server_socket
from daemon.control.protocol import Request
from daemon.control.server import ControlServer
from daemon.core.events import Event
from daemon.core.health_sources import configuration_report, describer_report
from daemon.core.messages import CoreTick
from daemon.core.summary import summary
from daemon.errors import CommandError, ConfigError
from daemon.handlers.journal import Handler
from daemon.handlers.journal import handlers as journal_handlers
from daemon.handlers.process import ProcessHandler
from daemon.handlers.requests import RequestHandler
from daemon.handlers.settings import SettingsHandler
from daemon.handlers.status import core_status, describer_status, sound_status
from daemon.handlers.web import DaemonInfo
from daemon.handlers.web import handlers as web_handlers
from daemon.journal.paths import JournalPaths
from daemon.keys.reader import KeyReader
from daemon.process.signals import Signals
from daemon.process.supervisor import PartFailed, PartFinished, ReloadRequested, StopRequested, Supervisor
from daemon.process.systemd import Notifier, is_service
from daemon.process.watchdog import HUNG_S, Heartbeats, WatchdogFeeder, is_hung
from daemon.runtime.event_writer import Outlet
from daemon.runtime.forwarder import Forwarder
from daemon.runtime.lifecycle_speech import LifecycleSpeech
from daemon.runtime.rate import Rate
from daemon.runtime.settings_updates import SettingsUpdater
from daemon.wiring import detector as app
from daemon.worker.client import WorkerClient
from pipeline.models.loader import fell_back
from speech.playback.base import AudioOutput as SoundOutlet

log = logging.getLogger(__name__)

LOAD_S = 180.0
"""Seconds systemd is asked to wait while models compile and phrases are rendered."""

MAX_AGES_S = {"capture": 5.0, "watch": 5.0, "audio": 5.0}
"""Signs of life must not be older than this, or the watchdog is no longer fed."""

FINISH_S = 20.0
"""Seconds given to what is still being said when a file is over."""
TOLD_S = 5.0
"""The same where the camera has failed for good, until the process ends."""

STATUS_EVERY_S = 5.0
LOOK_S = 0.25
"""Seconds between two looks at the parts: a describer that is back within the second was away as well."""


class Daemon:
    """One run. `load` reads the settings anew, for `reload`."""

    def __init__(
        self,
        load: Callable[[], Loaded],
        clock: Callable[[], float],
        env: Mapping[str, str],
        *,
        events: Path | None = None,
        fallback: Path | None = None,
    ) -> None:
        self._load = load
        self._clock = clock
        self._env = env
        self._events = events
        self._loaded = load()
        self._settings = self._loaded.settings
        self._fallback = fallback or self._settings.paths.state / "speech.wav"
        self._crew = Supervisor(clock)
        self._notifier = Notifier(env)
        self._beats = Heartbeats(MAX_AGES_S, clock())
        self._feed = EventFeed()
        self._live: app.LiveParts | None = None
        self._words: LifecycleSpeech | None = None
        self._reception: RequestHandler | None = None
        self._tuning: SettingsUpdater | None = None
        self._keys: KeyReader | None = None
        self._rate = Rate()
        self._started_s = clock()
        self._status_s = 0.0
        self._source = app.choose_source(self._settings, service=is_service(env))
        self._greeted = False

    def run(self) -> int:
        """Watch until asked to stop or the source ends. Raises CommandError, CameraError and kin."""
        with Signals(self._crew.request), self._outlets() as outlets:
            try:
                self._start(outlets)
                self._loop()
            finally:
                self._notifier.stopping("stopping")
                self._crew.stop()
                self._notifier.close()
        return 0

    @contextmanager
    def _outlets(self) -> Iterator[tuple[Outlet, ...]]:
        if self._events is None:
            yield (self._feed.publish,)
            return
        try:
            file = self._events.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise CommandError(f"--events {self._events}: cannot be written: {error.strerror}") from error
        with file:
            yield (self._feed.publish, lambda line: _write(file.write, line))

    def _start(self, outlets: tuple[Outlet, ...]) -> None:
        control = self._settings.control
        path = server_socket(self._env, self._settings.paths.state, control.instance)
        server = ControlServer(path, self._answer, self._feed, group=control.group)
        crew = self._crew
        crew.start("control", server.run, server.close, vital=False)
        self._notifier.extend(LOAD_S)
        live = app.build_live(
            self._settings,
            self._source,
            outlets,
            self._clock,
            self._watch_beat,
            self._camera_over,
            self._on_alert,
            self._fallback,
            self._env,
        )
        self._live = live
        forwards = isinstance(live.mouth, Forwarder)
        language = self._settings.speech.language
        words = LifecycleSpeech(live.mind, crew, self._notifier, self._clock, language, forwards=forwards)
        self._words = words
        tuning = SettingsUpdater(
            self._settings, partial(self._reread, live), partial(app.apply_live, live), live.mind.step
        )
        self._reception = RequestHandler(
            runner=live.mind,
            status=self._status,
            updater=tuning,
            loudspeaker=not forwards,
            handlers=self._web(live, tuning),
        )
        self._tuning = tuning
        if self._loaded.refused:
            live.mind.step(configuration_report(self._loaded.refused))
        if live.clerk:
            crew.start("journal", live.clerk.run, live.clerk.close, vital=False)
        crew.start("events", live.scribe.run, live.scribe.close)
        crew.add("summary", partial(self._summarise, live))
        crew.start("tuning", tuning.run, tuning.close, vital=False)
        crew.start("false alarms", live.false_alarms.run, live.false_alarms.close, vital=False)
        self._start_mouth(live.mouth)
        if live.narrator and live.describer:
            crew.add("describer", live.describer.close)
            crew.start("narrate", live.narrator.run, live.narrator.close)
        crew.start("watch", live.watcher.run, live.watcher.close, may_end=True)
        crew.add("camera", lambda: None if live.reader.stop() else log.warning("the camera hangs"))
        keys = KeyReader(self._settings.keys, self._pressed, self._clock)
        self._keys = keys
        crew.start("keys", keys.run, keys.close, vital=False)
        log.info("watching %s", live.reader.event.reason or self._source_name())
        if self._source == app.DEMO and self._settings.capture.source != app.DEMO:
            words.demonstration()
        live.reader.start()

    def _reread(self, live: app.LiveParts) -> Settings:
        """The settings as they are written now; a mistake that was in them at the start is mended then."""
        settings = self._load().settings
        if self._loaded.refused:
            live.mind.step(configuration_report(()))
        return settings

    def _web(self, live: app.LiveParts, tuning: SettingsUpdater) -> Mapping[str, Handler]:
        """Who answers the web interface's commands."""
        places = JournalPaths.in_state(self._settings.paths.state)
        facts = DaemonInfo(
            self._clock, self._started_s, lambda: self._rate.per_second, lambda: self._feed.dropped
        )
        return {
            **journal_handlers(places, live.clerk, live.mind.snapshot, live.mind.forget, self._clock),
            **web_handlers(live, facts),
            **SettingsHandler(tuning, self._loaded, defaults(self._env)).handlers(),
            **self._guests(live, tuning).handlers(),
        }

    def _guests(self, live: app.LiveParts, tuning: SettingsUpdater) -> ProcessHandler:
        backroom = WorkerClient(self._settings.worker)
        self._crew.add("backroom", backroom.close)
        model = live.detector.model.name
        return ProcessHandler(backroom, live.narrator, live.mind.snapshot, lambda: tuning.settings, model)

    def _start_mouth(self, mouth: app.Voice | Forwarder) -> None:
        if isinstance(mouth, Forwarder):
            self._crew.start("forward", mouth.send, mouth.close)
            self._crew.start("forward-ear", mouth.listen, mouth.close)
            return
        self._crew.add("voice", mouth.close_synthesizers)
        self._crew.add("speaker", mouth.speaker.close)
        if mouth.player.wait_opened(5.0) is not SoundOutlet.LOUDSPEAKER:
            log.warning("no loudspeaker; what is said goes into %s", self._fallback)

    def _watch_beat(self) -> None:
        """From the watch thread, between two frames; hello is said once the first has been assessed."""
        self._beats.beat("watch", self._clock())
        if (
            not self._greeted
            and self._live is not None
            and self._live.watcher.first_assessed_at_s is not None
        ):
            self._greeted = True
            model = self._live.detector.model
            other_device = fell_back(self._settings.pipeline.device, model.device)
            self._spoken().hello(other_device=other_device)

    def _loop(self) -> None:
        pulse = WatchdogFeeder(self._notifier, self._beats)
        self._notifier.ready(f"watching {self._source_name()}")
        while True:
            match self._crew.wait(min(LOOK_S, pulse.interval_s)):
                case StopRequested(why):
                    log.info("stopping: %s", why)
                    self._spoken().goodbye()
                    return
                case ReloadRequested():
                    self._reload_told()
                case PartFinished():
                    self._over()
                    return
            self._look()
            pulse.feed(self._clock())

    def _look(self) -> None:
        """Take signs of life from the parts that have threads of their own."""
        live, now = self._running(), self._clock()
        self._beats.beat("capture", live.reader.heartbeat_s)
        self._look_for_a_hang(live, self._beats.ages(now)["watch"])
        if live.describer is not None:
            live.mind.step(describer_report(live.describer.status))
        mouth = live.mouth
        if mouth.alive:
            self._beats.beat("audio", now)
        self._rate.record(live.watcher.assessed, now)
        if now - self._status_s >= STATUS_EVERY_S:
            self._status_s = now
            age = live.ledger.percentiles().get("frame_age", {}).get("p95_ms", 0.0)
            self._notifier.status(f"{self._rate.per_second:.1f} frames/s, frame age p95 {age:.0f} ms")

    def _look_for_a_hang(self, live: app.LiveParts, silent_s: float) -> None:
        """A watcher that hangs can neither say so nor tell the core that time passes."""
        seeing = live.reader.event.state not in (CameraState.OPENING, CameraState.LOST)
        if is_hung(silent_s, seeing=seeing, begun=live.watcher.first_assessed_at_s is not None):
            live.watcher.on_hung(silent_s)
        if silent_s > HUNG_S:
            live.mind.step(CoreTick())

    def _over(self) -> None:
        """The frames have come to their end: finish what is being said, then say why it ended."""
        live, words = self._running(), self._spoken()
        event = live.reader.event
        if event.state is not CameraState.ENDED:
            words.wait_quiet(TOLD_S)
            if event.state in (CameraState.UNUSABLE, CameraState.STUCK):
                raise CameraUnusable(event.reason)
            raise PartFailed("capture", f"failed ({event.reason})" if event.reason else "ended by itself")
        words.wait_quiet(FINISH_S)
        words.goodbye()
        log.info("%s: %s", self._source_name(), event.reason)

    def _summarise(self, live: app.LiveParts) -> None:
        """When everything else that writes events has stopped, however it came to that."""
        live.scribe.write(
            summary(
                self._clock(),
                frames=live.reader.frames,
                skipped=live.slot.skipped,
                vlm_calls=live.describer.calls if live.describer else 0,
                counts=live.mind.read(lambda core: core.counts),
            )
        )

    def _camera_over(self, event: CameraEvent) -> None:
        if event.state is not CameraState.ENDED:
            log.error("camera: %s", event.reason)

    def _on_alert(self, event: Event) -> None:
        log.info("%s %s (%.2f)", event.id, event.fields["hazard"], event.fields["probability"])

    def _answer(self, request: Request) -> Mapping[str, Any]:
        if self._reception is None:
            raise CommandError("still starting; try again in a few seconds")
        return self._reception.answer(request)

    def _pressed(self, action: str) -> None:
        if self._reception is not None:
            self._reception.press(action, self._settings.keys.mute_minutes * 60)

    def _reload_told(self) -> None:
        """On SIGHUP: systemd and the log hear of it; a mistake keeps the old settings, and that is said."""
        self._notifier.reloading()
        try:
            result = self._tuning.reload() if self._tuning else {"changed": [], "needs_restart": []}
            log.info("reloaded: %s; needs a restart: %s", result["changed"], result["needs_restart"])
        except (ConfigError, CommandError) as error:
            log.error("not reloaded, the old settings hold: %s", error)  # noqa: TRY400 - no bug
            self._spoken().settings_not_changed()
        except Exception:
            log.exception("not reloaded, the old settings hold")
            self._spoken().settings_not_changed()
        finally:
            self._notifier.ready()

    def _running(self) -> app.LiveParts:
        if self._live is None:
            raise PartFailed("the daemon", "is not running")
        return self._live

    def _spoken(self) -> LifecycleSpeech:
        if self._words is None:
            raise PartFailed("the daemon", "cannot speak yet")
        return self._words

    def _source_name(self) -> str:
        from common.redact import redact

        return redact(self._source)

    def _status(self) -> Mapping[str, Any]:
        live, now = self._running(), self._clock()
        return {
            "version": version("watchword"),
            "pid": os.getpid(),
            "instance": self._settings.control.instance,
            "uptime_s": round(now - self._started_s, 1),
            "source": self._source_name(),
            "model": live.detector.model.name,
            "device": live.detector.model.device,
            "device_wanted": self._settings.pipeline.device,
            "describer": describer_status(live.describer),
            "camera": live.reader.event.state.value,
            "fps": round(self._rate.per_second, 2),
            "frames": live.reader.frames,
            "assessed": live.watcher.assessed,
            "first_assessed_at_s": live.watcher.first_assessed_at_s,
            "skipped": live.slot.skipped,
            **sound_status(live.mouth),
            **live.mind.read(lambda core: core_status(core, now)),
            "latency": live.ledger.percentiles(),
            "heartbeats": {name: round(age, 2) for name, age in self._beats.ages(now).items()},
            "lost": list(self._crew.failed_parts),
            "keys": self._keys.state if self._keys and self._settings.keys.device else None,
            "dropped_events": live.scribe.dropped + self._feed.dropped,
            "journal": live.clerk.status() if live.clerk else None,
        }


def _write(write: Callable[[str], object], line: str) -> None:
    write(f"{line}\n")
