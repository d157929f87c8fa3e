"""Runs a wearer's day against the real daemon and web server, and prints the result of each step.

The steps: start; a picture alone; a picture with an object, dangerous and safe; a question; Korean; a restart
that finds its cache; a comparison of describers by `watchword bench vlm`.
"""

# ruff: noqa: S603 -- the commands are this program's own

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from daemon.control.client import ControlClient
from daemon.control.commands import StatusCommand
from daemon.errors import CommandError

START_S = 180.0
"""Seconds that the daemon may take to answer after a start."""
REQUEST_S = 60.0
"""Seconds that one answer may take."""
BUSY_S = 600.0
"""Seconds for which a picture is offered again after 503."""
BENCH_S = 900.0
"""Seconds that the comparison may take."""
COMPARED = ("load cold", "first spoken word", "tokens", "tokens beside the lane", "lane's frame p99")
"""Columns of the bench's table that are reported."""
CLI = (sys.executable, "-m", "daemon.cli.main")


class DayFailed(Exception):
    """A step did not give the expected result."""


@dataclass(frozen=True, slots=True)
class Day:
    """Starts the program and talks to it."""

    web: str
    env: Mapping[str, str]
    work: Path
    source: str

    @contextmanager
    def daemon(self) -> Iterator[float]:
        """Run the daemon. Yields the seconds until it answered."""
        command = [*CLI, "run", "--source", self.source, "--wav", str(self.work / "said.wav")]
        with _process(command, self.env, self.work / "daemon.log") as process:
            began_s = time.monotonic()
            _wait(self._answers, START_S, "the daemon to answer", process)
            yield time.monotonic() - began_s

    @contextmanager
    def web_server(self) -> Iterator[None]:
        with _process([*CLI, "web"], self.env, self.work / "web.log") as process:
            _wait(self._is_served, START_S, "the web server to answer", process)
            yield

    def ask(self, picture: bytes, **fields: str) -> dict[str, Any]:
        """POST /process, again after 503 as its Retry-After says."""
        end_s = time.monotonic() + BUSY_S
        while True:
            files = {"image": ("picture.jpg", picture, "image/jpeg")}
            # `trust_env=False`: a proxy of the environment must not get requests to this machine.
            answer = httpx.post(
                f"{self.web}/process", files=files, data=fields, timeout=REQUEST_S, trust_env=False
            )
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > end_s:
                break
            time.sleep(float(answer.headers["Retry-After"]))
        if answer.status_code != httpx.codes.OK:
            raise DayFailed(f"/process answered {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found

    def _answers(self) -> bool:
        socket_path = Path(self.env["XDG_RUNTIME_DIR"]) / "watchword" / "watchword.sock"
        try:
            with ControlClient(socket_path, timeout_s=10) as client:
                # The socket listens before the models are loaded; only an answer means that the daemon has
                # started.
                client.ask(StatusCommand())
        except CommandError:
            return False
        return True

    def _is_served(self) -> bool:
        try:
            return httpx.get(f"{self.web}/healthz", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def live(day: Day, picture: bytes, models: Sequence[Path], bench_options: Sequence[str]) -> None:
    """Carry out all steps. Raises DayFailed."""
    with day.web_server():
        with day.daemon() as first_s:
            _tell("start", f"answers after {first_s:.1f} s")
            _pictures(day, picture)
        cached = _cache(day)
        with day.daemon() as again_s:
            kept = [file for file, stamp in cached.items() if _cache(day).get(file) == stamp]
            _require(len(kept) == len(cached), "a restart keeps the cache")
            _tell("restart", f"answers after {again_s:.1f} s, {len(kept)} cached files kept")
            _tell("picture", day.ask(picture)["text"])
    if models:
        _compare(day, models, bench_options)


def _pictures(day: Day, picture: bytes) -> None:
    alone = day.ask(picture)
    _require(alone["prompt"] in ("danger", "safe"), "a picture alone is judged")
    _tell("picture", f"{alone['prompt']}: {alone['text']}")
    danger = day.ask(picture, objects="knives")
    _require(danger["prompt"] == "danger", "a picture with knives is dangerous")
    _tell("with knives", danger["text"])
    safe = day.ask(_wall(), objects="teddy bear, cup")
    _require(safe["prompt"] == "safe", "a wall with a teddy bear is safe")
    _tell("with a teddy bear", safe["text"])
    asked = day.ask(picture, text="Can I cross the road?")
    _require(asked["prompt"] == "question", "a text is a question")
    _require(asked["text"].startswith("I cannot say whether it is safe."), "nobody may say that it is safe")
    _tell("text", asked["text"])
    korean = day.ask(picture, objects="칼들", language="ko", text="앞에 무엇이 있나요?")
    _require(any("가" <= letter <= "힣" for letter in korean["text"]), "the answer is Korean")
    _require(
        any(one["hazard"] == "knife" and one["dangerous"] for one in korean["hazards"]), "칼들 are knives"
    )
    _tell("Korean", korean["text"])


def _compare(day: Day, models: Sequence[Path], options: Sequence[str]) -> None:
    """`watchword bench vlm` of all describers in one run: each has its row in the one table."""
    page = day.work / "bench.md"
    given = [part for model in models for part in ("--model", str(model))]
    command = [*CLI, "bench", "vlm", *given, *options, "--samples", "1", "--markdown", str(page)]
    done = subprocess.run(command, env=day.env, capture_output=True, text=True, timeout=BENCH_S, check=False)
    table = page.read_text("utf-8").split("\n\n")[0].splitlines() if page.is_file() else []
    _require(done.returncode == 0 and bool(table), f"bench vlm measures the describers: {done.stderr[-300:]}")
    head, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    for row in rows[1:]:
        figures = dict(zip(head, row, strict=True))
        shown = ", ".join(f"{name} {figures[name]}" for name in COMPARED if figures[name])
        _tell("bench vlm", f"{figures['model']} on {figures['backend']}: {shown}")


def _cache(day: Day) -> dict[str, int]:
    """Compiled models and phrases, by name, with their time of change."""
    # Blobs only: logs and counters in the folder change at every start.
    root = Path(day.env["XDG_CACHE_HOME"])
    return {str(file): file.stat().st_mtime_ns for file in root.rglob("*.blob") if file.is_file()}


def _wall() -> bytes:
    return cv2.imencode(".jpg", np.full((240, 320, 3), 200, np.uint8))[1].tobytes()


def _require(fine: bool, what: str) -> None:
    if not fine:
        raise DayFailed(f"not so: {what}")


def _tell(step: str, what: str) -> None:
    sys.stdout.write(f"{step}: {what}\n")
    sys.stdout.flush()


@contextmanager
def _process(command: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process. At the end it gets SIGTERM, and is killed if it does not end."""
    with log.open("ab") as file:
        process = subprocess.Popen(command, env=env, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(true: Callable[[], bool], within_s: float, what: str, process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + within_s
    while not true():
        if process.poll() is not None or time.monotonic() > end_s:
            raise DayFailed(f"waited in vain for {what}; the logs are in the folder of --work")
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/day", description=__doc__)
    parser.add_argument("picture", type=Path, help="a JPEG of a street")
    parser.add_argument("--source", default="demo", help="the camera, as for `watchword run`")
    parser.add_argument("--model", type=Path, action="append", default=[], help="a describer; repeat it")
    parser.add_argument("--ordinary", action="store_true", help="as for `watchword bench vlm`")
    parser.add_argument("--work", type=Path, help="folder for logs, cache, state; else a passing one")
    args = parser.parse_args()
    # A short folder for the socket: unix(7) limits its path to 108 bytes.
    with tempfile.TemporaryDirectory(prefix="ww") as short, socket.socket() as chosen:
        # Port 0: the kernel picks a free one, and the web server binds it after `close`.
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
        chosen.close()
        work: Path = args.work or Path(short)
        env = {
            **os.environ,
            "XDG_CACHE_HOME": str(work / "cache"),
            "WATCHWORD_CAPTURE__LOOP": "true",
            "XDG_RUNTIME_DIR": short,
            "WATCHWORD_WEB__PORT": str(port),
            "WATCHWORD_PATHS__STATE": str(work / "state"),
            "WATCHWORD_PATHS__CACHE": str(work / "cache"),
        }
        work.mkdir(parents=True, exist_ok=True)
        day = Day(f"http://127.0.0.1:{port}", env, work, args.source)
        try:
            live(day, args.picture.read_bytes(), args.model, ["--ordinary"] if args.ordinary else [])
        except DayFailed as error:
            sys.stderr.write(f"script/day: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
