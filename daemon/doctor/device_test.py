"""The doctor's tests of devices, each run in a child process: `python -m daemon.doctor.device_test`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping

from capture.factory import open_camera
from capture.frame import Frame
from capture.reader import Reader
from capture.slot import LatestSlot, SlotPolicy
from capture.test_image import draw_test_image
from common.redact import redact
from daemon.config.settings import Settings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.doctor.isolated import DeviceTest, DeviceTestFailed, Facts, serve
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.engine import CoreRunner
from daemon.runtime.metrics import Metrics
from daemon.wiring.detector import build_detector
from daemon.wiring.models import load_model, precision_of
from daemon.wiring.sources import choose_source, source_path
from daemon.wiring.store import open_store
from speech.synthesis.base import SpeechRequest
from speech.synthesis.espeak import EspeakSynthesizer
from speech.synthesis.piper import PiperSynthesizer
from speech.synthesis.with_deadline import voice_folder

WARM_S, RATE_S = 1.5, 5.0
"""Seconds of warming up, which do not count, and of measuring."""
END_S = 10.0


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
        "precision": precision_of(model),
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


TESTS: Mapping[str, DeviceTest] = {
    "model": _model,
    "voice": _voice,
    "natural": _natural,
    "loudspeaker": _loudspeaker,
    "camera": _camera,
    "rate": _rate,
}


if __name__ == "__main__":
    sys.exit(serve(TESTS))
