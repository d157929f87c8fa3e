"""script/run starts the daemon and its page about the same settings, with stand-ins for both."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0

pytestmark = pytest.mark.skipif(not shutil.which("setpriv"), reason="needs util-linux's setpriv")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with script/run, and programs that only write down what they were given."""
    for folder in ("script", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "script/run", tmp_path / "script/run")
    programs = {
        "script/setup": "exit 0",
        ".venv/bin/python": "exit 0",  # the extra `web` is there
        ".venv/bin/watchword": f'echo "$WATCHWORD_CONFIG: $*" >>{tmp_path}/given; sleep 0.3',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "of_page"),
    [
        ((), ""),
        (("--source", "demo", "--once"), ""),
        (("--config", "my.toml", "--once"), "--config my.toml"),
        (("--config=my.toml",), "--config=my.toml"),
        (("-o", "web.port=9000", "--source", "0"), "-o web.port=9000"),
        (("-oweb.port=9000", "--config", "a.toml"), "-oweb.port=9000 --config a.toml"),
    ],
)
def test_the_page_gets_the_options_that_name_settings(
    checkout: Path, options: tuple[str, ...], of_page: str
) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(checkout)}
    subprocess.run([checkout / "script/run", *options], env=environment, check=True, timeout=60)
    expected = {
        f"{checkout}/config.toml: run {' '.join(options)}".rstrip(),
        f"{checkout}/config.toml: -q web {of_page}".rstrip(),
    }
    until_s = time.monotonic() + PATIENCE_S  # the page's process goes its own way
    while (given := set((checkout / "given").read_text().splitlines())) != expected:
        assert time.monotonic() < until_s, given
        time.sleep(0.05)
