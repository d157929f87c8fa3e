"""Changes settings while the daemon runs: by a reload, over the socket, or by commands such as `louder`.

One thread applies the changes in order. A change of the voice needs every phrase to be rendered again. A
caller of `reload` or `adjust` does not wait for that, and a danger meanwhile is announced with the old
phrases.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

from daemon.config import overrides, reload_plan
from daemon.config.reload_plan import ReloadPlan
from daemon.config.settings import OVERRIDES, Settings
from daemon.core.messages import Say
from daemon.errors import CommandError, ConfigError
from pipeline import wording
from speech.settings import SpeechSettings
from speech.synthesis.base import SynthesisError

log = logging.getLogger(__name__)

Adjustable = Literal["volume", "rate"]

VOLUME_STEP = 0.1
MIN_VOLUME = 0.1
"""The lowest volume that `softer` sets: a danger is still audible. The configuration may set a lower one."""
RATE_STEP = 20
MIN_RATE, MAX_RATE = 80, 500
"""Bounds of `speech.rate_wpm`."""

Apply = Callable[[Settings, bool], None]
"""Applies settings; the flag means that phrases must be rendered again. Raises SynthesisError."""


def adjusted(speech: SpeechSettings, setting: Adjustable, direction: int) -> SpeechSettings:
    """Return the settings one step up (1) or down (-1), or the same settings at the bound."""
    if setting == "volume":
        volume = round(min(max(speech.volume + direction * VOLUME_STEP, MIN_VOLUME), 1.0), 2)
        # The configured volume may be below MIN_VOLUME: then `softer` must not raise it to that.
        return speech.model_copy(update={"volume": min(volume, speech.volume) if direction < 0 else volume})
    rate = min(max(speech.rate_wpm + direction * RATE_STEP, MIN_RATE), MAX_RATE)
    return speech.model_copy(update={"rate_wpm": rate})


@dataclass(frozen=True, slots=True)
class _SettingsJob:
    """A pending change. A later one replaces an earlier one that has not begun, and takes over its duties."""

    settings: Settings
    voice: bool
    """True if phrases must be rendered again."""
    phrase: str = ""
    """Announced once the settings are in force; empty: nothing is."""
    keep: Mapping[str, Any] = field(default_factory=dict)
    """Values written into the overrides once the job is applied, by dotted key."""
    apply: bool = True
    """False if nothing changes before the next start."""
    waiters: tuple[Future[None], ...] = ()
    """Futures that end when the job is applied and saved, or fail with a CommandError."""


class SettingsUpdater:
    """Takes `reload`, `change` and `adjust` from any thread; `run` is the thread that applies them."""

    def __init__(
        self, settings: Settings, load: Callable[[], Settings], apply: Apply, say: Callable[[Say], None]
    ) -> None:
        self._load = load
        self._apply = apply
        self._say = say
        self._requested = self._applied = settings
        self._job: _SettingsJob | None = None
        self._current: _SettingsJob | None = None
        """The job that is being applied and saved."""
        self._finished = 0
        """Jobs that have been applied and saved, or have failed."""
        self._closing = False
        # Held to exchange jobs, never while one is applied: a request must not wait for phrases.
        self._changed = threading.Condition()

    @property
    def settings(self) -> Settings:
        """The settings that were requested last; the thread may still be applying them."""
        return self._requested

    def reload(self) -> Mapping[str, Any]:
        """Read the settings and queue the live ones. Raises ConfigError; then the old ones stay in force."""
        while True:
            finished, new = self._finished, self._load()
            with self._changed:
                # What was saved while it was read may be missing from it: read again.
                if finished != self._finished:
                    continue
                # Compared with the requested settings and not the applied ones: a job may still be pending.
                # What is not saved yet is not in the file either; that must not undo it.
                plan = reload_plan.plan(self._requested, new).without(self._unsaved())
                # Queued even if no setting changed: there may be a new calibration.
                self._enqueue(_SettingsJob(reload_plan.merged(self._requested, new, plan), plan.voice))
            return {"changed": list(plan.live), "needs_restart": list(plan.restart)}

    def _unsaved(self) -> set[str]:
        """The keys that pending jobs will write into the overrides."""
        return {key for job in (self._current, self._job) if job is not None for key in job.keep}

    def change(self, settings: Settings, values: Mapping[str, Any], timeout_s: float) -> ReloadPlan:
        """Apply these keys of valid settings and write them into the overrides; all of them or none.

        Waits until they are in force. Raises CommandError if they cannot be applied or written: then nothing
        has changed. Raises it too after `timeout_s`: then they may still come into force.
        """
        done: Future[None] = Future()
        with self._changed:
            plan = reload_plan.plan(self._requested, settings).only(values.keys())
            merged = reload_plan.merged(self._requested, settings, plan)
            self._enqueue(
                _SettingsJob(merged, plan.voice, keep=values, apply=bool(plan.live), waiters=(done,))
            )
        try:
            done.result(timeout_s)
        except TimeoutError:
            raise CommandError(f"not applied within {timeout_s:g} s; it may be yet", "busy") from None
        return plan

    def adjust(self, setting: Adjustable, direction: int) -> Mapping[str, Any]:
        """Queue a step louder, softer, faster or slower. Once in force, it is confirmed in the new voice."""
        with self._changed:
            old = self._requested.speech
            new = adjusted(old, setting, direction)
            if new == old:
                self._confirm(wording.FURTHEST[old.language][setting, direction])
            else:
                self._enqueue(self._adjusted_job(setting, new))
        return {"volume": new.volume, "rate_wpm": new.rate_wpm}

    def _adjusted_job(self, setting: Adjustable, speech: SpeechSettings) -> _SettingsJob:
        settings = self._requested.model_copy(update={"speech": speech})
        if setting == "volume":
            phrase = wording.volume_phrase(speech.volume, speech.language)
            return _SettingsJob(settings, True, phrase, {"speech.volume": speech.volume})
        phrase = wording.rate_phrase(speech.rate_wpm, speech.language)
        return _SettingsJob(settings, True, phrase, {"speech.rate_wpm": speech.rate_wpm})

    def _enqueue(self, job: _SettingsJob) -> None:
        old = self._job
        if old is not None:
            job = _SettingsJob(
                job.settings,
                job.voice or old.voice,
                job.phrase or old.phrase,
                {**old.keep, **job.keep},
                job.apply or old.apply,
                (*old.waiters, *job.waiters),
            )
        # `_requested` runs ahead of `_applied`: two quick presses of "louder" must make two steps.
        self._requested, self._job = job.settings, job
        self._changed.notify_all()

    def run(self) -> None:
        """Apply queued changes until `close`."""
        while (job := self._next()) is not None:
            self._execute(job)
            with self._changed:
                self._current = None
                self._finished += 1
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until every change queued so far has been applied or has failed. False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._job is None and self._current is None, timeout_s)

    def _next(self) -> _SettingsJob | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._job is not None)
            job, self._job = self._job, None
            self._current = job
            # A waiting client gets an answer instead of its timeout.
            if self._closing and job is not None:
                _fail(job, "the daemon is stopping")
            return None if self._closing else job

    def _execute(self, job: _SettingsJob) -> None:
        before = self._applied
        try:
            if job.apply:
                self._apply(job.settings, job.voice)
        except (SynthesisError, ValueError) as error:
            self._reject(job, str(error))
            return
        except Exception as error:
            log.exception("applying the new settings failed")
            self._reject(job, f"{type(error).__name__}: {error}")
            return
        self._applied = job.settings
        log.info("the new settings hold")
        if job.phrase:
            self._confirm(job.phrase)
        # A client of `change` was promised "all or none". A change by `louder` and its like stays in force
        # until the next start, and that is announced.
        if job.keep and not self._save_overrides(job) and job.waiters:
            self._revert(job, before)
            return
        for done in job.waiters:
            done.set_result(None)

    def _reject(self, job: _SettingsJob, reason: str) -> None:
        log.error("the new settings cannot be applied, the old ones hold: %s", reason)
        self._reset_requested(job)
        if job.phrase or not job.waiters:  # a client of `change` gets the reason as its reply
            self._confirm(wording.NOT_CHANGED[job.settings.speech.language], earcon="error")
        _fail(job, f"the new settings cannot be applied: {reason}")

    def _revert(self, job: _SettingsJob, before: Settings) -> None:
        """Undo a change that could not be written to disk: it must not stay in force."""
        try:
            if job.apply:
                self._apply(before, job.voice)
        except (SynthesisError, ValueError) as error:
            log.error("the old settings cannot be applied again: %s", error)  # noqa: TRY400 - no bug
        else:
            self._applied = before
        self._reset_requested(job)
        _fail(job, "the new settings cannot be written; the log says why")

    def _reset_requested(self, job: _SettingsJob) -> None:
        with self._changed:
            # Only if nothing newer was requested meanwhile: a newer request has a job of its own.
            if self._requested is job.settings:
                self._requested = self._applied

    def _save_overrides(self, job: _SettingsJob) -> bool:
        file = job.settings.paths.state / OVERRIDES
        try:
            overrides.keep(file, job.keep)
        except (OSError, ConfigError) as error:
            log.error("%s cannot be kept: %s", ", ".join(job.keep), error)  # noqa: TRY400 - no bug
            if job.phrase or not job.waiters:
                self._confirm(wording.NOT_KEPT[job.settings.speech.language], key="not kept")
            return False
        return True

    def _confirm(self, phrase: str, *, earcon: str | None = None, key: str = "tuning") -> None:
        self._say(Say(phrase, earcon=earcon, key=key))


def _fail(job: _SettingsJob, reason: str) -> None:
    for done in job.waiters:
        done.set_exception(CommandError(reason))
