"""Commands about the system service act as its user, on its folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.process.service_account import Account, act_as_service, service_config, service_environment

ACCOUNT = Account("watchword", 991, 990)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the service's configuration; the test runs where no other is found."""
    folder = tmp_path / "etc"
    folder.mkdir()
    for name in ("config", "left"):
        (folder / f"{name}.toml").touch()
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize(
    ("config", "instance", "found"),
    [
        ("etc/config.toml", "", "etc/config.toml"),
        ("etc/left.toml", "", "etc/left.toml"),
        (None, "left", "etc/left.toml"),
        ("mine.toml", "", None),
        ("mine.toml", "left", None),
        ("etc/secret", "", None),
        (None, "right", None),
    ],
)
def test_only_the_services_own_configuration_counts(
    etc: Path, config: str | None, instance: str, found: str | None
) -> None:
    named = etc.parent / config if config else None
    env = {"HOME": str(etc.parent)}
    expected = etc.parent / found if found else None
    assert service_config(named, env, instance, folder=etc) == expected
    if named and not instance:
        by_variable = {**env, "WATCHWORD_CONFIG": str(named)}
        assert service_config(None, by_variable, folder=etc) == expected


def _in_unit(unit: str, instance: str = "") -> dict[str, str]:
    """The folders that a unit file gives the program, as systemd.exec(5) hands them down."""
    lines = (ROOT / "systemd" / unit).read_text().replace("%i", instance).splitlines()
    pairs = dict(
        line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "Environment"))
    )
    found = {
        "STATE_DIRECTORY": f"/var/lib/{pairs['StateDirectory']}",
        "CACHE_DIRECTORY": f"/var/cache/{pairs['CacheDirectory']}",
    }
    for line in lines:
        if line.startswith("Environment="):
            found |= dict(each.split("=", 1) for each in line.removeprefix("Environment=").split())
    return {
        name: value
        for name, value in found.items()
        if name in ("HOME", "STATE_DIRECTORY", "CACHE_DIRECTORY") or name.startswith("WATCHWORD_")
    }


@pytest.mark.parametrize(
    ("unit", "config", "instance"),
    [("watchword.service", "config.toml", ""), ("watchword@.service", "left.toml", "left")],
)
def test_the_folders_are_those_of_the_units(unit: str, config: str, instance: str) -> None:
    before = {"HOME": "/root", "USER": "root", "XDG_STATE_HOME": "/root/state", "PATH": "/bin"}
    found = service_environment(Path("/etc/watchword") / config, before, ACCOUNT)
    assert found.items() >= _in_unit(unit, instance).items()
    assert found["USER"] == "watchword" and found["PATH"] == "/bin"
    assert "XDG_STATE_HOME" not in found


def test_a_variable_of_the_command_is_stronger() -> None:
    before = {"HOME": "/root", "WATCHWORD_PATHS__MODELS": "/srv/models"}
    found = service_environment(Path("/etc/watchword/left.toml"), before, ACCOUNT)
    assert found["WATCHWORD_PATHS__MODELS"] == "/srv/models"


def test_nothing_happens_within_a_unit_nor_for_others(etc: Path) -> None:
    config = Path("/etc/watchword/config.toml")
    within = {"STATE_DIRECTORY": "/var/lib/watchword"}
    assert not act_as_service(config, within, account=ACCOUNT)
    assert within == {"STATE_DIRECTORY": "/var/lib/watchword"}
    mine = {"HOME": "/home/me"}
    assert not act_as_service(etc / "config.toml", mine, account=ACCOUNT)
    assert mine == {"HOME": "/home/me"}


BECOME = """
import json, os
from pathlib import Path
from daemon.process.service_account import Account, act_as_service
done = act_as_service(Path("/etc/watchword/config.toml"), os.environ, account=Account("nobody", 65534, 65534))
print(json.dumps([done, os.getuid(), os.getgid(), os.environ["HOME"]]))
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("env"), reason="only root can become another user")
def test_root_becomes_the_services_user() -> None:
    result = subprocess.run(
        [sys.executable, "-c", BECOME],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/root"},
    )
    assert json.loads(result.stdout) == [True, 65534, 65534, "/var/lib/watchword"]


AS_SERVICE_USER = """
import json, os
from pathlib import Path
from daemon import paths
from daemon.process.service_account import Account, act_as_service
if os.geteuid() == 0:
    os.setuid(65534)
done = act_as_service(None, os.environ, account=Account("watchword", os.geteuid(), os.getegid()))
print(json.dumps([done, paths.resolved({}, os.environ), os.environ.get("WATCHWORD_CONFIG")]))
"""


@pytest.mark.parametrize("files", [(), ("config.toml",)])
def test_the_services_own_user_always_has_the_services_folders(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    """Without the variables of a unit, in a folder with and without a configuration of its own."""
    tmp_path.chmod(0o755)
    for name in files:
        (tmp_path / name).touch()
    result = subprocess.run(
        [sys.executable, "-c", AS_SERVICE_USER],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
        # As sudo leaves it: the account's home, and nothing of the caller's session.
        env={"PATH": os.environ["PATH"], "HOME": "/var/lib/watchword", "PYTHONPATH": str(ROOT)},
    )
    done, folders, config = json.loads(result.stdout)
    assert done is True
    assert folders == {
        "models": "/var/lib/watchword/models",
        "state": "/var/lib/watchword",
        "cache": "/var/cache/watchword",
    }
    assert config is None


def test_another_instance_of_the_services_user_has_its_own_folders() -> None:
    found = service_environment(None, {"HOME": "/var/lib/watchword"}, ACCOUNT, "left")
    assert found["STATE_DIRECTORY"] == "/var/lib/watchword/instances/left"
    assert found["WATCHWORD_PATHS__MODELS"] == "/var/lib/watchword/models"
    assert "WATCHWORD_CONFIG" not in found
