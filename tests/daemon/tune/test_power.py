"""The power supply, read from made-up trees of /sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.tune.power import Power, read_power

Supply = dict[str, str]
AC_IN: Supply = {"type": "Mains", "online": "1"}
AC_OUT: Supply = {"type": "Mains", "online": "0"}
MOUSE: Supply = {"type": "Battery", "scope": "Device", "status": "Discharging", "capacity": "40"}


def battery(status: str, capacity: str = "71", **more: str) -> Supply:
    return {"type": "Battery", "status": status, "capacity": capacity, **more}


@pytest.mark.parametrize(
    ("supplies", "power"),
    [
        ((), Power()),
        ((AC_IN,), Power()),
        ((MOUSE,), Power()),
        ((MOUSE, AC_OUT), Power()),
        ((battery("Discharging"), AC_OUT), Power(True, True, 71)),
        ((battery("Discharging"),), Power(True, True, 71)),
        ((battery("Charging"), AC_IN), Power(True, False, 71)),
        ((battery("Full"),), Power(True, False, 71)),
        # A weak charger: the battery helps, but the plug is in.
        ((battery("Discharging"), AC_IN), Power(True, False, 71)),
        ((battery("Unknown"), AC_OUT), Power(True, True, 71)),
        ((battery("Discharging"), {"type": "USB", "online": "1"}), Power(True, False, 71)),
        ((battery("Discharging", "20"), battery("Full", "90"), AC_OUT), Power(True, True, 90)),
        ((battery("Discharging", "rubbish"), AC_OUT), Power(True, True, None)),
        ((battery("Unknown", present="0"), AC_OUT), Power()),
    ],
)
def test_the_supply_is_known_by_the_kernels_files(
    tmp_path: Path, supplies: tuple[Supply, ...], power: Power
) -> None:
    for number, supply in enumerate(supplies):
        (tmp_path / f"supply{number}").mkdir()
        for name, text in supply.items():
            (tmp_path / f"supply{number}" / name).write_text(text + "\n")
    assert read_power(tmp_path) == power


def test_a_machine_without_the_folder_has_no_battery(tmp_path: Path) -> None:
    assert read_power(tmp_path / "missing") == Power()
