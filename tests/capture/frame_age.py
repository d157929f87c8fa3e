"""How old a frame is when it is decoded, and when it has been assessed: a clock is burnt into each picture.

The figures hold everything from painting to decoding, so also the sender's encoder (for H.264 about one
picture, 40 ms; FFmpeg's RTSP reader adds another, since it ends a picture where the next one begins).

Decoded: the camera read by itself, as fast as it delivers. Assessed: the daemon's own reader, slot, detector
and watcher with the starter, each frame's age when the core has taken it in.

Run as `script/frame_age [--seconds N]`; prints the median and the 99th percentile for each kind of stream.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from capture.camera import CameraLost
from capture.factory import open_camera
from capture.frame import Frame, Image
from capture.reader import Reader
from capture.settings import CaptureSettings
from capture.slot import LatestSlot, SlotPolicy
from capture.stream.camera import StreamCamera
from daemon.config.settings import defaults
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.engine import CoreRunner
from daemon.runtime.latest_frame import FrameSnapshot, LatestFrame
from daemon.runtime.metrics import Metrics
from daemon.wiring.detector import build_detector
from tests.capture.servers import PAINTED_FPS, MjpegServer, Paint, Pusher, RtspServer, free_port

_BITS = 32
_BLOCK = 16
"""Pixels a side: one macroblock, so that compression leaves it alone."""


def clock_ms() -> int:
    return int(time.monotonic() * 1000) & 0xFFFFFFFF


def burn(image: Image, value: int) -> Image:
    """Write 32 bits as a row of black and white blocks, and their opposites below."""
    bits = np.array([value >> i & 1 for i in range(_BITS)], np.uint8) * 255
    rows = np.stack([bits, 255 - bits]).repeat(_BLOCK, 0).repeat(_BLOCK, 1)
    image[: 2 * _BLOCK, : _BITS * _BLOCK] = rows[:, :, None]
    return image


def read_back(image: Image) -> int | None:
    """What `burn` wrote; None where it has become illegible."""
    grey = image[: 2 * _BLOCK, : _BITS * _BLOCK].mean(axis=2)
    blocks = grey.reshape(2, _BLOCK, _BITS, _BLOCK).mean(axis=(1, 3))
    if np.abs(blocks[0] - blocks[1]).min() < 60:
        return None
    return sum(1 << i for i in range(_BITS) if blocks[0, i] > blocks[1, i])


def painter(width: int = 1280, height: int = 720) -> Paint:
    """Pictures with something moving and the clock of the moment they are painted."""
    noise = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    scene = np.asarray(cv2.resize(noise, (width, height)), dtype=np.uint8)

    def paint(index: int) -> Image:
        return burn(np.roll(scene, 4 * index, axis=1), clock_ms())

    return paint


@dataclass(frozen=True)
class Ages:
    """Milliseconds from painting a picture to having it decoded, in the order of arrival."""

    ms: tuple[float, ...]
    first_s: float
    """Seconds from beginning to open to the first picture."""

    def percentile(self, share: float) -> float:
        """Of the settled stream: without its first second, in which a small backlog is worked off."""
        return float(np.percentile(self.ms[25:] or self.ms, share))


def measure_ages(url: str, frames: int) -> Ages:
    """Read a stream that shows the clock."""
    began_s = time.monotonic()
    camera = StreamCamera(url, CaptureSettings(max_side=7680))
    ages: list[float] = []
    first_s = 0.0
    with contextlib.closing(camera):
        while len(ages) < frames:
            frame = camera.read()
            assert frame is not None
            first_s = first_s or time.monotonic() - began_s
            value = read_back(frame.image)
            if value is not None:
                ages.append(float((int(frame.captured_at_s * 1000) - value) & 0xFFFFFFFF))
    return Ages(tuple(ages), first_s)


def measure_assessed(url: str, frames: int, longest_s: float = 60.0) -> Ages:
    """Watch a stream that shows the clock, as the daemon does but without a voice."""
    settings, clock = defaults(os.environ), time.monotonic
    detector = build_detector(settings)
    mind = CoreRunner(BlackBox(Core(detector.spec)), clock)
    mind.attach(lambda effect, timing: None)
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.NEWEST)
    ages: list[float] = []
    enough = threading.Event()

    class Looker(LatestFrame):
        def update(self, snapshot: FrameSnapshot) -> None:
            value = read_back(snapshot.frame.image)
            if value is not None:
                ages.append(float((clock_ms() - value) & 0xFFFFFFFF))
            if len(ages) >= frames:
                enough.set()

    reader = Reader(lambda: open_camera(url, settings.capture), slot, settings.capture, lambda event: None)
    watcher = DetectionLoop(
        slot,
        detector.detector,
        mind,
        Metrics(),
        clock,
        lambda: None,
        settings.health.late_s,
        latest_frame=Looker(),
    )
    thread = threading.Thread(target=watcher.run, daemon=True)
    began_s = clock()
    reader.start()
    thread.start()
    try:
        if not enough.wait(longest_s):
            raise CameraLost(f"only {len(ages)} frames assessed in {longest_s:g} s")
    finally:
        watcher.close()
        reader.stop()
        slot.close()
        thread.join(20)
    return Ages(tuple(ages), (watcher.first_assessed_at_s or clock()) - began_s)


@contextlib.contextmanager
def mjpeg(paint: Paint) -> Iterator[str]:
    with MjpegServer(paint, fps=PAINTED_FPS) as server:
        yield server.url


@contextlib.contextmanager
def rtsp(paint: Paint) -> Iterator[str]:
    with RtspServer(paint) as server:
        yield server.url


@contextlib.contextmanager
def pushed(paint: Paint, scheme: str) -> Iterator[str]:
    """A camera that pushes to us, and tries until somebody listens."""
    url = f"{scheme}://127.0.0.1:{free_port()}/live/cam"
    output = ("-f", "flv") if scheme == "rtmp" else ("-f", "rtsp", "-rtsp_transport", "tcp")
    over = threading.Event()

    def push() -> None:
        while not over.wait(0.3):
            with Pusher(*output, url, paint=paint) as pusher:
                while pusher.running and not over.wait(0.1):
                    pass

    thread = threading.Thread(target=push, daemon=True)
    thread.start()
    try:
        yield f"{url}?listen"
    finally:
        over.set()
        thread.join(20)


SOURCES: dict[str, Callable[[Paint], contextlib.AbstractContextManager[str]]] = {
    "mjpeg": mjpeg,
    "rtsp": rtsp,
    "rtmp": lambda paint: pushed(paint, "rtmp"),
    "rtsp pushed": lambda paint: pushed(paint, "rtsp"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/frame_age", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each stream, at 25 pictures a second")
    parser.add_argument("--size", default="1280x720", help="of the pictures")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    out = sys.stdout.write
    out("source       age when  frames   p50 ms   p99 ms first ms seen after s\n")
    for name, source in SOURCES.items():
        for moment, measure in (("decoded", measure_ages), ("assessed", measure_assessed)):
            with source(painter(width, height)) as url:
                try:
                    ages = measure(url, round(25 * options.seconds))
                except CameraLost as error:
                    out(f"{name:<12} {moment:<9} {error}\n")
                    continue
            figures = ages.percentile(50), ages.percentile(99), ages.ms[0]
            row = " ".join(f"{figure:>8.1f}" for figure in figures)
            out(f"{name:<12} {moment:<9} {len(ages.ms):>6} {row} {ages.first_s:>12.2f}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
