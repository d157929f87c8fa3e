"""Faults of an MJPEG camera, and of its pictures."""

from __future__ import annotations

from dataclasses import replace

from tests.capture.cheap_cameras import cheap_bodies
from tests.faults.fault import Fault, Row, Told, any_of, danger, health
from tests.faults.world import World

LOST, PICTURE = health("camera", "lost"), health("picture")
NO_USE = any_of(LOST, PICTURE)


def camera(mode: str, told: Told | None, *, short: bool = False, limit_s: float = 5.0) -> Fault:
    def inject(world: World) -> None:
        world.camera.mode = mode

    def mend(world: World) -> None:
        world.camera.mode = ""

    return Fault(f"camera: {mode}", inject, mend, told, short, limit_s)


def _during(mode: str) -> Fault:
    """A danger is said while it lasts."""
    return replace(camera(mode, danger, limit_s=20.0), name=f"camera: danger at {mode}")


ROWS: tuple[Row, ...] = (
    Fault(
        "camera: its server dies, and comes back",
        lambda w: w.camera.shut(),
        lambda w: w.camera.open(),
        LOST,
        short=True,
    ),
    camera("stalls", LOST),
    camera("accepts, never answers", LOST, limit_s=8.0),
    camera("one byte a second", LOST, limit_s=8.0),
    camera("2 kB a second", any_of(LOST, health("picture", "slow")), limit_s=12.0),
    *(
        camera(answer, LOST)
        for answer in (
            "404", "401", "503", "redirect loop", "junk instead of HTTP", "a page instead of a stream",
            "a head without end",
        )
    ),
    camera("random bytes", NO_USE),
    camera("random parts", NO_USE),
    camera("empty pictures", NO_USE),
    camera("half pictures", health("picture", "broken"), short=True),
    camera("noise", health("picture", "noise"), short=True),
    camera("dark with noise", health("picture", "dark", "noise")),
    camera("black", health("picture", "dark")),
    camera("white", PICTURE),
    camera("covered", PICTURE),
    camera("blurred", health("picture", "blurred")),
    camera("frozen", health("picture", "frozen"), limit_s=8.0),
    camera("1 x 1 pixels", NO_USE),
    camera("641 x 7 pixels", None),
    camera("100 megapixels", NO_USE, limit_s=10.0),
    camera("a picture a second", health("picture", "slow"), limit_s=8.0),
    camera("a picture in 2 s", health("picture", "slow"), limit_s=10.0),
    camera("a picture in 3.5 s", health("picture", "slow"), limit_s=15.0),
    _during("a picture a second"),
    _during("a picture in 2 s"),
    camera("length too large", None),
    camera("length too small", None),
    camera("length negative", None),
    camera("ends after each picture", None),
    camera("hangs up each second", None),
    # In so small a picture the danger does not end between two rounds of the clip: it is said as a reminder,
    # of which the rarest come 8 times `remind_s` apart.
    camera("becomes small", danger, limit_s=25.0),
    camera("becomes gray", None),
    camera("becomes 1080p", danger, limit_s=10.0),
    camera("becomes PNG", None),
    *(
        camera(f"kind: {kind}", danger, limit_s=12.0)
        for kind in cheap_bodies([])
    ),
)  # fmt: skip
