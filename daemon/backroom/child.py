"""The process for what is not urgent: `python -m daemon.backroom.child FD PARENT`.

It yields every core to whoever wants it, is the first to go when memory runs out, may use so much of it and
no more, and ends with its parent. Requests come one at a time, each with a verb that stands in `DO`.
"""

from __future__ import annotations

import logging
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

from daemon.backroom.room import Answer, Refused, Room
from daemon.errors import CommandError
from pipeline.calibration import CalibrationError
from pipeline.describers.child import be_humble
from pipeline.hazards import HazardError
from pipeline.store.errors import StoreError
from pipeline.taught import TeachError
from speech.frames import LinkError, receive, send
from speech.spawn import die_with
from speech.synthesizer import SynthesisError


def limit(_: Room, asked: Mapping[str, Any], payload: bytes) -> Answer:
    """Use no more memory than that from now on."""
    most = int(asked["memory_bytes"])
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    return {}, payload


DO: Mapping[str, Callable[[Room, Mapping[str, Any], bytes], Answer]] = {
    "limit": limit,
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


def main(fd: int, parent: int) -> int:
    """Answer requests until the parent goes away."""
    die_with(parent)
    # What the starter does not know is told by the daemon already.
    logging.basicConfig(level=logging.ERROR, format="guests: %(message)s")
    link = socket.socket(fileno=fd)
    be_humble()
    room = Room()
    try:
        send(link, {})
        while True:
            send(link, *answer(room, *receive(link)))
    except LinkError:
        return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
