"""A model first; while it loads, and whenever it fails, the template sentences that always work."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pipeline.describer import DescribeError, Describer, DescribeRequest
from pipeline.describers.state import Phase, Status, WatchedDescriber

log = logging.getLogger(__name__)


class WithFallback:
    """Implements `WatchedDescriber`. A failure is told by DescribeError, after the fallback's sentences."""

    def __init__(self, first: WatchedDescriber, fallback: Describer) -> None:
        self._first = first
        self._fallback = fallback
        self.model = fallback.model

    @property
    def first(self) -> WatchedDescriber:
        return self._first

    @property
    def status(self) -> Status:
        return self._first.status

    @property
    def calls(self) -> int:
        return self._first.calls

    def wait_ready(self, timeout_s: float) -> bool:
        return self._first.wait_ready(timeout_s)

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        """Raises DescribeError where the model had to answer and could not."""
        if self._first.status.phase is Phase.LOADING:
            log.info("%s: %s; answered by %s", request.id, self._first.status.reason, self._fallback.model)
            yield from self._instead(request)
            return
        spoken = False
        try:
            for sentence in self._first.describe(request):
                spoken = True
                self.model = self._first.model
                yield sentence
        except DescribeError:
            if not spoken:
                yield from self._instead(request)
            raise

    def _instead(self, request: DescribeRequest) -> Iterator[str]:
        self.model = self._fallback.model
        yield from self._fallback.describe(request)

    def cancel(self) -> None:
        self._first.cancel()

    def close(self) -> None:
        self._first.close()
        self._fallback.close()


class Always:
    """A describer without anything to load, as a `WatchedDescriber`."""

    def __init__(self, describer: Describer) -> None:
        self._describer = describer
        self.calls = 0
        self.status = Status(Phase.READY)

    @property
    def model(self) -> str:
        return self._describer.model

    def wait_ready(self, timeout_s: float) -> bool:  # noqa: ARG002 -- nothing to wait for
        return True

    def describe(self, request: DescribeRequest) -> Iterator[str]:
        return self._describer.describe(request)

    def cancel(self) -> None:
        self._describer.cancel()

    def close(self) -> None:
        self._describer.close()


class Unusable:
    """A model that cannot be used here: always failed, with the reason."""

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        self.calls = 0
        self.status = Status(Phase.FAILED, reason)

    def wait_ready(self, timeout_s: float) -> bool:  # noqa: ARG002 -- nothing to wait for
        return False

    def describe(self, request: DescribeRequest) -> Iterator[str]:  # noqa: ARG002 -- every request fails
        raise DescribeError(self.status.reason)

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Holds nothing."""
