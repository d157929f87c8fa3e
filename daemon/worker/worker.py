"""The process for what is not urgent: `python -m daemon.worker.worker FD PARENT`.

It yields every core to whoever wants it, is the first to go when memory runs out, may use so much of it and
no more, and ends with its parent. The first message says how much memory; then come requests, one at a time.
"""

from __future__ import annotations

import logging
import resource
import socket
import sys

from common.framing import ConnectionLost, receive, send
from common.spawn import exit_with_parent, lower_priority


def main(fd: int, parent: int) -> int:
    """Answer requests until the parent goes away."""
    exit_with_parent(parent)
    lower_priority()
    # What the starter does not know is told by the daemon already.
    logging.basicConfig(level=logging.ERROR, format="guests: %(message)s")
    link = socket.socket(fileno=fd)
    try:
        send(link, {})
        most = int(receive(link)[0]["memory_bytes"])
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        # Only now: seconds of work, for which nobody else shall wait.
        from daemon.worker.requests import answer
        from daemon.worker.tasks import WorkerTasks

        room = WorkerTasks()
        send(link, {})
        while True:
            send(link, *answer(room, *receive(link)))
    except ConnectionLost:
        return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
