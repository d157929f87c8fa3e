"""Renders phrases to disk in the background, for later use.

Another instance may relay dangers in the other language; those must be as quick as our own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from speech.synthesis.base import SynthesisError
from speech.synthesis.renderer import Renderer
from speech.utterance import Priority

log = logging.getLogger(__name__)

START_DELAY_S = 10.0
"""Seconds until it begins: the start, and the first warning, come first."""
PAUSE_S = 0.1
"""Seconds between two phrases, so that speech gets the synthesiser at once."""
CLOSE_S = 5.0

Phrase = tuple[str, str, Priority]
"""(text, language, priority)"""


@dataclass(frozen=True, slots=True, eq=False)
class _PhraseBatch:
    renderer: Renderer
    phrases: tuple[Phrase, ...]


class PhrasePrefetch:
    """Runs one thread from its construction; a new batch replaces the one before."""

    def __init__(self, after_s: float = START_DELAY_S, between_s: float = PAUSE_S) -> None:
        self._after_s = after_s
        self._between_s = between_s
        self._batch: _PhraseBatch | None = None
        self._busy = False
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._thread.start()

    def prefetch(self, renderer: Renderer, phrases: Iterable[Phrase]) -> None:
        """Render these phrases to disk later; never waits."""
        with self._changed:
            self._batch = _PhraseBatch(renderer, tuple(phrases))
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no work is left; False after the timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: self._batch is None and not self._busy, timeout_s)

    def close(self) -> None:
        """End the thread after the present phrase."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.error("the prefetch thread is still busy after %g s", CLOSE_S)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                if self._wait_undisturbed(self._after_s):
                    batch.renderer.prefetch(
                        batch.phrases, go_on=lambda: self._wait_undisturbed(self._between_s)
                    )
            except SynthesisError as error:
                log.warning("phrases of the other language are not ready: %s", error)
            except Exception:  # nothing depends on it; it is only slower without
                log.exception("phrases of the other language are not ready")
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> _PhraseBatch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._batch is not None)
            batch, self._batch = self._batch, None
            self._busy = not self._closing
            return None if self._closing else batch

    def _wait_undisturbed(self, for_s: float) -> bool:
        """Wait; False if closing or given another batch meanwhile."""
        with self._changed:
            # A pause that ends at once if the work has become pointless.
            return not self._changed.wait_for(lambda: self._closing or self._batch is not None, for_s)
