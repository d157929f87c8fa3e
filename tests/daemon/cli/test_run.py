"""`watchword run` as a person sees it at a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from daemon.cli.run import page_address
from daemon.config.sections import WebSettings
from daemon.service import play_command
from tests.daemon.living import own_cache


@pytest.mark.parametrize(
    ("web", "address"),
    [
        ({}, "http://127.0.0.1:8780/"),
        ({"address": "0.0.0.0", "port": 80}, "http://127.0.0.1:80/"),
        ({"address": "::1"}, "http://[::1]:8780/"),
        ({"certificate_file": "/c.pem"}, "https://127.0.0.1:8780/"),
        ({"address": ""}, None),
        ({"port": 0}, None),
    ],
)
def test_the_address_of_the_page(web: dict[str, object], address: str | None) -> None:
    pytest.importorskip("fastapi")
    assert page_address(WebSettings.model_validate(web)) == address


@pytest.mark.parametrize(
    ("there", "command"),
    [
        ({"aplay", "ffplay"}, "aplay '/a b.wav'"),
        ({"ffplay"}, "ffplay -autoexit -nodisp '/a b.wav'"),
        (set(), "aplay '/a b.wav'"),
    ],
)
def test_the_command_that_plays_a_file(there: set[str], command: str) -> None:
    assert play_command(Path("/a b.wav"), lambda name: name if name in there else None) == command


def run(models: Path, home: Path, *args: str) -> subprocess.Popen[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("WATCHWORD_")}
    env |= {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CACHE_HOME": str(own_cache()),
        "WATCHWORD_PATHS__MODELS": str(models),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "daemon.cli.main", "run", "--source", "demo", *args],
        cwd=Path(__file__).parents[3],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_one_pass_of_the_demo_prints_what_is_said(models: Path, tmp_path: Path) -> None:
    process = run(models, tmp_path, "--once")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    said = [line.removeprefix("says: ") for line in out.splitlines() if line.startswith("says: ")]
    assert any("Vehicle" in text for text in said)
    assert any("Bike" in text for text in said)
    if "sound goes to file" in err:
        assert f"sound goes into {tmp_path}/.local/state/watchword/speech.wav; to hear it: " in out
    warnings = [line for line in err.splitlines() if "warning: " in line]
    assert all("sound goes to file" in line for line in warnings), warnings


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_demo_begins_again_until_it_is_stopped(models: Path, tmp_path: Path) -> None:
    process = run(models, tmp_path)
    again = threading.Event()
    seen = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line)
            if sum("Bike" in each for each in seen) > 3:
                again.set()

    threading.Thread(target=read, daemon=True).start()
    assert process.stderr is not None
    threading.Thread(target=process.stderr.read, daemon=True).start()
    assert again.wait(200), seen
    process.send_signal(signal.SIGINT)
    until_s = time.monotonic() + 30
    assert process.wait(until_s - time.monotonic()) == 0
