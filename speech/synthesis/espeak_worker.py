"""The process in which pyttsx3 runs: `python -m speech.synthesis.espeak_worker FD PARENT`.

pyttsx3 is used as a synthesiser only, and each text gets a process of its own, forked from one that has
everything imported:

- espeak-ng carries state and random numbers from one text to the next; in a fresh process the same request
  gives the same samples.
- its driver sets rate, volume and pitch through a queue that `runAndWait` may empty before they took
  effect; here the queue is drained first, and then nothing is lost.
- whatever hangs or crashes in native code ends with its process.

The next process is forked and its engine made before the next request arrives.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import wave
from pathlib import Path
from typing import Any

from common.framing import ConnectionLost, receive, send
from common.own_process import exit_with_parent

DRAIN_LIMIT_S = 2.0
FINISH_LIMIT_S = 120.0


class _UnknownVoiceError(Exception):
    """The engine has no voice of that name."""


def main(fd: int, parent: int) -> int:
    """Answer requests until the parent goes away."""
    exit_with_parent(parent)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # pyttsx3 prints there
    link = socket.socket(fileno=fd)
    try:
        if not _greet(link):
            return 1
    # The program has ended before it needed a voice.
    except ConnectionLost:
        return 0
    while True:
        server = os.getpid()
        worker = os.fork()
        if worker == 0:
            # Again, because a fork does not inherit the parent's death signal.
            exit_with_parent(server)
            os._exit(_serve_one(link))
        if os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) != 0:
            return 1


def _greet(link: socket.socket) -> bool:
    """Load the engine's library, without starting it, and report the version."""
    try:
        from pyttsx3.drivers import _espeak, espeak  # noqa: F401 -- loaded once, here, for every fork
    except ImportError:
        send(link, {"error": "pyttsx3"})
        return False
    except RuntimeError:
        send(link, {"error": "library"})
        return False
    version = _espeak.Info(None).decode(errors="replace").split()[0]
    # The version of pyttsx3 is added by the parent: the library that finds it would take 3 MB here, twice.
    send(link, {"name": f"espeak-ng {version}"})
    return True


def _serve_one(link: socket.socket) -> int:
    """Answer one request; the exit code says whether another process shall follow."""
    try:
        engine = _Engine()
        request, _ = receive(link)
        try:
            rate, samples = engine.render(request)
        except _UnknownVoiceError:
            send(link, {"error": "voice"})
        except (RuntimeError, OSError, EOFError, wave.Error) as error:
            send(link, {"error": "engine", "message": f"{type(error).__name__}: {error}"})
        else:
            send(link, {"rate": rate}, samples)
    except (ConnectionLost, RuntimeError):
        return 1
    return 0


class _Engine:
    """One pyttsx3 engine, good for one text."""

    def __init__(self) -> None:
        import pyttsx3
        from pyttsx3.drivers import _espeak

        self._library = _espeak
        self._errors: list[BaseException] = []
        self._finished = threading.Event()
        self._engine = pyttsx3.init("espeak")
        self._engine.connect("error", lambda **event: self._errors.append(event["exception"]))
        self._engine.connect("finished-utterance", lambda **_: self._finished.set())
        self._drain()
        self._engine.runAndWait()  # an empty run: from here on properties are set at once
        self._drain()

    def render(self, request: dict[str, Any]) -> tuple[int, bytes]:
        """Hertz and mono 16-bit samples."""
        self._engine.setProperty("voice", request["voice"])
        # An unknown voice is not raised: it comes as the event that was connected above.
        if self._errors:
            raise _UnknownVoiceError
        for name in ("rate", "volume", "pitch"):
            self._engine.setProperty(name, request[name])
        self._drain()
        # A file in memory: pyttsx3 only writes to a path.
        sound = os.memfd_create("sound")
        path = f"/proc/self/fd/{sound}"
        self._finished.clear()
        self._engine.save_to_file(request["text"], path)
        self._engine.runAndWait()
        if not self._finished.wait(FINISH_LIMIT_S) or self._errors:
            raise RuntimeError(f"pyttsx3 did not finish {self._errors}")
        with wave.open(str(Path(path)), "rb") as file:
            return file.getframerate(), file.readframes(file.getnframes())

    def _drain(self) -> None:
        """Wait until the engine's command queue is empty: `runAndWait` discards its content."""
        deadline = time.monotonic() + DRAIN_LIMIT_S
        while self._library.IsPlaying():
            if time.monotonic() > deadline:
                raise RuntimeError("espeak-ng does not take commands")
            # Polled: the library has no event for an empty queue, which takes a millisecond or so.
            time.sleep(0.0005)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
