"""The units, as systemd itself judges them, and what must not get lost from them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
SYSTEM = ("watchword.service", "watchword@.service")
MOST_EXPOSURE = 2.0
WEB = "watchword-web.service"
MOST_EXPOSURE_OF_THE_WEB = 1.4

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs Debian's package systemd"
)


def _unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Sections, keys, and the values in order: a key may stand several times."""
    unit: dict[str, dict[str, list[str]]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = unit.setdefault(header[1], {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return unit


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine on which it is installed."""
    subprocess.run(
        [ROOT / "script/install", "--with", "web"],
        env={**os.environ, "DESTDIR": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    program = tmp_path / "opt/watchword/bin/watchword"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("unit", ["watchword.service", "watchword@left.service", "watchword-web.service"])
def test_systemd_finds_no_fault(root: Path, unit: str) -> None:
    result = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", unit], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", ["watchword.service", "watchword-web.service"])
def test_systemd_finds_no_fault_in_the_users_unit(tmp_path: Path, unit: str) -> None:
    program = tmp_path / ".local/opt/watchword/bin/watchword"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    result = subprocess.run(
        ["systemd-analyze", "verify", "--user", UNITS / "user" / unit],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    # Where no user's manager ever ran, systemd misses a folder of its own; that is no fault of the unit.
    faults = [line for line in result.stderr.splitlines() if line.startswith("watchword")]
    assert (result.returncode, faults) == (0, [])


@needs_systemd
@pytest.mark.parametrize(
    ("name", "most"), [*((name, MOST_EXPOSURE) for name in SYSTEM), (WEB, MOST_EXPOSURE_OF_THE_WEB)]
)
def test_the_service_is_locked_away(name: str, most: float) -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", UNITS / name],
        capture_output=True,
        text=True,
        timeout=60,
    )
    level = re.search(r"exposure level for .*: ([0-9.]+)", result.stdout)
    assert level, result.stderr
    assert float(level[1]) <= most


def test_the_web_has_no_devices_and_reaches_nobody_but_this_machine() -> None:
    service = _unit(WEB)["Service"]
    assert service["PrivateDevices"] == ["yes"] and "DeviceAllow" not in service
    assert service["IPAddressDeny"] == ["any"] and service["IPAddressAllow"] == ["localhost"]
    assert service["DynamicUser"] == ["yes"] and service["CPUSchedulingPolicy"] == ["idle"]
    assert service["Type"] == ["notify"] and service["RestartPreventExitStatus"] == ["78"]


def test_the_web_may_talk_to_the_daemon() -> None:
    beside = _unit("watchword.service.d/web.conf")["Service"]
    (group,) = _unit(WEB)["Service"]["Group"]
    assert beside["SupplementaryGroups"] == [group]
    assert beside["Environment"] == [f"WATCHWORD_CONTROL__GROUP={group}"]
    users = (UNITS / "sysusers.d/watchword-web.conf").read_text()
    assert f"g {group} -" in users and f"m watchword {group}" in users


@pytest.mark.parametrize("name", SYSTEM)
def test_what_openvino_and_the_devices_need_is_left_open(name: str) -> None:
    service = _unit(name)["Service"]
    assert not {"MemoryDenyWriteExecute", "ProcSubset", "PrivateDevices", "PrivateUsers"} & service.keys()
    assert service["DeviceAllow"] == [
        f"char-{kind} rw" for kind in ("video4linux", "drm", "accel", "alsa", "input")
    ]
    assert service["SupplementaryGroups"] == ["video audio render input"]


@pytest.mark.parametrize("name", [*SYSTEM, "user/watchword.service"])
def test_it_is_watched_and_started_again_unless_misconfigured(name: str) -> None:
    unit = _unit(name)
    service = unit["Service"]
    assert service["Type"] == ["notify"]
    assert service["WatchdogSec"] == ["30"]
    assert service["Restart"] == ["always"]
    assert service["RestartPreventExitStatus"] == ["78"]
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert all(key in service for key in ("NoNewPrivileges", "SystemCallFilter", "ExecReload"))


def test_an_instance_differs_only_in_whose_it_is() -> None:
    one, many = (_unit(name)["Service"] for name in SYSTEM)
    differing = {key for key in one.keys() | many.keys() if one.get(key) != many.get(key)}
    assert differing == {"ExecStart", "StateDirectory", "CacheDirectory", "WorkingDirectory", "Environment"}
    assert "WATCHWORD_CONTROL__INSTANCE=%i" in " ".join(many["Environment"])
    assert one["RuntimeDirectory"] == many["RuntimeDirectory"] == ["watchword"]
    assert one["RuntimeDirectoryPreserve"] == ["yes"]


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="needs Debian's package systemd")
def test_the_user_and_the_groups_that_the_unit_names_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    conf = tmp_path / "watchword.conf"
    shutil.copy(UNITS / "sysusers.d/watchword.conf", conf)
    subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", conf], check=True, capture_output=True, timeout=60
    )
    service = _unit("watchword.service")["Service"]
    (user,) = (tmp_path / "etc/passwd").read_text().splitlines()
    assert user.startswith(f"{service['User'][0]}:") and user.endswith(":/usr/sbin/nologin")
    groups = {line.split(":")[0]: line for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert service["Group"][0] in groups
    for name in service["SupplementaryGroups"][0].split():
        assert groups[name].endswith(":watchword")


def test_udev_rules_are_well_formed() -> None:
    text = (UNITS / "udev/70-watchword.rules").read_text()
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    clause = r'[A-Z]+(\{[\w/]+\})?(==|!=|=|\+=)"[^"]*"'
    assert rules
    for rule in rules:
        assert re.fullmatch(rf"{clause}(, {clause})*", rule), rule
    assert 'GOTO="watchword_end"' in rules[0] and rules[-1] == 'LABEL="watchword_end"'
