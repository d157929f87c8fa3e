"""Work as a describer does it, without end and only when nobody else wants the processor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import numpy as np

from pipeline.describers.child import be_humble

_READY_S = 30.0


class Load:
    """One child a core, in a session of its own and as humble as the describer's; held still until let go."""

    def __init__(self, count: int) -> None:
        self._children = [
            subprocess.Popen(
                [sys.executable, "-m", "daemon.bench.load"],
                stdout=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
            for _ in range(count)
        ]
        for child in self._children:
            assert child.stdout is not None
            child.stdout.readline()
        self._signal(signal.SIGSTOP)

    @contextmanager
    def working(self) -> Iterator[None]:
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for child in self._children:
            child.send_signal(number)

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.kill()
            child.wait(_READY_S)
            if child.stdout:
                child.stdout.close()


def _work() -> None:
    """Products of matrices too large for the caches, like a language model's: arithmetic and memory."""
    be_humble()
    weights, state = np.ones((4096, 4096), np.float32), np.ones((4096, 16), np.float32)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while os.getppid() != 1:
        state = np.tanh(weights @ state)


if __name__ == "__main__":
    _work()
