"""The process in which a model runs: `python -m pipeline.description.vlm.worker FD PARENT`.

It runs at idle priority, is the first to be killed when memory runs out, and ends with its parent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from common.framing import ConnectionLost, receive, send
from common.own_process import IDLE, exit_with_parent, lower_priority
from pipeline.description.vlm.backends import load
from pipeline.description.vlm.job import (
    GenerateError,
    GenerationJob,
    Generator,
    ModelLoadError,
    ModelSpec,
    job_from,
)
from pipeline.description.vlm.token_text import first_line

MOST_WAITING = 4
"""Jobs that may wait; a parent asks one thing at a time and cancels what it does not want any more."""


def main(fd: int, parent: int, load: Callable[[ModelSpec], Generator] = load) -> int:
    """Load the model that the first message names, then answer until the parent goes away."""
    exit_with_parent(parent)
    logging.basicConfig(level=logging.INFO, format="describer: %(message)s")
    link = socket.socket(fileno=fd)
    try:
        spec = ModelSpec(**receive(link)[0])
        # Before the model is loaded: loading is the heaviest work, and threads inherit the policy.
        lower_priority(IDLE if spec.idle else 0)
        inbox = JobInbox(link)
        began_s = time.monotonic()
        try:
            generator = load(spec)
        except ModelLoadError as error:
            send(link, {"failed": str(error)})
            return 1
        except Exception as error:  # told once in one line, instead of a process that only ends
            logging.exception("%s does not load", spec.model)
            send(link, {"failed": f"{spec.model} does not load: {type(error).__name__}: {first_line(error)}"})
            return 1
        # Set only now: while it loads there is nothing to interrupt.
        inbox.interrupt = generator.interrupt
        took_s = round(time.monotonic() - began_s, 3)
        # Only backends that choose the device themselves have the attribute.
        doubt = str(getattr(generator, "doubt", ""))
        send(link, {"ready": {"device": generator.device, "doubt": doubt, "took_s": took_s}})
        while True:
            serve(link, generator, inbox)
    except ConnectionLost:
        return 0


class JobInbox:
    """Reads the link in a thread of its own, so that a cancellation is seen while a job runs."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._jobs: queue.Queue[GenerationJob] = queue.Queue(MOST_WAITING)
        self._cancelled = 0
        self._running = 0
        self.interrupt: Callable[[], None] = lambda: None
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> GenerationJob:
        """Wait for a job. The parent's end ends the process, so this needs no timeout."""
        job = self._jobs.get()
        self._running = job.id
        return job

    def wanted(self, job: GenerationJob) -> bool:
        """False once a job was cancelled, or a later one was."""
        return job.id > self._cancelled

    def _read(self) -> None:
        with contextlib.suppress(ConnectionLost, KeyError, TypeError, ValueError, queue.Full):
            while True:
                self._take(*receive(self._link))
        # At once: the main thread may be in a native call that ends only with the answer.
        os._exit(0)

    def _take(self, header: dict[str, Any], pixels: bytes) -> None:
        if header["do"] == "describe":
            self._jobs.put_nowait(job_from(header, pixels))
            return
        # Ids only grow, so one number says that all jobs up to it are cancelled.
        self._cancelled = max(self._cancelled, int(header["id"]))
        if self._running and self._running <= self._cancelled:
            self.interrupt()


def serve(link: socket.socket, generator: Generator, inbox: JobInbox) -> None:
    """Answer one job: pieces of text, then how it ended. Raises ConnectionLost."""
    job = inbox.next()
    began_s = time.monotonic()

    def emit(piece: str) -> bool:
        if piece and inbox.wanted(job):
            send(link, {"id": job.id, "piece": piece})
        return inbox.wanted(job)

    try:
        # Cancelled while it waited. The end is still reported: the supervisor counts the job's deadline.
        if not inbox.wanted(job):
            send(link, {"id": job.id, "end": {"tokens": 0, "cut": False, "took_s": 0.0}})
            return
        written = generator.generate(job, emit)
    except GenerateError as error:
        send(link, {"id": job.id, "error": str(error)})
        return
    except ConnectionLost:
        raise
    except Exception as error:  # one picture must not cost a load of the model
        logging.exception("answer %d failed", job.id)
        send(link, {"id": job.id, "error": f"the model failed: {type(error).__name__}: {first_line(error)}"})
        return
    took_s = round(time.monotonic() - began_s, 4)
    send(link, {"id": job.id, "end": {"tokens": written.tokens, "cut": written.cut, "took_s": took_s}})


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
