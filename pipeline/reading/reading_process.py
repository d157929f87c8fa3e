"""The daemon's side of the process that reads: started when it is first needed, ended when idle."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from capture.frame import Image
from capture.orient import limit_size
from common.child_process import ChildError, ChildLike, ChildProcess
from common.memory import available_bytes
from pipeline.reading.passages import CANNOT_READ, MODEL, Passage, ReadingError, ReadText, spoken
from pipeline.store.errors import StoreError

log = logging.getLogger(__name__)

CHILD = "pipeline.reading.worker"
LOAD_S = 30.0
"""Seconds that the first answer may take beside its own: the process loads its libraries and the model."""
IDLE_S = 300.0
"""Seconds after a reading until the process ends if memory is short; another within them comes at once."""
KEEP_BYTES = 2 * 2**30
"""With less free memory than this the process is not started ahead, and ends when idle."""
MAX_SIDE = 1280
"""Pixels of the longer side of the picture that is handed over."""


class ReadingProcess:
    """Reads one picture at a time. `read` runs in one thread; `close` may come from another."""

    model = MODEL

    def __init__(
        self,
        locate: Callable[[str], Path],
        child: ChildLike | None = None,
        available: Callable[[], int] = available_bytes,
    ) -> None:
        """`locate`: the folder of a model in the store; raises StoreError."""
        self._locate = locate
        self._child = child or ChildProcess(CHILD)
        self._available = available
        # The idle timer stops the process from a thread of its own.
        self._lock = threading.Lock()
        self._idle: threading.Timer | None = None
        self._closed = False

    def load_ahead(self) -> None:
        """Load the model before the first request, if there is memory for it; never raises."""
        if self._available() < KEEP_BYTES:
            return
        try:
            with self._lock:
                self._ask({"folder": str(self._locate(MODEL))}, LOAD_S)
        except (StoreError, ReadingError) as error:
            log.debug("the reading model is not loaded ahead: %s", error)

    def read(self, image: Image, language: str, timeout_s: float) -> tuple[Passage, ...]:
        """Return the spoken answer for a wearer of this language; never empty. Raises ReadingError."""
        try:
            folder = self._locate(MODEL)
        except StoreError as error:
            log.warning("nothing is read: %s", error)
            return (Passage(CANNOT_READ[language], language),)
        small = np.ascontiguousarray(limit_size(image, MAX_SIDE))
        header = {"folder": str(folder), "size": list(small.shape[:2])}
        with self._lock:
            answer = self._ask(header, timeout_s, small.tobytes())
        if "unavailable" in answer:
            log.warning("nothing is read: %s", answer["unavailable"])
            return (Passage(CANNOT_READ[language], language),)
        if "error" in answer:
            raise ReadingError(f"the picture was not read: {answer['error']}")
        return spoken(decode(answer), language)

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        self._child.close()

    def _ask(self, header: dict[str, Any], timeout_s: float, pixels: bytes = b"") -> Mapping[str, Any]:
        if self._idle is not None:
            self._idle.cancel()
        loading_s = LOAD_S if self._child.pid is None else 0.0
        try:
            return self._child.ask(header, timeout_s + loading_s, pixels)[0]
        except ChildError as error:
            raise ReadingError(f"reading: {error}") from None
        finally:
            self._await_idle()

    def _await_idle(self) -> None:
        if not self._closed:
            self._idle = threading.Timer(IDLE_S, self._stop_idle)
            self._idle.daemon = True
            self._idle.start()

    def _stop_idle(self) -> None:
        with self._lock:
            if self._available() >= KEEP_BYTES:
                self._await_idle()  # memory may be short the next time
            else:
                self._child.stop()


def decode(answer: Mapping[str, Any]) -> ReadText:
    """The result of the process."""
    passages = tuple(Passage(**one) for one in answer["passages"])
    return ReadText(**{**answer, "passages": passages})
