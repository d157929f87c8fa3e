"""The circumstances of a measurement: cameras, heat, and daemons that run beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.processor_heat import hottest_c
from daemon.config.settings import defaults
from daemon.tune.figures import Conditions, DetectorFigures
from daemon.tune.measurement import HeatMeter, camera_kind, running_daemons
from daemon.tune.pairing import HOT_FPS
from daemon.tune.plan import decide
from tests.daemon.cli.test_commands import Told, short_folder

__all__ = ["short_folder"]
PATIENCE_S = 20.0


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("auto", "device"),
        ("0", "device"),
        ("/dev/v4l/by-id/usb-cam", "device"),
        ("rtsp://camera/1", "stream"),
        ("http://camera/video", "stream"),
        ("demo", "none"),
        ("walk.mp4", "none"),
    ],
)
def test_only_a_device_is_asked_for_a_size(source: str, kind: str) -> None:
    assert camera_kind(source) == kind


def test_the_highest_temperature_counts() -> None:
    temperatures = iter([61.0, 88.0, None, 70.0])
    read_all = threading.Event()

    def read() -> float | None:
        found = next(temperatures, None)
        if found == 70.0:
            read_all.set()
        return found

    with HeatMeter(read, every_s=0.01) as heat:
        assert read_all.wait(PATIENCE_S)
    assert heat.hottest_c == 88.0


def test_a_machine_that_gets_hot_by_its_own_sensors_is_planned_slower(tmp_path: Path) -> None:
    zone = tmp_path / "thermal_zone0"
    zone.mkdir()
    (zone / "type").write_text("x86_pkg_temp\n")
    detector = DetectorFigures(model="starter", device="CPU", ms=10.0, cpu_ms=20.0)
    rates = {}
    for millidegrees in (62_000, 93_000):
        (zone / "temp").write_text(f"{millidegrees}\n")
        with HeatMeter(lambda: hottest_c(tmp_path), every_s=0.01) as heat:
            pass
        on = Conditions(hottest_c=heat.hottest_c)
        rates[millidegrees] = decide([detector], [], on).value("pipeline.max_fps")
    assert rates == {62_000: "auto", 93_000: HOT_FPS}


def test_without_a_sensor_there_is_no_temperature() -> None:
    with HeatMeter(lambda: None, every_s=0.01) as heat:
        pass
    assert heat.hottest_c is None


@pytest.fixture
def daemons(short_folder: Path) -> Iterator[Path]:
    """Two instances that run, and the socket of one that was killed."""
    running = [Told(short_folder), Told(short_folder, "left")]
    folder = running[0].server.path.parent
    (folder / "killed.sock").touch()
    yield folder
    for one in running:
        one.close()


def test_every_instance_that_answers_is_found(daemons: Path, tmp_path: Path) -> None:
    settings = defaults({"HOME": str(tmp_path)})
    found = running_daemons(settings, {"XDG_RUNTIME_DIR": str(daemons.parent)})
    assert [path.name for path in found if path.parent == daemons] == ["left.sock", "watchword.sock"]
    assert list(running_daemons(settings, {"XDG_RUNTIME_DIR": str(tmp_path)})) == []
