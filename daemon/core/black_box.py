"""The black box: the last minute of the core's state and inputs, from which a decision is repeated exactly.

It keeps the core's inputs (embeddings and probabilities included), so that the question "why did it speak?"
is answered by running the same core again, also with another threshold.
"""

from __future__ import annotations

import json
import zipfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.atomic_file import replacing
from daemon.core.black_box_codec import Arrays, decode, encode
from daemon.core.core import Core
from daemon.core.messages import Assessed, CoreSpec, Effect, Input, Record
from daemon.errors import CommandError
from pipeline.alerting.alert_policy import remap_state
from pipeline.types import Encoding

FORMAT = 4
"""Raise it whenever the state or the inputs are written differently. 4: a frame may have several parts."""
SUFFIX = ".blackbox"
MOST_BYTES = 512_000_000
"""Unpacked; 20,000 steps with embeddings of 1,280 numbers are about 100 MB."""
BREATH = 32
"""Steps of the core that are written between two breaths: about a millisecond."""


class BlackBoxError(CommandError):
    """A black box cannot be written or read; the message has the cure."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of the core: its input, and the events that came out."""

    now: float
    input: Input
    events: tuple[str, ...]


@dataclass(slots=True)
class Segment:
    """The core's state at a moment, and its steps from there."""

    start_s: float
    state: Mapping[str, Any]
    entries: list[Entry] = field(default_factory=list)


