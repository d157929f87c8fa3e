"""What the process for guests is asked, by verb."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from daemon.errors import CommandError
from daemon.worker.tasks import Answer, TaskRefused, WorkerTasks
from pipeline.calibration.few_shot import TeachError
from pipeline.calibration.table import CalibrationError
from pipeline.hazards import HazardError
from pipeline.store.errors import StoreError
from speech.synthesis.base import SynthesisError

DO: Mapping[str, Callable[[WorkerTasks, Mapping[str, Any], bytes], Answer]] = {
    "ready": WorkerTasks.ready,
    "look": WorkerTasks.look,
    "speak": WorkerTasks.speak,
    "what_if": WorkerTasks.what_if,
}
EXPECTED = (StoreError, CalibrationError, HazardError, TeachError, CommandError, SynthesisError)


def answer(room: WorkerTasks, asked: Mapping[str, Any], payload: bytes) -> Answer:
    """Carry out one request; whatever goes wrong is the answer."""
    try:
        return DO[asked["do"]](room, asked, payload)
    except TaskRefused as error:
        return {"error": str(error), "code": error.code}, b""
    except EXPECTED as error:
        return {"error": str(error), "code": "unavailable"}, b""
    except MemoryError:
        return {"error": "it takes more memory than guests may use (worker.memory_mb)", "code": "failed"}, b""
    except Exception as error:  # the next request may be better
        logging.exception("%s failed", asked.get("do"))
        return {"error": f"a bug: {type(error).__name__}: {error}", "code": "failed"}, b""
