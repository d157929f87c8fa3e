"""The diary's day against the real daemon and web server, as `script/day` runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, STDOUT

import cv2
import pytest

from tests.daemon.living import street_clip
from tests.pipeline.description.vlm.made import LONGEST_S, tiny

ROOT = Path(__file__).parents[4]
DAY_S = 300.0

pytestmark = [pytest.mark.slow, pytest.mark.release, pytest.mark.timeout(LONGEST_S + DAY_S)]


def day(tmp_path: Path, models: Path, warm_cache: Path, *options: str) -> str:
    """What the script tells. The words of a thousand classes are encoded already, which is no part of it."""
    shutil.copytree(warm_cache, tmp_path / "day" / "cache", dirs_exist_ok=True)
    picture = tmp_path / "street.jpg"
    picture.write_bytes(cv2.imencode(".jpg", street_clip(models)(0))[1].tobytes())
    command = [
        *(sys.executable, "-m", "daemon.tools.maintainer.day", str(picture)),
        *("--work", str(tmp_path / "day"), "--source", str(models / "demo" / "bikes.mp4")),
        *options,
    ]
    env = {**os.environ, "WATCHWORD_PATHS__MODELS": str(models), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=PIPE, stderr=STDOUT, text=True, start_new_session=True
    ) as script:
        try:
            told, _ = script.communicate(timeout=DAY_S)
        finally:
            with contextlib.suppress(ProcessLookupError):  # a daemon left behind would starve other tests
                os.killpg(script.pid, signal.SIGKILL)
    assert script.returncode == 0, told
    return told


def describers() -> list[Path]:
    """Two tiny ones that openvino runs; none without the extra that makes them."""
    if find_spec("optimum") is None:
        return []
    return [tiny(architecture) / "openvino" for architecture in ("llava", "qwen2.5-vl")]


def test_a_day_goes_as_the_diary_says(tmp_path: Path, models: Path, warm_cache: Path) -> None:
    compared = describers()
    given = [part for folder in compared for part in ("--model", str(folder))]
    # Ordinary priority: at idle priority the other tests would leave a describer nothing to load with.
    told = day(tmp_path, models, warm_cache, *given, "--ordinary").splitlines()
    steps = [line.partition(":")[0] for line in told if not line.startswith("bench vlm")]
    assert steps == [
        "start", "picture", "with knives", "with a teddy bear", "text", "Korean", "restart", "picture",
    ]  # fmt: skip
    assert "cannot say whether it is safe" in "\n".join(told)
    rows = [line for line in told if line.startswith("bench vlm") and "tokens beside the lane" in line]
    assert len(rows) == len(compared), "each describer is measured, also beside the danger lane"
    for row, folder in zip(rows, compared, strict=True):
        assert folder.parent.name in row
        assert "first spoken word" in row
