"""The handlers of all commands that are no input of the core, by the names of the commands."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.handlers.info import DaemonInfo
from daemon.handlers.journal import handlers as journal_handlers
from daemon.handlers.metrics import metrics
from daemon.handlers.process import ProcessHandler
from daemon.handlers.requests import Handler
from daemon.handlers.scores import scores
from daemon.handlers.settings import SettingsHandler
from daemon.handlers.snapshot import JpegCache, PictureAnswer
from daemon.handlers.status import StatusHandler
from daemon.journal.paths import JournalPaths
from daemon.runtime.settings_updates import SettingsUpdater
from daemon.wiring.live import LiveParts
from daemon.worker.client import WorkerClient

LOAD_AHEAD_S = 20.0
"""Seconds after the start at which the worker loads its model: the detector and the describer go first."""


def build_handlers(
    *, live: LiveParts, info: DaemonInfo, updater: SettingsUpdater, worker: WorkerClient
) -> Mapping[str, Handler]:
    """Build the handlers by command name.

    A command that is added to `daemon/control/commands.py` without a core input gets its handler here.
    """
    runner = live.runner
    journal = JournalPaths.in_state(info.loaded.settings.paths.state)
    process = ProcessHandler(
        worker=worker,
        description_loop=live.description_loop,
        snapshot=runner.snapshot,
        settings=lambda: updater.settings,
        model=live.bundle.model.name,
        journal=journal,
    )

    def load_ahead() -> None:
        if updater.settings.worker.keep_loaded:
            live.text_reader.load_ahead()  # first: it is small, and the wearer's own
        process.load_ahead()

    worker.schedule(LOAD_AHEAD_S, load_ahead)
    return {
        "status": StatusHandler(live, info),
        "picture": PictureAnswer(live.latest_frame, JpegCache(live.latest_frame), info.clock),
        "scores": scores(live.latest_frame, lambda: runner.read(lambda core: core.spec), info.clock),
        "metrics": metrics(live, info),
        **journal_handlers(
            paths=journal,
            writer=live.journal_writer,
            snapshot=runner.snapshot,
            forget_recording=runner.forget,
            hazards=lambda: [hazard.name for hazard in runner.read(lambda core: core.spec).hazards],
            clock=info.clock,
        ),
        **SettingsHandler(updater, info.loaded, info.defaults).handlers(),
        **process.handlers(),
    }
