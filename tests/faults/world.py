"""The real daemon on a faulty camera, with a real sound server, and an ear at its sink."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

from daemon.bench.loudspeaker import PrivatePulse, SinkRecorder
from daemon.control.commands import MuteCommand
from tests.daemon.living import Living, demo_frames
from tests.faults.camera import FaultyCamera

SETTINGS = """
[watch]
cooldown_s = 2
remind_s = 3
[pipeline]
usual_s = 0
[health]
quiet_s = 2
[describe]
backend = "off"
[capture]
frozen_s = 4
retry_max_s = 1
[speech]
clear_earcon = "off"
"""
LOUD = 500
"""Amplitude of 16-bit samples from which something is heard."""
QUIET_S = 4.0
"""Seconds until what is said when silence was asked for is over."""
ROOT = Path(__file__).parents[2]


class World:
    """Everything a fault can be injected into. A context manager."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self.models = models
        self.pulse = PrivatePulse(folder / "pulse")
        self.camera = FaultyCamera(demo_frames(models / "demo" / "bikes.mp4")[:120])
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.pulse.start()
        self._stack.callback(self.pulse.kill)
        self._stack.callback(self.camera.close)
        self.ear: SinkRecorder = self.pulse.listen()
        self._stack.callback(self.ear.close)
        env = {"ALSA_CONFIG_PATH": str(self.pulse.alsa_config), "PULSE_SERVER": f"unix:{self.pulse.socket}"}
        home = self.folder / "home"
        home.mkdir()
        self.living = self._stack.enter_context(
            Living(home, self.models, self.camera.url, SETTINGS, {**env, "HOME": str(home)})
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def state(self) -> Path:
        """The daemon's state folder."""
        return self.folder / "home" / ".local/state/watchword"

    def pactl(self, *words: str) -> None:
        """Order the sound server. Raises CalledProcessError."""
        command = ["pactl", f"--server=unix:{self.pulse.socket}", *words]
        subprocess.run(command, check=True, timeout=10, capture_output=True)

    def pids(self, module: str) -> list[int]:
        """Children of the daemon that run this module."""
        found = []
        for pid in self.living.children():
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if module.encode() in line:
                found.append(pid)
        return found

    def is_heard_since(self, frame: int) -> bool:
        """True if anything but silence came out of the sink since that frame of the recording."""
        samples = self.ear.samples()[frame:]
        return bool(samples.size) and int(np.abs(samples.astype(np.int32)).max()) > LOUD

    def await_danger(self, timeout_s: float) -> float | None:
        """Seconds until a danger is spoken and heard at the sink; None if it is not in time."""
        began_s, after, frame = time.monotonic(), self.living.heard, self.ear.frames()

        def spoken() -> bool:
            new = self.living.events[after:]
            return any(e["kind"] == "speak" and e["priority"] == "danger" for e in new)

        if not eventually(lambda: spoken() and self.is_heard_since(frame), timeout_s):
            return None
        return time.monotonic() - began_s

    def await_told(self, told: Callable[[dict[str, Any]], bool], after: int, timeout_s: float) -> str | None:
        """How it was told, as soon as an event fits; None if none does in time."""

        def found() -> dict[str, Any] | None:
            return next((event for event in self.living.events[after:] if told(event)), None)

        eventually(lambda: found() is not None, timeout_s)
        event = found()
        if event is None:
            return None
        return event.get("text") or f"{event.get('component')}: {event.get('reason')}"

    def run_broken(self, prepare: Callable[[Path], None], timeout_s: float) -> tuple[int | None, bool, str]:
        """Start another daemon after `prepare(its home)`: its exit code, whether it was heard, its log."""
        home = self.folder / f"broken{time.monotonic_ns()}"
        (home / "run").mkdir(parents=True)
        (home / "config.toml").write_text(SETTINGS)
        prepare(home)
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WATCHWORD_", "XDG_"))},
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "ALSA_CONFIG_PATH": str(self.pulse.alsa_config),
            "WATCHWORD_PATHS__MODELS": str(self.models),
        }
        extra = home / "environment"
        if extra.exists():
            env |= dict(line.split("=", 1) for line in extra.read_text().splitlines())
        command = [sys.executable, "-m", "daemon.cli.main", "run", "--config", str(home / "config.toml")]
        command += ["--source", self.camera.url]
        for _ in range(2):  # the first daemon must not be taken for the second
            self.living.ask(MuteCommand(seconds=120, by="keys"))
        time.sleep(QUIET_S)
        frame = self.ear.frames()
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout_s)
        eventually(lambda: self.is_heard_since(frame), 2)
        heard = self.is_heard_since(frame)
        self.living.ask(MuteCommand(seconds=0, by="keys"))
        return done.returncode, heard, done.stderr


def eventually(true: Callable[[], bool], timeout_s: float) -> bool:
    """Look now and then, for what no event tells of."""
    until_s = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.05)
    return True
