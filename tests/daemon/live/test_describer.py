"""A describer behind the whole program: how often it is asked, and what changes where it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from capture.frame import Image
from daemon.control.commands import AskCommand
from tests.capture.servers import MjpegServer
from tests.daemon.cli.test_demo import CUTS_S
from tests.daemon.living import PATIENCE_S, Living, own_cache, street_clip

ROOT = Path(__file__).parents[3]
DESCRIBE_S = 0.5
"""Seconds that a description takes in a replay: the default of `describe.replay_s`."""
FPS = 12.0
HARMLESS = 25
"""Frames at the clip's start without a warning, which might outlast what is to be told."""
DESCRIBER = """
[health]
settle_s = 0.3
quiet_s = 1
late_s = 5
[describe]
backend = "openai"
model = "fake"
deadline_s = 1.5
server_url = "{server}/good/v1"
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def server() -> Iterator[str]:
    """Address of a server that says the colour of each picture."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.description.vlm.fake_server"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_the_demo_asks_once_a_scene_and_once_a_danger_and_tells_of_each(
    server: str, models: Path, tmp_path: Path
) -> None:
    own = {k: v for k, v in os.environ.items() if not k.startswith("WATCHWORD_")}
    own |= {
        "HOME": "/nonexistent",
        "XDG_CACHE_HOME": str(own_cache()),
        "WATCHWORD_PATHS__MODELS": str(models),
        "WATCHWORD_DESCRIBE__BACKEND": "openai",
        "WATCHWORD_DESCRIBE__MODEL": "fake",
        "WATCHWORD_DESCRIBE__SERVER_URL": f"{server}/good/v1",
    }
    file = tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "daemon.cli.main", "replay", "demo", "--events", str(file)]
    done = subprocess.run(
        command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    story: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    with urllib.request.urlopen(f"{server}/asked", timeout=10) as answer:
        requests = [each for each in json.load(answer) if "request" in each]
    preloading = [each for each in requests if "Answer with one word" in json.dumps(each)]
    assert len(preloading) == 1, "the server is made to load its model once"
    asked = [each for each in requests if each not in preloading]
    scenes = {e["id"]: e for e in story if e["kind"] == "scene"}
    assert story[-1]["vlm_calls"] == len(asked) == len(scenes)
    shots = [0.0, *CUTS_S, 99.0]
    for begin, end in pairwise(shots):
        changes = [s for s in scenes.values() if begin <= s["t"] < end and s["trigger"] == "scene_change"]
        assert len(changes) <= 1
    begun = [e["id"] for e in story if e["kind"] == "alert" and not (e["again"] or e["escalated"])]
    dangers = [s["cause"] for s in scenes.values() if s["trigger"] == "danger"]
    assert dangers == begun
    danger_times = [s["t"] for s in scenes.values() if s["trigger"] == "danger"]
    answered = 0
    for scene_id, scene in scenes.items():
        told = [e for e in story if e["kind"] in ("describe", "unspoken") and e["cause"] == scene_id]
        # A danger that comes while a view is being described makes its answer stale: it is cancelled.
        if scene["trigger"] != "danger" and any(0 <= t - scene["t"] < DESCRIBE_S for t in danger_times):
            assert not told
            continue
        answered += 1
        assert told[0]["model"] == "fake"
        assert told[0]["timing"]["first_sentence_s"] > 0
    assert answered >= len(danger_times) + 2


def test_a_describer_that_hangs_is_told_once_and_changes_nothing_for_the_frames(
    server: str, models: Path, tmp_path: Path
) -> None:
    clip = street_clip(models)
    config = DESCRIBER.format(server=server)
    with (
        MjpegServer(lambda index: clip(index % HARMLESS), FPS) as camera,
        Living(tmp_path, models, camera.url, config) as living,
    ):
        # The first view may have settled before the describer was ready; then its tags answered.
        living.until(lambda: "ready" in str(living.status()["describer"]), PATIENCE_S, "the describer")
        asked = living.heard
        living.ask(AskCommand())
        living.await_event("describe", asked, model="fake")
        before = frames_a_second(living, 2.0)
        since = living.heard
        (child,) = [pid for pid in living.children() if "pipeline.description.vlm.worker" in command_of(pid)]
        os.kill(child, signal.SIGSTOP)
        living.ask(
            AskCommand()
        )  # a question in words gets more words from `tags`, which the news would wait for
        meanwhile = frames_a_second(living, 2.0)
        living.await_event("health", since, component="describer", state="failing")
        living.await_event("speak", since, text="No descriptions for now. Warnings go on.")
        living.await_event("health", since, component="describer", state="ok")
        after = living.heard
        living.ask(AskCommand())
        scene = living.await_event("scene", after, trigger="request")
        living.await_event("describe", after, cause=scene["id"], model="fake")
        story = living.events[since:]
    assert meanwhile >= 0.3 * before  # loose: other work comes and goes; a lane that waits has none
    failing = [e for e in story if e["kind"] == "health" and e["component"] == "describer"]
    assert [e["state"] for e in failing] == ["failing", "ok"]
    assert not Path(f"/proc/{child}").exists()


def test_a_danger_does_not_cost_the_wearer_the_answer_of_a_slow_model(
    server: str, models: Path, tmp_path: Path
) -> None:
    clip, danger_from = street_clip(models), list[int]()

    def picture(index: int) -> Image:
        """Harmless until the question has been asked; then the clip goes on to its first danger."""
        return clip(HARMLESS + index - danger_from[0] if danger_from else index % HARMLESS)

    config = DESCRIBER.format(server=server).replace("/good/", "/slow/")
    config = config.replace("deadline_s = 1.5", "deadline_s = 12\nstale_s = 15")
    with (
        MjpegServer(picture, FPS) as camera,
        Living(tmp_path, models, camera.url, config) as living,
    ):
        living.until(lambda: living.status()["assessed"] > 0, PATIENCE_S, "a picture")
        living.until(lambda: "ready" in str(living.status()["describer"]), PATIENCE_S, "the describer")
        since = living.heard
        living.ask(AskCommand(question="Which colour is the wall?"))
        scene = living.await_event("scene", since, trigger="request")
        danger_from.append(living.status()["frames"])
        living.await_event("alert", since)
        living.await_event("describe", since, cause=scene["id"], model="fake")
        story = living.events[since:]
    kinds = [(e["kind"], e.get("cause") == scene["id"]) for e in story]
    assert kinds.index(("alert", False)) < kinds.index(("describe", True)), "the danger came too late"
    texts = [e["text"] for e in story if e["kind"] in ("speak", "unspoken") and "text" in e]
    assert "I have no answer to that." not in texts


def frames_a_second(living: Living, seconds: float) -> float:
    """How many were assessed, over so long."""
    began_s, began = time.monotonic(), living.status()["assessed"]
    living.until(lambda: time.monotonic() >= began_s + seconds, seconds + 10, "time to pass")
    return float((living.status()["assessed"] - began) / (time.monotonic() - began_s))


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
