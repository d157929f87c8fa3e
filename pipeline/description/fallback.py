"""A model first; while it loads, and whenever it fails, the template sentences that always work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from common.backoff import Backoff
from pipeline.description.answer.permission import CANNOT_SAY, asks_permission
from pipeline.description.base import DescribeError, Describer, DescribeRequest
from pipeline.description.status import DescriberStatus, Phase, WatchedDescriber
from pipeline.description.template import NOTHING_KNOWN
from pipeline.types import Trigger

log = logging.getLogger(__name__)

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 60.0
"""Waits before a describer that failed is shown a view again."""
END_S = 1.0
"""Seconds a probe may take to end."""


class FallbackDescriber:
    """Implements `WatchedDescriber`. A failure is told by DescribeError, after the fallback's sentences.

    While the first has failed, no request waits for it. At back-off intervals one view is sent to it as a
    probe, to see whether it answers again; the answer is dropped.
    """

    def __init__(
        self,
        first: WatchedDescriber,
        fallback: Describer,
        doubt: str = "",
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`doubt` is told with the status of a first that is ready."""
        self._first = first
        self._fallback = fallback
        self._doubt = doubt
        self._backoff = backoff or Backoff(FIRST_RETRY_S, LONGEST_RETRY_S)
        self._clock = clock
        self._probe: threading.Thread | None = None
        self._probe_from_s = clock()
        self._asking = False
        self.model = fallback.model

    @property
    def first(self) -> WatchedDescriber:
        return self._first

    @property
    def status(self) -> DescriberStatus:
        status = self._first.status
        if status.phase is not Phase.READY or not self._doubt:
            return status
        return DescriberStatus(status.phase, "; ".join(filter(None, (status.reason, self._doubt))))

    @property
    def calls(self) -> int:
        return self._first.calls

    @property
    def probing(self) -> bool:
        """True while a failed first describer works on a view."""
        return self._probe is not None and self._probe.is_alive()

    def wait_ready(self, timeout_s: float) -> bool:
        return self._first.wait_ready(timeout_s)

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """Raises DescribeError if the model had to answer and could not."""
        if request.detector_only:
            yield from self._instead(request)
            return
        status = self._first.status
        if status.phase is Phase.LOADING:
            log.info("%s: %s; answered by %s", request.id, status.reason, self._fallback.model)
            yield from self._instead(request)
            return
        if status.phase is Phase.FAILED:
            # With this view, so that a probe costs no picture of its own and leaves the machine idle
            # otherwise.
            self._probe_apart(request)
            yield from self._instead(request)
            raise DescribeError(status.reason)
        # `cancel` must reach only an answer that is meant for the wearer, not a probe.
        self._asking = True
        try:
            yield from self._ask(request)
        finally:
            self._asking = False

    def _ask(self, request: DescribeRequest) -> Iterator[str]:
        spoken = False
        try:
            for sentence in self._first.describe(request):
                spoken = True
                self.model = self._first.model
                yield sentence
        except DescribeError:
            # After a spoken sentence the fallback would begin a second description in the middle of the
            # first.
            if not spoken:
                yield from self._instead(replace(request, detector_only=request.trigger is Trigger.REQUEST))
            raise

    def _instead(self, request: DescribeRequest) -> Iterator[str]:
        self.model = self._fallback.model
        yield from _with_caution(self._fallback, request)

    def _probe_apart(self, request: DescribeRequest) -> None:
        """Show the view to the first in a thread of its own, unless one is at it or it is too early."""
        # A `FailedDescriber` can never recover, so there is nothing to probe.
        if self.probing or isinstance(self._first, FailedDescriber) or self._clock() < self._probe_from_s:
            return
        self._probe = threading.Thread(
            target=self._try_first, args=(request,), name="describer-probe", daemon=True
        )
        self._probe.start()

    def _try_first(self, request: DescribeRequest) -> None:
        try:
            for _ in self._first.describe(request):
                pass
        except DescribeError as error:
            log.debug("%s: still failing: %s", request.id, error)
        if self._first.status.phase is Phase.READY:
            self._backoff.reset()
            self._probe_from_s = self._clock()
        else:
            self._probe_from_s = self._clock() + self._backoff.next_s()

    def cancel(self) -> None:
        """Leave a probe running: its answer is dropped anyway."""
        if self._asking:
            self._first.cancel()

    def close(self) -> None:
        self._first.cancel()
        self._first.close()
        if self._probe is not None:
            # Bounded: the probe's thread is a daemon thread and may hang in a server's answer.
            self._probe.join(END_S)
        self._fallback.close()


class StaticDescriber:
    """A describer without anything to load, as a `WatchedDescriber`."""

    def __init__(self, describer: Describer, reason: str = "") -> None:
        """`reason` says why there is nothing more."""
        self._describer = describer
        self.calls = 0
        self.status = DescriberStatus(Phase.READY, reason)

    @property
    def model(self) -> str:
        return self._describer.model

    def wait_ready(self, timeout_s: float) -> bool:  # noqa: ARG002 -- nothing to wait for
        return True

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        return _with_caution(self._describer, request)

    def cancel(self) -> None:
        self._describer.cancel()

    def close(self) -> None:
        self._describer.close()


class FailedDescriber:
    """A model that cannot be used here: always failed, with the reason."""

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        self.calls = 0
        self.status = DescriberStatus(Phase.FAILED, reason)

    def wait_ready(self, timeout_s: float) -> bool:  # noqa: ARG002 -- nothing to wait for
        return False

    def describe(self, request: DescribeRequest) -> Iterator[str]:  # noqa: ARG002 -- every request fails
        raise DescribeError(self.status.reason)

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Holds nothing."""


def _with_caution(describer: Describer, request: DescribeRequest) -> Iterator[str]:
    """A question for leave to walk on gets the safety notice first; then "nothing is known" adds nothing."""
    if request.trigger is not Trigger.REQUEST or not asks_permission(request.question):
        yield from describer.describe(request)
        return
    yield CANNOT_SAY[request.language]
    unasked = replace(request, question=None)
    yield from (said for said in describer.describe(unasked) if said not in NOTHING_KNOWN.values())
