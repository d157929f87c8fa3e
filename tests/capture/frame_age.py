"""How old a frame is when it is decoded, and when it has been assessed: a clock is burnt into each picture.

The figures hold everything from painting to decoding, so also the sender's encoder (for H.264 about one
picture, 40 ms; FFmpeg's RTSP reader adds another, since it ends a picture where the next one begins).

Decoded: the camera read by itself, as fast as it delivers. Assessed: the daemon's own reader, slot, detector
and watcher with the starter, each frame's age when the core has taken it in.

Run as `script/frame_age [--seconds N]`; prints the median and the 99th percentile for each kind of stream.

`script/frame_age --busy 0,2,4` compares the age that the daemon tells with the true one instead: a video
encoded beforehand with the number of each picture burnt in is sent by a process of its own at 30 pictures a
second, beside so many programs in sessions of their own that do nothing but compute. `--weight 300` gives
this process the share of the processor that the service's unit asks for (needs root).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
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
from tests.capture.processor_weight import leave_group, processor_weight
from tests.capture.servers import PAINTED_FPS, MjpegServer, Paint, Pusher, RtspServer, ffmpeg, free_port

_BITS = 32
_BLOCK = 16
"""Pixels a side: one macroblock, so that compression leaves it alone."""


SENT_FPS = 30
SETTLE_S = 3.0


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


@dataclass(frozen=True)
class ToldAges:
    """Of each assessed picture the true age and the age that its time of capture tells, in seconds."""

    true_s: tuple[float, ...]
    told_s: tuple[float, ...]
    over_s: float
    """Seconds from the first to the last."""

    def error_s(self) -> float:
        """The largest difference between them."""
        return max(abs(true - told) for true, told in zip(self.true_s, self.told_s, strict=True))


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
    ages: list[float] = []
    enough = threading.Event()

    def note(frame: Frame) -> None:
        value = read_back(frame.image)
        if value is not None:
            ages.append(float((clock_ms() - value) & 0xFFFFFFFF))
        if len(ages) >= frames:
            enough.set()

    began_s = time.monotonic()
    with watching(url, note) as watcher:
        if not enough.wait(longest_s):
            raise CameraLost(f"only {len(ages)} frames assessed in {longest_s:g} s")
    return Ages(tuple(ages), (watcher.first_assessed_at_s or time.monotonic()) - began_s)


def measure_told(url: str, sent_s: Mapping[int, float], seconds: float) -> ToldAges:
    """Watch a numbered stream for so long, as the daemon does but without a voice."""
    seen: list[tuple[float, int, float]] = []

    def note(frame: Frame) -> None:
        number = read_back(_strip(frame))
        if number is not None and number in sent_s:
            seen.append((time.monotonic(), number, frame.captured_at_s))

    with watching(url, note):
        time.sleep(SETTLE_S + seconds)
    if seen:
        # In its first seconds a stream works off the backlog of its start.
        seen = [each for each in seen if each[0] >= seen[0][0] + SETTLE_S]
    if not seen:
        raise CameraLost(f"nothing assessed in {seconds:g} s")
    return ToldAges(
        tuple(now - sent_s[number] for now, number, _ in seen),
        tuple(now - captured_s for now, _, captured_s in seen),
        seen[-1][0] - seen[0][0],
    )


def _strip(frame: Frame) -> Image:
    """The rows with the number, in the size they were sent: the daemon bounds large pictures."""
    width = frame.source_size[0]
    rows = round(2 * _BLOCK * frame.image.shape[1] / width)
    return np.asarray(cv2.resize(frame.image[:rows], (width, 2 * _BLOCK)), dtype=np.uint8)


@contextlib.contextmanager
def watching(url: str, note: Callable[[Frame], None]) -> Iterator[DetectionLoop]:
    """The daemon's reader, slot, detector and core at work; `note` gets each frame once it is assessed."""
    settings, clock = defaults(os.environ), time.monotonic
    detector = build_detector(settings)
    mind = CoreRunner(BlackBox(Core(detector.spec)), clock)
    mind.attach(lambda effect, timing: None)
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.NEWEST)

    class Looker(LatestFrame):
        def update(self, snapshot: FrameSnapshot) -> None:
            note(snapshot.frame)

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
    reader.start()
    thread.start()
    try:
        yield watcher
    finally:
        watcher.close()
        reader.stop()
        slot.close()
        thread.join(20)


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

    with _pushing(push, over):
        yield f"{url}?listen"


