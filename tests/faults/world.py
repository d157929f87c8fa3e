"""The real daemon on a faulty camera, with a real sound server, and an ear at its sink."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from daemon.bench.loudspeaker import PrivatePulse, SinkRecorder
from daemon.control.commands import MuteCommand
from tests.daemon.living import Living, demo_frames, own_cache
from tests.faults.camera import FaultyCamera
from tests.faults.describer_server import FaultyDescriber
from tests.faults.pusher import LoopingPusher
from tests.faults.waiting import ROOT, eventually
from tests.faults.web import Web

SETTINGS = """
[watch]
cooldown_s = 2
remind_s = 3
[pipeline]
usual_s = 0
[health]
quiet_s = 2
[capture]
frozen_s = 4
retry_max_s = 1
[speech]
clear_earcon = "off"
"""
NO_DESCRIBER = '[describe]\nbackend = "off"\n'
DESCRIBER = '[describe]\nbackend = "openai"\nmodel = "x"\nserver_url = "{}"\ndeadline_s = 4\n'
SITE = """
import ipaddress, os, sys, time
real = time.time
def leapt():
    try:
        with open(os.environ["FAULTS_CLOCK"]) as file:
            return real() + float(file.read())
    except (OSError, ValueError):
        return real()
time.time = leapt

def is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
def hook(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        leaves = not is_here(args[1][0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        leaves = not is_here(args[0])
    else:
        return
    if leaves:
        with open(os.environ["FAULTS_LEFT"], "a") as file:
            file.write(f"{event} {args!r:.200}\\n")
sys.addaudithook(hook)
"""
"""A `sitecustomize` of the daemon, its children and the web process: it lets the clock leap as a file says,
and notes every connection and look-up that leaves the machine.
"""
LOUD = 500
"""Amplitude of 16-bit samples from which something is heard."""
QUIET_S = 4.0
"""Seconds until what is said when silence was asked for is over."""


class World:
    """Everything a fault can be injected into. A context manager."""

    def __init__(self, folder: Path, models: Path, stage: str = "street") -> None:
        """`stage`: `street` sees through an MJPEG camera, `describer` has a server that describes, `rtsp` and
        `rtmp` have a camera that pushes.
        """
        self.folder = folder
        self.models = models
        self.stage = stage
        self.link = socket.socket()
        """A connection that a fault holds open."""
        self.busy: list[subprocess.Popen[bytes]] = []
        self._web: Web | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        (self.folder / "pulse").mkdir(parents=True)
        clip = self.models / "demo" / "bikes.mp4"
        self.pulse = PrivatePulse(self.folder / "pulse")
        self.pulse.start()
        self._stack.callback(lambda: self.pulse.kill())
        self._ear: SinkRecorder | None = None
        self.listen()
        self._stack.callback(lambda: self.ear.close())
        self.camera = FaultyCamera(demo_frames(clip)[:120])
        self._stack.callback(self.camera.close)
        self.source = self.camera.url
        self.settings = SETTINGS + NO_DESCRIBER
        if self.stage == "describer":
            self._describer_port = 0
            self.serve_describer()
            self._stack.callback(lambda: self.describer.close())
            self.settings = SETTINGS + DESCRIBER.format(self.describer.url)
        if self.stage in ("rtsp", "rtmp"):
            self.pusher = LoopingPusher(self.folder, clip, self.stage)
            self._stack.callback(self.pusher.stop)
            self.source = self.pusher.url
            self.pusher.start()
        home = self.folder / "home"
        home.mkdir()
        self._stack.callback(self._end_web)
        # A cache of its own, since rows damage it, but a full one: rendering every phrase takes long.
        warm = own_cache() / "watchword"
        if warm.exists():
            shutil.copytree(warm, self.cache)
            for path in (self.cache, *self.cache.rglob("*")):
                path.chmod(0o700 if path.is_dir() else 0o600)
        self.living = self._stack.enter_context(
            Living(home, self.models, self.source, self.settings, self._environment(home))
        )
        if not warm.exists():
            shutil.copytree(self.cache, warm)

    def _environment(self, home: Path) -> dict[str, str]:
        site = self.folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(SITE)
        paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            "HOME": str(home),
            "ALSA_CONFIG_PATH": str(self.pulse.alsa_config),
            "PULSE_SERVER": f"unix:{self.pulse.socket}",
            "PYTHONPATH": os.pathsep.join(paths),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "FAULTS_CLOCK": str(self.folder / "clock"),
            "FAULTS_LEFT": str(self.folder / "left"),
        }

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def set_clock(self, offset_s: float) -> None:
        """Let the daemon's wall clock leap."""
        (self.folder / "clock").write_text(str(offset_s))

    @property
    def left(self) -> str:
        """The connections and look-ups that left the machine, one a line."""
        file = self.folder / "left"
        return file.read_text() if file.exists() else ""

    def listen(self) -> None:
        """Hear what the sink plays, anew after the sound server has ended."""
        if self._ear is not None:
            self._ear.close()
        self._ear = self.pulse.listen()

    @property
    def ear(self) -> SinkRecorder:
        assert self._ear is not None
        return self._ear

    def serve_describer(self) -> None:
        """Let the describer's server answer, at the same port as before."""
        self.describer = FaultyDescriber(self._describer_port)
        self._describer_port = self.describer.server_address[1]

    @property
    def web(self) -> Web:
        """The web process, started when it is first asked for."""
        if self._web is None:
            self._web = Web(self.folder / "web", self.living.config, self.living.env)
        return self._web

    def _end_web(self) -> None:
        if self._web is not None:
            self._web.close()

    @property
    def state(self) -> Path:
        """The daemon's state folder."""
        return self.folder / "home" / ".local/state/watchword"

    @property
    def cache(self) -> Path:
        """The daemon's cache folder."""
        return self.folder / "home" / ".cache/watchword"

    def open_files(self) -> int:
        """How many files the daemon has open."""
        return len(list(Path(f"/proc/{self.living.process.pid}/fd").iterdir()))

    def kill(self, module: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the children that run this module."""
        for pid in self.pids(module):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

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
        (home / "config.toml").write_text(SETTINGS + NO_DESCRIBER)
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
        command += ["--source", self.source]
        for _ in range(2):  # the first daemon must not be taken for the second
            self.living.ask(MuteCommand(seconds=120, by="keys"))
        time.sleep(QUIET_S)
        frame = self.ear.frames()
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout_s)
        eventually(lambda: self.is_heard_since(frame), 2)
        heard = self.is_heard_since(frame)
        self.living.ask(MuteCommand(seconds=0, by="keys"))
        return done.returncode, heard, done.stderr
