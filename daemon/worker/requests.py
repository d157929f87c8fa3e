"""The requests of the worker process, by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from daemon.errors import CommandError
from daemon.worker.tasks import Answer, TaskRefused, WorkerTasks
from pipeline.calibration.few_shot import TeachError
from pipeline.calibration.table import CalibrationError
from pipeline.hazards import HazardError
from pipeline.reading.reader import ReadingUnavailableError
from pipeline.store.errors import StoreError
from speech.synthesis.base import SynthesisError

TASKS: Mapping[str, Callable[[WorkerTasks, Mapping[str, Any], bytes], Answer]] = {
    "ready": WorkerTasks.ready,
    "inspect": WorkerTasks.inspect,
    "read": WorkerTasks.read,
    "speak": WorkerTasks.speak,
    "what_if": WorkerTasks.what_if,
    "what_if_recorded": WorkerTasks.what_if_recorded,
}
# By class and not WatchwordError: anything else is a bug and needs its traceback.
EXPECTED = (
    ReadingUnavailableError,
    StoreError,
    CalibrationError,
    HazardError,
    TeachError,
    CommandError,
    SynthesisError,
)


def answer(tasks: WorkerTasks, request: Mapping[str, Any], payload: bytes) -> Answer:
    """Carry out one request. Errors are returned as the answer, never raised."""
    try:
        return TASKS[request["do"]](tasks, request, payload)
    except TaskRefused as error:
        return {"error": str(error), "code": error.code}, b""
    except EXPECTED as error:
        return {"error": str(error), "code": "unavailable"}, b""
    # RLIMIT_DATA at work; the process itself can go on.
    except MemoryError:
        return {
            "error": "it takes more memory than the worker may use (worker.memory_mb)",
            "code": "failed",
        }, b""
    # One bad request must not end the process.
    except Exception as error:
        logging.exception("%s failed", request.get("do"))
        return {"error": f"a bug: {type(error).__name__}: {error}", "code": "failed"}, b""