@contextlib.contextmanager
def _pushing(push: Callable[[], None], over: threading.Event) -> Iterator[None]:
    """Runs `push` in a thread until `over` is set at the end."""
    thread = threading.Thread(target=push, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(20)


def encode_numbered(path: Path, size: tuple[int, int], seconds: float, codec: str) -> None:
    """A video of 30 pictures a second whose pictures show their own number."""
    width, height = size
    scene = painter(width, height)
    command = f"-v error -f rawvideo -pix_fmt bgr24 -s {width}x{height} -r {SENT_FPS} -i pipe:0"
    h264 = "libx264 -preset veryfast -tune zerolatency -g 60 -b:v 8M -maxrate 8M -bufsize 8M -pix_fmt yuv420p"
    coder = h264 if codec == "h264" else "mjpeg -q:v 4 -pix_fmt yuvj420p"
    arguments = [ffmpeg(), *command.split(), "-c:v", *coder.split(), "-y", str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(round(SENT_FPS * seconds)):
            process.stdin.write(burn(scene(number), number).tobytes())
        process.stdin.close()
        assert process.wait(60) == 0


class StampedMjpegServer(MjpegServer):
    """Sends the JPEGs of a list at 30 a second, once, and notes when each was sent."""

    def __init__(self, pictures: Sequence[bytes], sent_s: dict[int, float]) -> None:
        self._pictures, self._sent_s = pictures, sent_s
        super().__init__()

    def _parts(self) -> Iterator[bytes]:
        begun_s = time.monotonic()
        for number, data in enumerate(self._pictures):
            time.sleep(max(0.0, begun_s + number / SENT_FPS - time.monotonic()))
            self._sent_s[number] = time.monotonic()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            yield head.encode() + data + b"\r\n"


@contextlib.contextmanager
def stamped(kind: str, video: Path, sent_s: dict[int, float]) -> Iterator[str]:
    """The address at which the daemon finds a numbered video; `sent_s` receives the time of each picture."""
    form = {"rtsp": "rtsp", "rtmp": "flv"}[kind]
    url = f"{kind}://127.0.0.1:{free_port()}/live/cam"
    over = threading.Event()

    def end(process: subprocess.Popen[str]) -> None:
        over.wait()
        process.kill()

    def push() -> None:
        while not over.wait(0.3):
            command = [sys.executable, "-m", "tests.capture.stamped_pusher", str(video), url, form]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as process:
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, process.pid, -15)  # the camera is another machine
                assert process.stdout is not None
                threading.Thread(target=end, args=(process,), daemon=True).start()
                for line in process.stdout:
                    number, at_s = line.split()
                    sent_s[int(number)] = float(at_s)
            if sent_s:
                return

    with _pushing(push, over):
        yield f"{url}?listen"


@contextlib.contextmanager
def busy(programs: int, *, weighted: bool) -> Iterator[None]:
    """Programs that do nothing but compute, each in a session of its own, as the scheduler counts them."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
        for _ in range(programs)
    ]
    try:
        for loop in loops if weighted else ():
            leave_group(loop.pid)
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


SOURCES: dict[str, Callable[[Paint], contextlib.AbstractContextManager[str]]] = {
    "mjpeg": mjpeg,
    "rtsp": rtsp,
    "rtmp": lambda paint: pushed(paint, "rtmp"),
    "rtsp pushed": lambda paint: pushed(paint, "rtsp"),
}


def print_told(size: tuple[int, int], seconds: float, loads: Sequence[int], *, weighted: bool) -> int:
    """A row for each kind of stream and number of busy programs, which stay outside of a weighted group."""
    out = sys.stdout.write
    out("source   size       busy  a second  true p50 s  p99 s  largest s  error of the age told s\n")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("mjpeg", "rtsp", "rtmp"):
            for programs in loads:
                with (
                    numbered_stream(kind, Path(folder), size, seconds + 15) as (url, sent_s),
                    busy(programs, weighted=weighted),
                ):
                    told = measure_told(url, sent_s, seconds)
                true_s = told.true_s
                figures = np.percentile(true_s, 50), np.percentile(true_s, 99), max(true_s), told.error_s()
                row = "{:>11.2f} {:>6.2f} {:>10.2f} {:>24.2f}".format(*figures)
                rate = len(told.true_s) / told.over_s
                out(f"{kind:<8} {size[0]}x{size[1]:<5} {programs:>4} {rate:>9.1f} {row}\n")
                sys.stdout.flush()
    return 0


@contextlib.contextmanager
def numbered_stream(
    kind: str, folder: Path, size: tuple[int, int], seconds: float
) -> Iterator[tuple[str, dict[int, float]]]:
    """The address of a numbered video, and the time at which each picture was sent, which fills meanwhile."""
    sent_s: dict[int, float] = {}
    video = folder / f"{kind == 'mjpeg'}.mkv"
    if not video.exists():
        encode_numbered(video, size, seconds, "mjpeg" if kind == "mjpeg" else "h264")
    if kind != "mjpeg":
        with stamped(kind, video, sent_s) as url:
            yield url, sent_s
        return
    with av.open(str(video)) as source:
        pictures = [bytes(packet) for packet in source.demux(video=0) if packet.size]
    with StampedMjpegServer(pictures, sent_s) as server:
        yield server.url, sent_s


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/frame_age", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each stream, at 25 pictures a second")
    parser.add_argument("--size", default="1280x720", help="of the pictures")
    parser.add_argument("--busy", help="numbers of programs that compute meanwhile, as 0,2,4: the age told")
    parser.add_argument("--weight", type=int, help="of this process, as CPUWeight= of a unit")
    options = parser.parse_args()
    with processor_weight(options.weight) if options.weight else contextlib.nullcontext():
        return _print(options)


def _print(options: argparse.Namespace) -> int:
    """The table that the options ask for."""
    width, height = map(int, options.size.split("x"))
    out = sys.stdout.write
    if options.busy:
        loads = [int(each) for each in options.busy.split(",")]
        return print_told((width, height), options.seconds, loads, weighted=options.weight is not None)
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
