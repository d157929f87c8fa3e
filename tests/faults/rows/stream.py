"""Faults of a camera that pushes RTSP or RTMP."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

from tests.faults.fault import Check, Fault, Row, Told, any_of, danger, health, nothing
from tests.faults.world import World

Step = Callable[[World], None]
LOST = any_of(health("camera", "lost"), health("picture"))


def _rubbish(world: World, data: bytes, seconds: float) -> None:
    """Push something else in the camera's place."""
    world.pusher.stop()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        try:
            with socket.create_connection(("127.0.0.1", world.pusher.port), 1) as link:
                link.sendall(data)
                time.sleep(0.3)
        except OSError:
            time.sleep(0.3)


def _half_a_request(world: World) -> None:
    world.pusher.stop()
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        try:
            world.link = socket.create_connection(("127.0.0.1", world.pusher.port), 1)
        except OSError:
            time.sleep(0.2)
        else:
            world.link.sendall(b"ANNOUNCE rtsp://127.0.0.1/live/cam RTS")
            return


def _let_go(world: World) -> None:
    world.link.close()
    world.pusher.start()


def _nobody_at_the_start(world: World) -> str:
    world.pusher.stop()
    world.living.process.kill()
    world.living.process.wait(10)
    after = world.living.heard
    world.living.start()
    told = world.await_told(health("camera", "lost"), after, 40)
    assert told is not None, "not told"
    world.pusher.start()
    assert world.await_danger(40) is not None, "no danger was said after the camera came"
    return f"told: {told}; then the camera came"


def rows(stage: str) -> tuple[Row, ...]:
    """Those of one way of pushing."""

    def fault(
        name: str, inject: Step, mend: Step, told: Told | None = LOST, *, limit_s: float = 14.0
    ) -> Fault:
        return Fault(f"{stage}: {name}", inject, mend, told, limit_s=limit_s, stage=stage)

    return (
        fault("pusher killed, and back", lambda w: w.pusher.stop(), lambda w: w.pusher.start()),
        fault(
            "pusher stopped",
            lambda w: w.pusher.signal(signal.SIGSTOP),
            lambda w: w.pusher.signal(signal.SIGCONT),
        ),
        fault(
            "random bytes pushed", lambda w: _rubbish(w, os.urandom(20_000), 6), lambda w: w.pusher.start()
        ),
        fault("half a request, and stays", _half_a_request, _let_go),
        fault(
            "another resolution",
            lambda w: w.pusher.start("320x180"),
            lambda w: w.pusher.start(),
            danger,
            limit_s=20.0,
        ),
        fault("connection cut each second", lambda w: w.pusher.cut(4), nothing, None),
        Check(f"{stage}: nobody pushes at the start", _nobody_at_the_start, stage=stage),
    )


ROWS: tuple[Row, ...] = (*rows("rtsp"), *rows("rtmp"))
