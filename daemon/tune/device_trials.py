"""The measurements that `watchword tune` runs in a child process: `python -m daemon.tune.device_trials`.

A driver may hang or crash at any of these lines; the parent then loses one row of its table.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

from capture.frame import Image
from capture.test_image import draw_test_image
from daemon.config.settings import Settings
from daemon.doctor.isolated import DeviceTest, Facts, serve
from daemon.wiring.detector import build_detector
from daemon.wiring.models import candidates, load_model, measure_trial, precision_of
from daemon.wiring.store import open_calibrations, open_store
from pipeline.models.loader import AUTO, STARTER
from pipeline.models.precision import Precision
from pipeline.store.errors import StoreError

MEASURED_S, MOST = 2.0, 200
"""Seconds for which pictures are encoded, and pictures at most."""
WARM = 5
"""Pictures that are not counted: the first ones allocate memory and raise the processor's clock."""
CAMERA_SIZES = ((640, 480), (1280, 720))
_JPEG_QUALITY = 85


def _devices(settings: Settings) -> Facts:
    """The devices of OpenVINO, and the models to measure with their precisions, preferred models first."""
    import openvino as ov

    core = ov.Core()
    devices = {name: str(core.get_property(name, "FULL_DEVICE_NAME")) for name in core.available_devices}
    return {
        "devices": devices,
        "models": {name: _precisions(core, settings, name) for name in _models(settings)},
    }


def _models(settings: Settings) -> Iterator[str]:
    if settings.pipeline.model == AUTO:
        yield from candidates(open_store(settings), open_calibrations(settings))
    elif settings.pipeline.model != STARTER:
        yield settings.pipeline.model
    # Always last: it runs if nothing else is fast enough.
    yield STARTER


def _precisions(core: Any, settings: Settings, name: str) -> list[str]:
    """The precisions of a model on the CPU; `auto` if it has only one."""
    # Imported late: with the starter alone, nothing of open_clip is loaded.
    from pipeline.models.openclip.model_config import ModelUnusableError, read_model_config
    from pipeline.models.openclip.precision import available

    try:
        if open_store(settings).manifest(name).conversion is None:
            return _starter_precisions(settings)
        return [str(one) for one in available(core, read_model_config(open_store(settings).path(name)))]
    # Its row will say what is wrong with it.
    except (StoreError, ModelUnusableError):
        return [AUTO]


def _starter_precisions(settings: Settings) -> list[str]:
    """32 bits, the reference for other devices; then 8 bits if they are right and faster here."""
    from pipeline.models.starter.precision import load_on_cpu

    folder, cache = open_store(settings).path(STARTER), settings.paths.cache
    chosen = load_on_cpu(folder, settings.pipeline.threads, cache).precision
    return [str(one) for one in dict.fromkeys((Precision.F32, chosen))]


def _speed(settings: Settings) -> Facts:
    """The model of the settings as the daemon would run it: its speed, and its answers to golden pictures."""
    warnings = _Warnings()
    logging.getLogger().addHandler(warnings)
    began_s = time.perf_counter()
    model = load_model(settings)
    load_s = time.perf_counter() - began_s
    encodings = [model.encode(picture) for picture in golden_pictures()]
    outdated = build_detector(settings, model).outdated
    parts = {"calibration": outdated.calibration, "heads": outdated.heads}
    return {
        "device": model.device,
        "precision": precision_of(model),
        "load_s": load_s,
        "embeddings": [one.embedding.tolist() for one in encodings],
        "outdated": [*(name for name, is_old in parts.items() if is_old), *outdated.lessons],
        "warnings": warnings.lines,
        **_timed(model.encode),
    }


def _judged(settings: Settings) -> Facts:
    """Why `auto` turns the model of the settings down on this device; empty if it does not."""
    name = settings.pipeline.model
    if name == STARTER:
        return {"turned_down": ""}
    trial, _ = measure_trial(settings, name)
    return {"turned_down": trial.turned_down(measured=open_calibrations(settings).known(name))}


class _Warnings(logging.Handler):
    """Keeps warnings: the loader logs why it leaves a device."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def golden_pictures() -> tuple[Image, ...]:
    """Three different pictures: a single one could agree by chance."""
    picture = draw_test_image()
    return picture, np.ascontiguousarray(picture[::-1]), np.ascontiguousarray(picture[:, ::-1] // 2)


def _timed(encode: Callable[[Image], object]) -> Facts:
    """Times of 720p pictures, one after the other."""
    picture = draw_test_image(1280, 720)
    for _ in range(WARM):
        encode(picture)
    times_ms: list[float] = []
    cpu_s, until_s = time.process_time(), time.perf_counter() + MEASURED_S
    while len(times_ms) < MOST and time.perf_counter() < until_s:
        began_s = time.perf_counter()
        encode(picture)
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return {
        "ms": statistics.median(times_ms),
        "p95_ms": float(np.percentile(times_ms, 95)),
        "cpu_ms": (time.process_time() - cpu_s) * 1000 / len(times_ms),
    }


def _decoding(settings: Settings) -> Facts:
    """Median time to decode a JPEG picture of each size, as a camera device sends them."""
    present = settings.capture.device_width, settings.capture.device_height
    sizes = dict.fromkeys((*CAMERA_SIZES, *([present] if all(present) else [])))
    return {"sizes": [[width, height, _decode_ms(width, height)] for width, height in sizes]}


def _decode_ms(width: int, height: int) -> float:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    jpeg = cv2.imencode(".jpg", draw_test_image(width, height), quality)[1]
    times_ms = []
    for _ in range(WARM + 20):
        began_s = time.perf_counter()
        cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(times_ms[WARM:])


TRIALS: dict[str, DeviceTest] = {
    "devices": _devices,
    "speed": _speed,
    "judged": _judged,
    "decoding": _decoding,
}

if __name__ == "__main__":
    sys.exit(serve(TRIALS))
