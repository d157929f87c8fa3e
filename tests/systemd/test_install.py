"""script/install and script/uninstall, below a folder that stands for a machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_PAGES = {
    "man/man1/watchword.1",
    "bash-completion/completions/watchword",
    "zsh/site-functions/_watchword",
}
SYSTEM = {
    *(f"usr/local/share/{page}" for page in _PAGES),
    "etc/watchword/config.schema.json",
    "etc/watchword/config.toml",
    "etc/systemd/system/watchword.service",
    "etc/systemd/system/watchword-silent@.service",
    "etc/systemd/system/watchword@.service",
    "etc/sysusers.d/watchword.conf",
    "etc/udev/rules.d/70-watchword.rules",
}
USER = {
    *(f"home/me/.local/share/{page}" for page in _PAGES),
    "home/me/.config/watchword/config.schema.json",
    "home/me/.config/watchword/config.toml",
    "home/me/.config/systemd/user/watchword.service",
    "home/me/.config/systemd/user/watchword-silent@.service",
}
WEB = {
    "etc/systemd/system/watchword-web.service",
    "etc/systemd/system/watchword.service.d/web.conf",
    "etc/sysusers.d/watchword-web.conf",
}
USERS_WEB = {"home/me/.config/systemd/user/watchword-web.service"}


def _script(name: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    base = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    return subprocess.run(
        [ROOT / "script" / name, *options],
        env={**base, "HOME": "/home/me", **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ((), SYSTEM),
        (("--user",), USER),
        (("--with", "web"), SYSTEM | WEB),
        (("--user", "--with", "web"), USER | USERS_WEB),
    ],
)
def test_every_file_gets_its_place_and_leaves_it_again(
    tmp_path: Path, options: tuple[str, ...], files: set[str]
) -> None:
    result = _script("install", *options, DESTDIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert _files(tmp_path) == files
    options = tuple(option for option in options if option == "--user")
    result = _script("uninstall", *options, DESTDIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert _files(tmp_path) == {file for file in files if file.endswith("config.toml")}
    (config,) = [file for file in files if file.endswith("config.toml")]
    assert f"kept: {tmp_path / Path(config).parent}" in result.stderr
    assert "--purge removes them too" in result.stderr
    assert _script("uninstall", *options, "--purge", DESTDIR=str(tmp_path)).returncode == 0
    assert _files(tmp_path) == set()


def test_below_a_folder_it_does_not_claim_to_be_installed(tmp_path: Path) -> None:
    said = _script("install", DESTDIR=str(tmp_path)).stderr
    assert f"laid out below {tmp_path}" in said and "NOT there" in said
    assert "installed." not in said and "systemctl" not in said


def test_a_second_time_it_renews_the_units_and_keeps_the_settings(tmp_path: Path) -> None:
    _script("install", DESTDIR=str(tmp_path))
    config, unit = tmp_path / "etc/watchword/config.toml", tmp_path / "etc/systemd/system/watchword.service"
    assert config.stat().st_mode & 0o007 == 0  # it may hold a camera's password
    config.write_text("[speech]\nrate_wpm = 240\n")
    unit.write_text("outdated")
    result = _script("install", DESTDIR=str(tmp_path))
    assert (result.returncode, config.read_text()) == (0, "[speech]\nrate_wpm = 240\n")
    assert f"keeping {config}" in result.stderr
    assert unit.read_text() == (ROOT / "systemd/watchword.service").read_text()


def test_once_installed_the_web_is_renewed_with_the_rest(tmp_path: Path) -> None:
    _script("install", "--with", "web", DESTDIR=str(tmp_path))
    unit = tmp_path / "etc/systemd/system/watchword-web.service"
    unit.write_text("outdated")
    assert _script("install", DESTDIR=str(tmp_path)).returncode == 0
    assert unit.read_text() == (ROOT / "systemd/watchword-web.service").read_text()


def test_removing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    assert _script("uninstall", "--purge", DESTDIR=str(tmp_path)).returncode == 0


def test_a_command_of_the_same_name_that_is_not_ours_stays(tmp_path: Path) -> None:
    other = tmp_path / "usr/local/bin/watchword"
    other.parent.mkdir(parents=True)
    other.write_text("somebody else's")
    assert _script("uninstall", DESTDIR=str(tmp_path)).returncode == 0
    assert other.exists()
    ours = tmp_path / "opt/watchword/bin/watchword"
    other.unlink()
    other.symlink_to(ours)
    assert _script("uninstall", DESTDIR=str(tmp_path)).returncode == 0
    assert not other.is_symlink()


@pytest.mark.parametrize("options", [(), ("--user",), ("--with", "piper")])
def test_a_dry_run_tells_everything_and_does_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    for name in ("install", "uninstall"):
        extra = options if name == "install" or "--with" not in options else ()
        result = _script(name, *extra, "--dry-run", DESTDIR=str(tmp_path))
        assert result.returncode == 0, result.stderr
        assert "would run: " in result.stdout
        assert result.stderr.endswith("nothing was done\n")
    assert _files(tmp_path) == set()


def test_a_dry_run_shows_program_models_and_account_too() -> None:
    out = _script("install", "--dry-run", "--with", "piper").stdout
    for step in ("/opt/watchword/bin/pip install", "[piper]", "systemd-sysusers", "models pull starter demo"):
        assert step in out


@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_help_and_wrong_options(name: str) -> None:
    result = _script(name, "--help")
    assert result.returncode == 0
    assert f"script/{name} --dry-run" in result.stdout and "set -" not in result.stdout
    result = _script(name, "--loud")
    assert (result.returncode, result.stderr) == (2, f"{name}: unknown option --loud; see --help\n")


def test_installing_does_not_purge() -> None:
    assert _script("install", "--purge").returncode == 2
