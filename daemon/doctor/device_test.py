"""Tests a device in a child process, so that a driver that hangs or crashes takes nothing with it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from capture.factory import open_camera
from capture.frame import Frame
from capture.reader import Reader
from capture.slot import LatestSlot, SlotPolicy
from capture.test_image import draw_test_image
from common.errors import WatchwordError
from common.redact import redact
from daemon.config.settings import Settings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.engine import CoreRunner
from daemon.runtime.metrics import Metrics
from daemon.wiring.detector import build_detector
from daemon.wiring.models import load_model
from daemon.wiring.sources import choose_source, source_path
from daemon.wiring.store import open_store
from speech.synthesis.base import SpeechRequest
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.piper import PiperSynthesizer
from speech.synthesis.with_deadline import voice_folder

WARM_S, RATE_S = 1.5, 5.0
"""Seconds of warming up, which do not count, and of measuring."""
END_S = 10.0

Facts = Mapping[str, Any]
"""The results of a device test, as plain values."""


class DeviceTestFailed(WatchwordError):
    """The device fails; the message is the last line of its output."""


def run_isolated(name: str, settings: Settings, timeout_s: float = 60.0) -> Facts:
    """Run one of `TRIALS` in a child. Raises DeviceTestFailed."""
    try:
        # The settings go through a pipe: they may hold credentials, and arguments are visible to every user.
        child = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "daemon.doctor.device_test", name],
            input=settings.model_dump_json(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeviceTestFailed(f"no answer within {timeout_s:g} s") from None
    if child.returncode:
        # The last line: drivers and libraries write their own messages before it.
        said = child.stderr.strip().splitlines() or [f"ended with code {child.returncode}"]
        raise DeviceTestFailed(said[-1])
    # The last line for the same reason: some libraries print to stdout.
    facts: Facts = json.loads(child.stdout.splitlines()[-1])
    return facts


def _model(settings: Settings) -> Facts:
    picture = draw_test_image()
    model = load_model(settings)
    # The first call compiles kernels and allocates; it would spoil the mean of the ten.
    model.encode(picture)
    start = time.perf_counter()
    encoding = [model.encode(picture) for _ in range(10)][-1]
    took_s = time.perf_counter() - start
    return {
        "model": model.name,
        "device": model.device,
        "ms": took_s * 100,
        "embedding": [float(value) for value in encoding.embedding],
    }


def _voice(settings: Settings) -> Facts:
    speech = settings.speech
    voice = None if speech.voice == "auto" else speech.voice
    text = {"en": "Ready.", "ko": "준비됐습니다."}[speech.language]
    request = SpeechRequest(text, speech.language, speech.rate_wpm, speech.volume, speech.pitch, voice)
    with EspeakSynthesizer(speech) as synthesizer:
        sound = list(synthesizer.stream(request))
        return {"engine": synthesizer.name, "seconds": sum(part.duration_s for part in sound)}


def _natural(settings: Settings) -> Facts:
    voice = PiperSynthesizer(settings.speech, voice_folder(settings.speech, open_store(settings).path))
    try:
        voice.load()
        return {"name": voice.name, "language": voice.language}
    finally:
        voice.close()


def _loudspeaker(settings: Settings) -> Facts:
    # Here and not above: the import fails without PortAudio, and that is a finding of its own.
    import sounddevice

    chosen = settings.speech.device
    # sounddevice takes an index as int, a name as str and the default as None.
    device = int(chosen) if chosen.isdigit() else None if chosen == "default" else chosen
    # PortAudio reports "no device" as -1.
    if device is None and sounddevice.default.device[1] < 0:
        raise DeviceTestFailed("there is none")
    found = sounddevice.query_devices(device, "output")
    sounddevice.check_output_settings(
        device, channels=2, dtype="int16", samplerate=settings.speech.sample_rate
    )
    return {"device": found["name"]}


def _camera(settings: Settings) -> Facts:
    source = source_path(settings, choose_source(settings))
    camera = open_camera(source, settings.capture)
    try:
        # Opening is not enough: some cameras open and never deliver.
        frame = camera.read()
    finally:
        camera.close()
    if frame is None:
        raise DeviceTestFailed("it delivers no picture")
    return {"source": camera.source, "width": frame.source_size[0], "height": frame.source_size[1]}


def _rate(settings: Settings) -> Facts:
    """Frames from the source through the detector, as the daemon takes them, for some seconds."""
    detector = build_detector(settings)
    source = source_path(settings, choose_source(settings))
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.NEWEST)
    # Looped: a clip may be shorter than the measurement.
    capture = settings.capture.model_copy(update={"loop": True})
    reader = Reader(lambda: open_camera(source, capture), slot, capture, lambda _: None)
    runner = CoreRunner(BlackBox(Core(detector.spec)), time.monotonic)
    runner.attach(lambda _effect, _timing: None)
    detection_loop = DetectionLoop(
        slot, detector.detector, runner, Metrics(), time.monotonic, lambda: None, settings.health.late_s
    )
    thread = threading.Thread(target=detection_loop.run, name="watch", daemon=True)
    reader.start()
    thread.start()
    # Two readings: frames during the warm-up of models and buffers do not count.
    try:
        first = _figures(reader, detection_loop, slot, WARM_S)
        last = _figures(reader, detection_loop, slot, RATE_S)
    finally:
        detection_loop.close()
        reader.stop()
        # Joined: a model that is taken down while it computes crashes the process.
        thread.join(END_S)
    frames, assessed, skipped = (b - a for a, b in zip(first, last, strict=True))
    reason = reader.event.reason
    return {
        "source": redact(source),
        "frames": frames,
        "skipped": skipped,
        "fps": assessed / RATE_S,
        "reason": reason,
    }


def _figures(
    reader: Reader, detection_loop: DetectionLoop, slot: LatestSlot[Frame], after_s: float
) -> tuple[int, int, int]:
    time.sleep(after_s)
    return reader.frames, detection_loop.assessed, slot.skipped


TRIALS: Mapping[str, Callable[[Settings], Facts]] = {
    "model": _model,
    "voice": _voice,
    "natural": _natural,
    "loudspeaker": _loudspeaker,
    "camera": _camera,
    "rate": _rate,
}


def main() -> int:
    """The child: settings as JSON on stdin, one JSON line on stdout, the error last on stderr."""
    settings = Settings.model_validate_json(sys.stdin.read())
    try:
        facts = TRIALS[sys.argv[1]](settings)
    # Any exception of a driver is the result of the test.
    except Exception as error:
        sys.stderr.write(f"{str(error) or type(error).__name__}\n")
        return 1
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
