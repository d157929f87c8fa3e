"""docs/api.md is true: its curl lines, run against the real web in front of the real daemon."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.daemon.living import Living
from tests.pipeline.reading.signs import sign

ROOT = Path(__file__).parents[4]
MEDIA = Path(os.environ.get("WATCHWORD_MEDIA") or ROOT.parent / "shared" / "media")
LINES = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)
PATIENCE_S = 300.0
"""Seconds: the guests' process has only what the others leave of the processor."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    (folder / "work").mkdir()
    return folder


@pytest.fixture(scope="module")
def street(folder: Path) -> Path:
    """A real photograph of traffic where there is one."""
    photographs = sorted(MEDIA.glob("images/vehicle/*.jpg"))
    target = folder / "work" / "street.jpg"
    if photographs:
        shutil.copy(photographs[0], target)
    else:
        sys.stderr.write(f"{MEDIA} is not there: a made-up picture stands for the photograph\n")
        image = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
        cv2.imwrite(str(target), image)
    cv2.imwrite(str(target.with_name("sign.jpg")), sign(("EXIT", 90)))
    return target


@pytest.fixture(scope="module")
def web(folder: Path, models: Path, street: Path) -> Iterator[str]:
    """`watchword run` and `watchword web`, as a person starts them; the web interface's address.

    Two pictures a second, so that something of the processor is left for guests.
    """
    config = "[capture]\nloop = true\nfolder_fps = 2\n[web]\nport = 0\n"
    with Living(folder, models, str(street.parent), config) as living:
        command = [sys.executable, "-m", "daemon.cli.main", "web", "--config", str(living.config)]
        log = folder / "web.txt"
        with log.open("wb") as file:
            process = subprocess.Popen(command, cwd=ROOT, env=living.env, stdout=file, stderr=file)
        try:
            yield _address(log, process)
        finally:
            process.terminate()
            assert process.wait(20) == 0, log.read_text()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and process.poll() is None:
        if found := re.search(r"the web interface is at (http://\S+)/\n", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def run(line: str, address: str, folder: Path) -> bytes:
    env = {**os.environ, "WEB": address, "no_proxy": "*"}
    until_s = time.monotonic() + PATIENCE_S
    while True:
        result = subprocess.run(
            ["bash", "-ec", line], cwd=folder, env=env, capture_output=True, timeout=PATIENCE_S
        )
        assert result.returncode == 0, result.stderr
        busy = b'"code":"busy"' in result.stdout or _is_busy(folder / "answer.wav")
        if not busy or time.monotonic() > until_s:
            return result.stdout
        time.sleep(1.0)  # as Retry-After asks for


def _is_busy(file: Path) -> bool:
    return file.is_file() and b'"code":"busy"' in file.read_bytes()[:1000]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
@pytest.mark.timeout(420)
def test_each_line_of_the_docs(line: str, web: str, street: Path) -> None:
    out = run(line, web, street.parent)
    if "answer.wav" in line:
        assert (street.parent / "answer.wav").read_bytes().startswith(b"RIFF")
    elif "now.jpg" in line:
        assert (street.parent / "now.jpg").read_bytes().startswith(b"\xff\xd8")
    else:
        answer = json.loads(out)
        assert "code" not in answer, answer
        if "/process" in line:
            assert answer["text"] and answer["prompt"] == (
                "question" if "text=" in line else answer["prompt"]
            )
            assert ("wav" in answer) == ("speech" in line)
            assert (answer["prompt"] == "read") == ("read=true" in line)
            if "objects" in line:
                assert "car" in [each["name"] for each in answer["objects"]]
            else:
                assert all(each["score"] is not None for each in answer["objects"])


def test_the_docs_tell_both_of_the_diarys_steps_and_of_reading() -> None:
    assert sum("/process" in line for line in LINES) == 6
