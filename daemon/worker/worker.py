"""The worker process: `python -m daemon.worker.worker FD PARENT`.

It runs at a low priority, though not at idle priority: a person waits for its answers. It is the first to be
killed if memory runs out, has a limit on its memory, and ends with its parent. The first message sets the
limit; then come requests, one at a time.
"""

from __future__ import annotations

import logging
import resource
import socket
import sys

from common.framing import ConnectionLost, receive, send
from common.own_process import WAITED_NICE, exit_with_parent, lower_priority


def main(fd: int, parent: int) -> int:
    """Answer requests until the parent goes away."""
    # First: a parent that dies while the models load must not leave a process behind.
    exit_with_parent(parent)
    lower_priority(WAITED_NICE)
    # Warnings, such as prompts that the starter lacks, are logged by the daemon already.
    logging.basicConfig(level=logging.ERROR, format="worker: %(message)s")
    link = socket.socket(fileno=fd)
    try:
        send(link, {})
        most = int(receive(link)[0]["memory_bytes"])
        # RLIMIT_DATA and not RLIMIT_AS: mapped model files are not the process's own memory (setrlimit(2)).
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        # Imported only now: it takes seconds, and the parent waits for the first reply.
        from daemon.worker.requests import answer
        from daemon.worker.tasks import WorkerTasks

        tasks = WorkerTasks()
        send(link, {})
        while True:
            # One at a time: the parent sends the next request after the answer.
            send(link, *answer(tasks, *receive(link)))
    except ConnectionLost:
        return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
