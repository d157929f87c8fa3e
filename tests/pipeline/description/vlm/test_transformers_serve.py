"""A real server of another kind, `transformers serve`, answers questions about pictures end to end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.description.vlm.backends.openai_server import load
from pipeline.description.vlm.job import GenerationJob, ModelSpec
from tests.pipeline.description.vlm import tiny_vlm
from tests.pipeline.description.vlm.made import LONGEST_S, tiny

pytestmark = [pytest.mark.slow, pytest.mark.prepare, pytest.mark.timeout(LONGEST_S + 300)]
NEEDS = ("openai", "accelerate", "fastapi", "uvicorn")
START_S = 300.0


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """Address and model of a running server."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        pytest.skip(f"transformers serve needs {', '.join(missing)}: pip install 'watchword[serve]'")
    model = str(tiny("qwen2.5-vl") / "torch")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [str(Path(sys.executable).parent / "transformers"), "serve", "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--force-model", model],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_it_listens(process, port)
        yield f"http://127.0.0.1:{port}/v1", model
    finally:
        process.kill()
        process.wait(60)


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        assert process.poll() is None, "transformers serve ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("transformers serve does not listen")


@pytest.mark.parametrize("name", ["disc", "square", "bar"])
def test_it_says_what_is_on_the_picture_that_was_sent(served: tuple[str, str], name: str) -> None:
    url, model = served
    generator = load(ModelSpec("openai", model, url=url, load_s=START_S))
    if generator._preload is not None:
        generator._preload.join(START_S)
    system, user = tiny_vlm.asked("safe")
    said: list[str] = []

    def take(piece: str) -> bool:
        said.append(piece)
        return True

    generator.generate(GenerationJob(1, tiny_vlm.picture(name), system, user, 20, deadline_s=120), take)
    assert len(said) > 1, "it streams"
    assert "".join(said).strip() == tiny_vlm.CAPTIONS[name]
