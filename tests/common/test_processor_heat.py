from __future__ import annotations

from pathlib import Path

from common.processor_heat import hottest_c


def _zone(folder: Path, number: int, kind: str, temperature: str) -> None:
    zone = folder / f"thermal_zone{number}"
    zone.mkdir()
    (zone / "type").write_text(kind + "\n")
    (zone / "temp").write_text(temperature + "\n")


def test_the_hottest_sensor_at_the_processor_counts(tmp_path: Path) -> None:
    for number, (kind, temperature) in enumerate(
        [("x86_pkg_temp", "61000"), ("acpitz", "48500"), ("iwlwifi_1", "99000"), ("TCPU", "rubbish")]
    ):
        _zone(tmp_path, number, kind, temperature)
    assert hottest_c(tmp_path) == 61.0


def test_a_machine_without_sensors_has_no_temperature(tmp_path: Path) -> None:
    assert hottest_c(tmp_path) is None
