"""Endless work: like a describer's at idle priority, or like other programs'.

A real language model if it can be had, else products of large matrices.
"""

from __future__ import annotations

import logging
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module, resources
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from common.errors import WatchwordError
from common.own_process import lower_priority
from pipeline.conversion.preparer import OpenClipConverter
from pipeline.store.catalogue.catalogue import parse_catalogue
from pipeline.store.errors import StoreError
from pipeline.store.store import Store

log = logging.getLogger(__name__)

MODEL = "smollm2-135m"
IDLE, ORDINARY = "idle", "ordinary"
"""Arguments of a child that multiplies matrices: its priority."""
_READY_S = 120.0
_ENDED_S = 30.0
_STOPPED = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
_COUNT = struct.Struct("q")
"""Tokens written, in shared memory."""
_WINDOW = 256
"""Tokens of context: a long one would slow down with every token."""


class LoadUnavailable(WatchwordError):
    """The work could not be started; one line says why."""


class BackgroundLoad:
    """Children in sessions of their own, stopped until they are released."""

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self._children: list[subprocess.Popen[str]] = []
        try:
            for command in commands:
                self._children.append(_start(command))
            for child in self._children:
                _await_ready(child)
        except BaseException:
            self.close()
            raise
        # Loaded, but still until it is wanted: loading must not fall into a measurement.
        self._hold()

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(child.pid for child in self._children)

    def processor_s(self) -> float:
        """Seconds of processor time the children have had so far."""
        ticks = 0
        for pid in self.pids:
            # proc(5): the name in brackets may hold spaces, so fields are counted after the last bracket.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            # utime and stime, in clock ticks.
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def working(self) -> Iterator[None]:
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._hold()

    def close(self) -> None:
        for child in self._children:
            child.kill()
            child.wait(_ENDED_S)
            if child.stdout:
                child.stdout.close()

    def _hold(self) -> None:
        """Stop them, and wait until they have stopped: a process at idle priority receives the
        signal late.
        """
        self._signal(signal.SIGSTOP)
        for child in self._children:
            until_s = time.monotonic() + _ENDED_S
            # WNOWAIT leaves the state for the child's own `poll`; a stopped process is no ended one.
            while os.waitid(os.P_PID, child.pid, _STOPPED) is None:
                if time.monotonic() > until_s:
                    raise LoadUnavailable("the busy process does not stop")
                # Polled, because waitid has no timeout.
                time.sleep(0.001)

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.poll() is not None:
                raise LoadUnavailable("the busy process ended while it was needed")
            child.send_signal(number)

    def __enter__(self) -> BackgroundLoad:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class LanguageLoad(BackgroundLoad):
    """A child with a real language model that writes on every core."""

    def __init__(self, weights: Path) -> None:
        """Raises LoadUnavailable."""
        # Shared memory, not a pipe: reading it neither wakes the child nor waits for it.
        self._counter = tempfile.NamedTemporaryFile(prefix="ww")  # noqa: SIM115 (lives as long as the child)
        self._counter.write(_COUNT.pack(0))
        self._counter.flush()
        self._count = mmap.mmap(self._counter.fileno(), _COUNT.size)
        super().__init__([[sys.executable, "-m", "daemon.bench.load", str(weights), self._counter.name]])

    def tokens(self) -> int:
        """The tokens that it has written so far."""
        return int(_COUNT.unpack(self._count[:])[0])

    def close(self) -> None:
        super().close()
        self._count.close()
        self._counter.close()


def language_load(models: Path) -> LanguageLoad:
    """One child with a real language model. Raises LoadUnavailable.

    The model is pulled into the store if it is missing.
    """
    text = resources.files("daemon.bench").joinpath("load.toml").read_text("utf-8")
    try:
        folder = Store(models, parse_catalogue(text), OpenClipConverter()).pull(MODEL)
    except StoreError as error:
        raise LoadUnavailable(str(error)) from None
    weights = next(folder.glob("*.gguf"))
    return LanguageLoad(weights)


def arithmetic_load(count: int, *, idle: bool = True) -> BackgroundLoad:
    """Children that multiply matrices on a core each, at idle priority or as other programs do."""
    return BackgroundLoad([[sys.executable, "-m", "daemon.bench.load", IDLE if idle else ORDINARY]] * count)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (our own command, no shell)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # With autogroup scheduling (sched(7)) a session competes as a whole, as a service does.
        start_new_session=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )


def _await_ready(child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    # A timeout: a model that never loads must not hang the benchmark.
    readable, _, _ = select.select([child.stdout.fileno()], [], [], _READY_S)
    if not readable or child.stdout.readline() != "ready\n":
        raise LoadUnavailable("the busy process did not get to work")


def _tell_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _multiply(priority: str) -> None:
    """Products of matrices too large for the caches, like a language model's: arithmetic and memory."""
    # 64 MB of weights: larger than the caches of the processors in question.
    weights, state = np.ones((4096, 4096), np.float32), np.ones((4096, 16), np.float32)
    if priority == IDLE:
        lower_priority()
    _tell_ready()
    # Ends with its parent, however that ends.
    while os.getppid() != 1:
        state = np.tanh(weights @ state)


def _counter_type(genai: Any) -> Any:
    """A streamer that counts every token; its base class exists only once the library is imported."""

    class TokenCounter(genai.StreamerBase):  # type: ignore[misc]
        def __init__(self, count: mmap.mmap) -> None:
            super().__init__()
            self._count = count
            self._written = 0

        def write(self, token: int | list[int]) -> Any:
            self._written += len(token) if isinstance(token, list) else 1
            self._count[:] = _COUNT.pack(self._written)
            return genai.StreamingStatus.RUNNING

        def end(self) -> None:
            """Nothing is held back."""

    return TokenCounter


def _write(weights: str, counter: Path) -> None:
    """Text without end, as many threads as there are cores."""
    genai: Any = import_module("openvino_genai")
    model = genai.LLMPipeline(weights, "CPU")
    model.generate("Hello", max_new_tokens=4)
    lower_priority()  # not before: beside other work the model would never be loaded
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), _COUNT.size) as count:
        streamer = _counter_type(genai)(count)
        _tell_ready()
        while os.getppid() != 1:
            model.generate(
                "Tell a long story about a street.",
                max_new_tokens=_WINDOW,
                ignore_eos=True,
                streamer=streamer,
            )


if __name__ == "__main__":
    if sys.argv[1] in (IDLE, ORDINARY):
        _multiply(sys.argv[1])
    else:
        _write(sys.argv[1], Path(sys.argv[2]))
