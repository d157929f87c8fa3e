"""Announcements of the process itself: ready, demonstration, settings not changed, goodbye."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from daemon.core.core import Core
from daemon.core.health import OK
from daemon.core.messages import CoreTick, Say
from daemon.process.supervisor import StopRequested, Supervisor
from daemon.process.systemd import Notifier
from daemon.runtime.engine import CoreRunner
from pipeline import wording
from speech.outbox.messages import StopSpeaking

GOODBYE_S = 1.5
"""Seconds for goodbye; a stop takes two at most in all."""
STOP_S = 20.0
"""Seconds the rest of a stop may take, as in the units' TimeoutStopSec."""
DEMONSTRATION_S = 10.0
"""Seconds for the announcement of a demonstration, before it begins."""
POLL_S = 0.1


class LifecycleSpeech:
    """Speaks the announcements of start and stop, with bounded waits. For the main thread."""

    def __init__(
        self,
        runner: CoreRunner,
        supervisor: Supervisor,
        notifier: Notifier,
        clock: Callable[[], float],
        language: str,
        *,
        forwards: bool,
    ) -> None:
        """`forwards`: another instance speaks for this one."""
        self._runner = runner
        self._supervisor = supervisor
        self._notifier = notifier
        self._clock = clock
        self._language = language
        self._forwards = forwards

    def hello(
        self,
        *,
        other_device: bool,
        lessons: Sequence[str] = (),
        unknown: Sequence[str] = (),
        calibration: bool = False,
        heads: bool = False,
    ) -> None:
        """Say that frames are being assessed. May be called from any thread.

        `lessons`: hazards whose taught pictures do not fit the model; `calibration`, `heads`: nor does the
        user's own calibration, or the heads fitted here. `unknown`: hazards that the model can never
        recognise.
        """
        # "Ready" after "Camera lost" takes that back: if the camera fails once more, the wearer must hear it.
        self._runner.step(Say(wording.READY[self._language], earcon="ready", works="camera"))
        if other_device:
            self._runner.step(Say(wording.OTHER_DEVICE[self._language]))
        if lessons:
            self._runner.step(Say(wording.outdated_lessons_phrase(lessons, self._language)))
        if unknown:
            self._runner.step(Say(wording.unknown_hazards_phrase(unknown, self._language)))
        if calibration:
            self._runner.step(Say(wording.OUTDATED_CALIBRATION[self._language]))
        if heads:
            self._runner.step(Say(wording.OUTDATED_HEADS[self._language]))

    def settings_not_changed(self) -> None:
        """Say that a reload failed and the old settings hold."""
        self._runner.step(Say(wording.NOT_CHANGED[self._language], earcon="error", key="tuning"))

    def was_away(self, seconds: float) -> None:
        """Say that nothing was seen for so long: the machine was suspended, or the process stopped."""
        self._runner.step(Say(wording.away_phrase(seconds, self._language), earcon="error", key="away"))

    def demonstration(self) -> None:
        """Say that the demo clip is playing, before its first alert: its dangers are not real."""
        self._runner.step(Say(wording.DEMONSTRATION[self._language], earcon="notice"))
        if stop := self.wait_quiet(DEMONSTRATION_S):
            self._supervisor.request(stop)

    def goodbye(self) -> None:
        """Announce that there are no warnings from now on, even if muted.

        A description or answer is cut off, a danger is not. A second signal does not wait.
        """
        self._notifier.stopping("stopping")
        # systemd would kill a slow stop after its own timeout, in the middle of writing the journal.
        self._notifier.extend(GOODBYE_S + STOP_S)
        loudspeaker = self._runner.read(lambda core: core.component_states.get("loudspeaker"))
        if self._forwards and loudspeaker is not None and loudspeaker.reason != OK:
            return  # the other instance is unreachable, so it cannot be said
        words = wording.ONE_LESS if self._forwards else wording.GOODBYE
        # First, so that the farewell does not wait behind a long description.
        self._runner.step(StopSpeaking())
        self._runner.step(Say(words[self._language]))
        self._wait(lambda core: core.silent, GOODBYE_S)

    def wait_quiet(self, seconds: float) -> StopRequested | None:
        """Wait until everything is said, for so long at most, and until asked to stop.

        Raises PartFailed.
        """
        return self._wait(lambda core: core.quiet, seconds)

    def _wait(self, over: Callable[[Core], bool], seconds: float) -> StopRequested | None:
        until_s = self._clock() + seconds
        self._runner.step(CoreTick())
        while not self._runner.read(over) and self._clock() < until_s:
            # The main loop does not run meanwhile, and a long farewell must not look like a hang.
            self._notifier.watchdog()
            if isinstance(wake := self._supervisor.wait(POLL_S), StopRequested):
                return wake
            self._runner.step(CoreTick())
        return None