class BlackBox:
    """Drives a core and remembers. Holds at least the last `keep_s`, at most `most_entries` steps."""

    def __init__(
        self, core: Core, *, keep_s: float = 60.0, segment_s: float = 10.0, most_entries: int = 20_000
    ) -> None:
        self._core = core
        self._keep_s = keep_s
        self._segment_s = segment_s
        # Two segments more than `keep_s` needs: the one being filled, and the oldest, which is only partly
        # too old.
        self._segment_entries = max(1, most_entries // (int(keep_s / segment_s) + 2))
        self._segments: deque[Segment] = deque(maxlen=int(keep_s / segment_s) + 2)

    @property
    def core(self) -> Core:
        return self._core

    def replace_spec(self, spec: CoreSpec) -> None:
        """Continue from the same state with other settings or hazards. The recording starts again."""
        core = Core(spec)
        core.restore(remap_core_state(self._core.state(), [hazard.name for hazard in spec.hazards]))
        self._core = core
        # A recording has one spec: steps under the old one could not be repeated under the new one.
        self._segments.clear()

    def step(self, event: Input, now: float) -> tuple[Effect, ...]:
        """One step of the core, remembered."""
        segment = self._segment(now)
        # After the segment was chosen: its state must be the one before this step.
        effects = self._core.step(event, now)
        segment.entries.append(Entry(now, _without_evidence(event), _events(effects)))
        return effects

    def _segment(self, now: float) -> Segment:
        last = self._segments[-1] if self._segments else None
        # Full also by count: a hail of inputs must not use up the memory before its seconds are over.
        full = last is not None and len(last.entries) >= self._segment_entries
        if last is None or full or now - last.start_s >= self._segment_s:
            last = Segment(now, self._core.state())
            self._segments.append(last)
        # Judged by the second segment's start: the first may only go if the rest still covers `keep_s`.
        while len(self._segments) > 1 and now - self._segments[1].start_s >= self._keep_s:
            self._segments.popleft()
        return last

    def forget(self, before_s: float) -> None:
        """Forget everything before this time, and up to a segment after it."""
        while self._segments and self._segments[0].start_s < before_s:
            self._segments.popleft()

    def snapshot(self) -> Recording:
        """The present recording; may be saved by another thread."""
        entries = tuple(entry for segment in self._segments for entry in segment.entries)
        state = self._segments[0].state if self._segments else self._core.state()
        return Recording(self._core.spec, state, entries)


def _without_evidence(event: Input) -> Input:
    """Drop fields that no step of the core reads, so that a minute of frames takes half the memory."""
    if not isinstance(event, Assessed):
        return event
    assessment = event.assessment
    slim = replace(assessment, encoding=Encoding(assessment.encoding.embedding))
    return replace(event, assessment=slim)


@dataclass(frozen=True, slots=True)
class Recording:
    """A core's settings, its state at a moment, and every step from there."""

    spec: CoreSpec
    state: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def events(self) -> tuple[str, ...]:
        """The events as they were, one JSON line each, without measured times."""
        return tuple(line for entry in self.entries for line in entry.events)

    def repeat(self, change: Callable[[CoreSpec], CoreSpec] = lambda spec: spec) -> tuple[str, ...]:
        """The events that the same inputs lead to now, with the same settings or changed ones."""
        core = Core(change(self.spec))
        core.restore(self.state)
        return tuple(line for e in self.entries for line in _events(core.step(e.input, e.now)))

    def save(self, path: Path, yield_to_threads: Callable[[], None] = lambda: None) -> None:
        """Write it atomically. Raises BlackBoxError.

        `yield_to_threads` is called about once a millisecond of work, so that real-time threads can run.
        """
        arrays = Arrays()
        meta = self._meta(arrays, yield_to_threads)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                np.savez_compressed(
                    file,
                    meta=np.frombuffer(meta.encode(), np.uint8),
                    embeddings=_stack(arrays.embeddings),
                    probabilities=_stack(arrays.probabilities),
                )
        except OSError as error:
            raise BlackBoxError(f"cannot write the black box {path}: {error.strerror}") from error

    def _meta(self, arrays: Arrays, yield_to_threads: Callable[[], None]) -> str:
        """JSON, made row by row: in one go it would hold up every other thread."""
        head = {"format": FORMAT, "spec": self.spec.model_dump(mode="json"), "state": self.state}
        rows = []
        for number, e in enumerate(self.entries):
            row = {"now": e.now, "input": encode(e.input, arrays), "events": e.events}
            rows.append(json.dumps(row, ensure_ascii=False))
            if number % BREATH == 0:
                yield_to_threads()
        return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "entries": [{", ".join(rows)}]}}'

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a file written by `save`. Raises BlackBoxError."""
        try:
            _refuse_bomb(path)
            with np.load(path, allow_pickle=False) as box:
                meta = json.loads(box["meta"].tobytes())
                _refuse_format(path, meta.get("format"))
                recording = cls._from(meta, box["embeddings"], box["probabilities"])
            # A state that does not fit is an error of the file: better now than amid the replay.
            Core(recording.spec).restore(recording.state)
        except FileNotFoundError:
            raise BlackBoxError(
                f"no black box at {path}; `watchword replay FILE --black-box FOLDER` makes some"
            ) from None
        except BlackBoxError:
            raise
        except Exception as error:
            # A damaged or hostile file raises the errors of its layers: zlib's, tokenize's, struct's,
            # MemoryError, RecursionError. None of them is a bug of ours.
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise BlackBoxError(f"{path} is not a whole black box of this version: {reason}") from None
        return recording

    @classmethod
    def _from(
        cls, meta: Mapping[str, Any], embeddings: NDArray[np.float32], probabilities: NDArray[np.float32]
    ) -> Recording:
        entries = tuple(
            Entry(row["now"], decode(row["input"], embeddings, probabilities), tuple(row["events"]))
            for row in meta["entries"]
        )
        return cls(CoreSpec.model_validate(meta["spec"]), meta["state"], entries)


def _refuse_format(path: Path, found: object) -> None:
    if found != FORMAT:
        raise BlackBoxError(
            f"{path} has format {found}, this version reads {FORMAT}; repeat it with the version that made it"
        )


def _refuse_bomb(path: Path) -> None:
    """Raises BlackBoxError if it would unpack to more than a minute can be. OSError, BadZipFile."""
    with zipfile.ZipFile(path) as box:
        size = sum(part.file_size for part in box.infolist())
    if size > MOST_BYTES:
        raise BlackBoxError(f"{path} would unpack to {size // 10**6} MB; it is no black box")


def remap_core_state(state: Mapping[str, Any], hazards: Sequence[str]) -> Mapping[str, Any]:
    """A core's state for other hazards: nothing is left of those that are gone."""
    if state["alert_policy"]["hazards"] == list(hazards):
        return state
    last = state["last_alert"]
    return {
        **state,
        "alert_policy": remap_state(state["alert_policy"], hazards),
        "raised": {name: raised for name, raised in state["raised"].items() if name in hazards},
        "last_alert": last if last is not None and last["hazard"] in hazards else None,
    }


def _events(effects: tuple[Effect, ...]) -> tuple[str, ...]:
    return tuple(e.event.untimed().to_json() for e in effects if isinstance(e, Record))


def _stack(rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)
