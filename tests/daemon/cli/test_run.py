"""`watchword run` as a person sees it at a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest

from daemon.cli.run import page_address
from daemon.config.sections import WebSettings
from daemon.control.client import ControlClient
from daemon.control.commands import StatusCommand
from daemon.errors import CommandError
from daemon.service import play_command
from tests.daemon.living import own_cache
from tests.faults.waiting import eventually

MORE_THAN_A_PASS = 120
"""Frames; the short demo has 102."""


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
def test_the_demo_prints_what_is_said_and_begins_again_until_it_is_stopped(
    short_store: Path, tmp_path: Path
) -> None:
    process = run(short_store, tmp_path)
    written: dict[str, list[str]] = {}

    def read(name: str, stream: IO[str]) -> None:
        written[name] = list(stream)

    assert process.stdout is not None
    assert process.stderr is not None
    streams = {"out": process.stdout, "err": process.stderr}
    threads = [threading.Thread(target=read, args=each, daemon=True) for each in streams.items()]
    for thread in threads:
        thread.start()

    def in_the_second_pass() -> bool:
        assert process.poll() is None, written
        try:
            with ControlClient(tmp_path / "watchword/watchword.sock") as client:
                return bool(client.ask(StatusCommand())["frames"] > MORE_THAN_A_PASS)
        except CommandError:  # it is still starting
            return False

    assert eventually(in_the_second_pass, 150), written
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    for thread in threads:
        thread.join(10)
    assert any(line.startswith("says: Vehicle") for line in written["out"])
    if any("sound goes to file" in line for line in written["err"]):
        wav = f"{tmp_path}/.local/state/watchword/speech.wav"
        assert any(f"sound goes into {wav}; to hear it: " in line for line in written["out"])
    warnings = [line for line in written["err"] if "warning: " in line]
    assert all("sound goes to file" in line for line in warnings), warnings
