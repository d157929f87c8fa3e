"""The process that reads: `python -m pipeline.reading.worker FD PARENT`.

It runs at low priority, is the first to be killed when memory runs out, and ends with its parent.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.framing import ConnectionLost, receive, send
from common.own_process import WAITED_NICE, exit_with_parent, lower_priority

if TYPE_CHECKING:
    from pipeline.reading.reader import TextReader


def main(fd: int, parent: int) -> int:
    """Answer requests until the parent goes away."""
    exit_with_parent(parent)
    # Before the libraries are loaded: their threads inherit the policy.
    # Not idle priority, at which it would get nothing beside two busy programs: the wearer waits for it.
    lower_priority(WAITED_NICE)
    logging.basicConfig(level=logging.WARNING, format="reader: %(message)s")
    link = socket.socket(fileno=fd)
    server = Server()
    try:
        send(link, {})
        while True:
            send(link, server(*receive(link)))
    except ConnectionLost:
        return 0


class Server:
    """Loads the model of the first request and reads the picture of each; without one it only loads."""

    def __init__(self) -> None:
        self._reader: TextReader | None = None

    def __call__(self, request: Mapping[str, Any], pixels: bytes) -> dict[str, Any]:
        """Answer one request: the fields of `ReadText`, or `unavailable` or `error` with the reason."""
        # Imported only now: it takes seconds, and the parent waits for the first message.
        import numpy as np

        from pipeline.reading.reader import ReadingUnavailableError, TextReader

        try:
            if self._reader is None:
                self._reader = TextReader(Path(request["folder"]))
            if not pixels:
                return {}
            image = np.frombuffer(pixels, np.uint8).reshape(*request["size"], 3)
            return asdict(self._reader.read(image))
        except ReadingUnavailableError as error:
            return {"unavailable": str(error)}
        except Exception as error:  # one picture must not cost a load of the model
            logging.exception("a picture was not read")
            return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
