"""Measures everything that a plan needs, and the influences that falsify it: other programs and heat."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.addresses import is_address
from common.processor_heat import hottest_c
from daemon.bench.quietness import LoadMeter
from daemon.config.settings import Settings
from daemon.control.client import ControlClient, NotRunning
from daemon.control.paths import SUFFIX, client_sockets, state_socket
from daemon.errors import CommandError
from daemon.tune.describers import find_describer, measure_describers
from daemon.tune.detectors import Machine, Note, look, measure_decoding, measure_detectors
from daemon.tune.figures import CameraKind, Conditions, DescriberFigures, DetectorFigures
from daemon.tune.power import Power, read_power

PowerChoice = Literal["auto", "mains", "battery"]
"""The supply to plan for; `auto` the present one."""
USUAL_FPS = 30.0
"""Pictures a second of a camera that is not asked for a rate."""
_CONNECT_S = 1.0
_HEAT_EVERY_S = 0.5
_JOIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures and circumstances of one run."""

    machine: Machine
    detectors: tuple[DetectorFigures, ...]
    describers: tuple[DescriberFigures, ...]
    no_describer: str
    """Why no describer was measured; empty if one was."""
    conditions: Conditions
    power: Power
    others_share: float
    """Share of the processors that other programs used, 0 to 1."""


def measure(settings: Settings, choice: PowerChoice, note: Note, power: Power | None = None) -> Measurement:
    """Measure for a minute or more. `note` is told each step. A device that fails costs only its row."""
    power, load, cores = power or read_power(), LoadMeter(), len(os.sched_getaffinity(0))
    with HeatMeter() as heat:
        note("looking for devices")
        machine = look(settings)
        detectors = tuple(measure_detectors(settings, machine, cores, note))
        found = find_describer(settings, tuple(machine.devices))
        describers = tuple(measure_describers(settings, found, note))
        note("decoding pictures")
        sizes = measure_decoding(settings)
    capture = settings.capture
    conditions = Conditions(
        cores=cores,
        battery=power.on_battery if choice == "auto" else choice == "battery",
        hottest_c=heat.hottest_c,
        camera=camera_kind(capture.source),
        camera_fps=capture.device_fps or USUAL_FPS,
        camera_size=(capture.device_width, capture.device_height),
        sizes=sizes,
        deadline_s=settings.describe.deadline_s,
        model_setting=settings.pipeline.model,
        image_side=settings.describe.image_side,
    )
    return Measurement(machine, detectors, describers, found.why_not, conditions, power, load.share())


def camera_kind(source: str) -> CameraKind:
    """The kind of `capture.source`; `auto` is a camera device, now or later."""
    if is_address(source):
        return "stream"
    return "device" if source == "auto" or source.isdecimal() or source.startswith("/dev/") else "none"


class HeatMeter:
    """Keeps the highest temperature of the processor within the block: at rest it falls within a second."""

    def __init__(self, read: Callable[[], float | None] = hottest_c, every_s: float = _HEAT_EVERY_S) -> None:
        self.hottest_c: float | None = None
        self._read = read
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heat", daemon=True)

    def __enter__(self) -> HeatMeter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while True:
            celsius = self._read()
            if celsius is not None:
                self.hottest_c = max(celsius, self.hottest_c or celsius)
            if self._over.wait(self._every_s):
                return


def running_daemons(settings: Settings, env: Mapping[str, str]) -> Iterator[Path]:
    """The sockets of all daemons on this machine that answer, whatever their instance.

    Each of them would be slowed down by a measurement, and would falsify it.
    """
    own = (*client_sockets(env), state_socket(settings.paths.state))
    folders = dict.fromkeys(path.parent for path in own)
    for path in sorted({path for folder in folders for path in folder.glob(f"*{SUFFIX}")}):
        try:
            ControlClient(path, _CONNECT_S).close()
        # A daemon that was killed leaves its socket behind.
        except NotRunning:
            continue
        # One that may not be asked, or does not answer in time, runs all the same.
        except CommandError:
            pass
        yield path
