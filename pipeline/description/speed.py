"""How fast a describer is on this machine, by its first answers, and whether `auto` turns it down."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from pipeline.store.machine_record import MachineRecord, read_record, record_path, write_record

log = logging.getLogger(__name__)

ANSWERS = 3
"""Answers that are timed. The best counts: a busy moment of the machine must not turn a model down."""
TOO_SLOW = "too slow here"
_AGAIN = "the model is timed again"


class DescriberSpeed(MachineRecord, frozen=True):
    """The first answers of a model; `machine` is processor, cores and device."""

    deadline_s: float = Field(gt=0)
    """The time that the answers had until their first sentence."""
    answers: int = 0
    """Those that were timed."""
    first_sentence_s: float | None = None
    """The shortest time until a first sentence; None if none came by the deadline."""

    @property
    def known(self) -> bool:
        """True once enough answers were timed."""
        return self.answers >= ANSWERS

    def with_answer(self, first_sentence_s: float | None) -> DescriberSpeed:
        """After another answer; None: it had no sentence by the deadline."""
        times = [seconds for seconds in (self.first_sentence_s, first_sentence_s) if seconds is not None]
        best = round(min(times), 2) if times else None
        return self.model_copy(update={"answers": self.answers + 1, "first_sentence_s": best})

    def turned_down(self, deadline_s: float) -> str:
        """Why `auto` does not take the model if an answer may take `deadline_s`; empty if it may."""
        if not self.known:
            return ""
        if self.first_sentence_s is not None:
            slow = self.first_sentence_s > deadline_s
            took = f"{self.first_sentence_s:g} s to the first sentence"
        else:
            # With more time than it had, it may be fast enough: it is tried again.
            slow = deadline_s <= self.deadline_s
            took = f"no sentence within {self.deadline_s:g} s"
        if not slow:
            return ""
        return f"{TOO_SLOW}: {took} in {self.answers} answers, describe.deadline_s is {deadline_s:g}"


def speed_cure(name: str) -> str:
    """What to do about a model that was turned down for its speed."""
    return (
        f"describe.model = {name!r} uses it all the same, `watchword models pull {name}` has it timed again; "
        "a smaller model or describe.image_side is faster"
    )


def speed_path(state: Path, model: str) -> Path:
    """The file of a describer's speed."""
    return record_path(state, model, "describer")


def read_speed(state: Path, model: str) -> DescriberSpeed | None:
    """None if there is none, or if it cannot be read (logged)."""
    return read_record(speed_path(state, model), DescriberSpeed, _AGAIN)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the speed of a model depends on."""

    installed: str
    machine: str
    deadline_s: float


class SpeedRecorder:
    """Times the first answers of a model and keeps the result. Used by one thread at a time."""

    def __init__(self, state: Path, model: str, circumstances: Circumstances) -> None:
        self._state = state
        self._deadline_s = circumstances.deadline_s
        fresh = DescriberSpeed(
            model=model,
            installed=circumstances.installed,
            machine=circumstances.machine,
            deadline_s=circumstances.deadline_s,
        )
        self._speed = current_speed(state, model, circumstances) or fresh

    def __call__(self, first_sentence_s: float | None, within_s: float) -> None:
        """Record an answer that had `within_s` until its first sentence; None: it had none by then."""
        # A client's picture may have had less time than `describe.deadline_s`: that it was late says nothing.
        if self._speed.known or (first_sentence_s is None and within_s < self._deadline_s):
            return
        self._speed = self._speed.with_answer(first_sentence_s)
        if not self._speed.known:
            return
        write_record(speed_path(self._state, self._speed.model), self._speed, _AGAIN)
        if reason := self._speed.turned_down(self._deadline_s):
            name = self._speed.model
            log.warning(
                "auto will turn %s down from the next start on: %s; %s", name, reason, speed_cure(name)
            )


def current_speed(state: Path, model: str, circumstances: Circumstances) -> DescriberSpeed | None:
    """The speed of a model as it is installed now, on this machine; None if it is not known."""
    kept = read_speed(state, model)
    if kept is None or (kept.installed, kept.machine) != (circumstances.installed, circumstances.machine):
        return None
    # Times of answers that had less time say nothing about how long they would have taken.
    return kept if kept.first_sentence_s is not None or kept.deadline_s >= circumstances.deadline_s else None
