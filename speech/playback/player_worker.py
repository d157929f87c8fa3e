"""The process that owns the loudspeaker: `python -m speech.playback.player_worker FD PARENT`.

The audio callback runs Python every 10 ms. Beside a busy detector it would wait for the interpreter's lock
and come too late; here it is alone. A driver that hangs or crashes takes only this process with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from common.framing import ConnectionLost, receive, send
from common.own_process import exit_with_parent, raise_priority
from speech.playback.base import OutputSettings, PlayerEvent
from speech.playback.sounddevice_player import SounddevicePlayer
from speech.sound.audio import Audio

# Well below the silence after which the parent takes us for hung.
BEAT_S = 0.25
HUNG = 3
"""Exit code when the device hangs."""


class _Link:
    """Our end of the socket; several threads send."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._lock = threading.Lock()

    def send_event(self, event: PlayerEvent) -> None:
        self.send({"event": type(event).__name__, **asdict(event)})

    def send(self, header: dict[str, Any]) -> None:
        with self._lock, contextlib.suppress(ConnectionLost):  # without a parent the reader ends us
            send(self._link, header)

    def receive(self) -> tuple[dict[str, Any], bytes]:
        return receive(self._link)


class _ToParent(logging.Handler):
    """Log records go where the parent's go."""

    def __init__(self, link: _Link) -> None:
        super().__init__()
        self._to = link

    def emit(self, record: logging.LogRecord) -> None:
        self._to.send({"event": "log", "level": record.levelno, "text": record.getMessage()})


def main(fd: int, parent: int) -> None:
    """Play the parent's sounds until it goes away."""
    exit_with_parent(parent)
    _silence_native_noise()
    raise_priority()
    link = _Link(socket.socket(fileno=fd))
    logging.getLogger().addHandler(_ToParent(link))
    try:
        start, _ = link.receive()
    # The program has ended before it needed a loudspeaker.
    except ConnectionLost:
        return
    fallback = Path(start["fallback"]) if start["fallback"] else None
    player = SounddevicePlayer(OutputSettings(**start["settings"]), link.send_event, fallback=fallback)
    threading.Thread(target=_beat, args=(player, link), daemon=True).start()
    with contextlib.suppress(ConnectionLost):
        while True:
            _execute(player, *link.receive())
    player.close()
    os._exit(0)  # a hanging driver must not keep us


def _execute(player: SounddevicePlayer, command: dict[str, Any], payload: bytes) -> None:
    audio = Audio(np.frombuffer(payload, np.int16).reshape(-1, 2), int(command["rate"]))
    match command["do"]:
        case "play":
            player.play(command["id"], audio, more=command["more"])
        case "append":
            player.append(command["id"], audio, more=command["more"])
        case "cut":
            player.cut(command["id"])


def _beat(player: SounddevicePlayer, link: _Link) -> None:
    """Say that we live, and how it goes; end the process when the device hangs."""
    pause = threading.Event()
    while player.alive:
        link.send(
            {
                "event": "beat",
                "losses": player.losses,
                "underruns": player.underruns,
                "dropped_events": player.dropped_events,
                "latency_s": player.latency_s,
            }
        )
        pause.wait(BEAT_S)
    os._exit(HUNG)


def _silence_native_noise() -> None:
    """Hide what PortAudio and ALSA write to the standard error. Python's own output is still shown."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
