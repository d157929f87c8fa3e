"""What the process for guests is asked, by verb."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from daemon.errors import CommandError
from daemon.worker.tasks import Answer, Refused, Room
from pipeline.calibration.few_shot import TeachError
from pipeline.calibration.table import CalibrationError
from pipeline.hazards import HazardError
from pipeline.store.errors import StoreError
from speech.synthesis.base import SynthesisError

DO: Mapping[str, Callable[[Room, Mapping[str, Any], bytes], Answer]] = {
    "ready": Room.ready,
    "look": Room.look,
    "speak": Room.speak,
    "what_if": Room.what_if,
}
EXPECTED = (StoreError, CalibrationError, HazardError, TeachError, CommandError, SynthesisError)


def answer(room: Room, asked: Mapping[str, Any], payload: bytes) -> Answer:
    """Carry out one request; whatever goes wrong is the answer."""
    try:
        return DO[asked["do"]](room, asked, payload)
    except Refused as error:
        return {"error": str(error), "code": error.code}, b""
    except EXPECTED as error:
        return {"error": str(error), "code": "unavailable"}, b""
    except MemoryError:
        return {"error": "it takes more memory than guests may use (guests.memory_mb)", "code": "failed"}, b""
    except Exception as error:  # the next request may be better
        logging.exception("%s failed", asked.get("do"))
        return {"error": f"a bug: {type(error).__name__}: {error}", "code": "failed"}, b""
