"""A loudspeaker that needs no sound card: a private PulseAudio with a null sink, and an ear at it.

For measurements and tests. Needs Debian's packages pulseaudio and libasound2-plugins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.own_process import raise_priority

START_S = 10.0


def available() -> bool:
    """True if the programs and ALSA's pulse plugin are installed."""
    plugin = any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))
    return plugin and all(shutil.which(program) for program in ("pulseaudio", "parec", "setpriv"))


class PrivatePulse:
    """A private PulseAudio daemon in `folder`. ALSA's `default` reaches it through `alsa_config`."""

    def __init__(self, folder: Path, rate: int = 22050) -> None:
        self._folder = folder
        self.rate = rate
        self.socket = folder / "native"
        self.alsa_config = folder / "alsa.conf"
        self.alsa_config.write_text(
            "</usr/share/alsa/alsa.conf>\n"
            f'pcm.!default {{ type pulse server "unix:{self.socket}" }}\n'
            f'ctl.!default {{ type pulse server "unix:{self.socket}" }}\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the daemon and wait until it answers. Raises TimeoutError."""
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: S603 -- fixed arguments
            [
                *("setpriv", "--pdeathsig", "KILL"),  # no daemon is left behind, however we end
                # Without configuration, pid file and idle exit: nothing of the user's own server is touched.
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("--disable-shm=yes", "--log-level=error"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"),
                *("-L", f"module-null-sink sink_name=ear rate={self.rate} channels=2 format=s16le"),
            ],
            env=self._environment(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # The server must not be the part that comes late.
        raise_priority(pid=self._process.pid)
        deadline = time.monotonic() + START_S
        # Polled: the socket's appearance is the only sign that it listens.
        while not self.socket.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("PulseAudio did not start")
            time.sleep(0.01)

    def kill(self) -> None:
        """End the daemon as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def signal(self, number: int) -> None:
        """Send the daemon a signal, as one that stops it."""
        if self._process is not None:
            self._process.send_signal(number)

    def listen(self) -> SinkRecorder:
        """Record all that the null sink plays, from now on."""
        return SinkRecorder(self)

    def _environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            **os.environ,
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "PULSE_RUNTIME_PATH": folder,
            "PULSE_STATE_PATH": folder,
            # An address that does not exist: otherwise it would join the session's own server.
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
        }


class SinkRecorder:
    """Records the null sink's monitor with `parec`, and knows when each sample was heard.

    Samples arrive in pieces and late by varying amounts. The piece that came with the least delay fixes
    the clock: a sample's time is when it would have arrived, had all come as promptly as that one.
    """

    def __init__(self, pulse: PrivatePulse) -> None:
        self.rate = pulse.rate
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._start_s = float("inf")
        self._grown = threading.Condition()
        self._process = subprocess.Popen(  # noqa: S603 -- fixed arguments
            [
                *("parec", f"--server=unix:{pulse.socket}", "--device=ear.monitor", "--raw"),
                *("--format=s16le", f"--rate={pulse.rate}", "--channels=2", "--latency-msec=5"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        raise_priority(pid=self._process.pid)  # what comes late is to be the sound, not the ear
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def samples(self) -> NDArray[np.int16]:
        """All that was heard so far, frames x 2."""
        with self._grown:
            data = b"".join(self._pieces)
        # A piece may end within a frame of 4 bytes.
        return np.frombuffer(data[: len(data) // 4 * 4], np.int16).reshape(-1, 2)

    def frames(self) -> int:
        with self._grown:
            return self._bytes // 4

    def time_of(self, frame: int) -> float:
        """Monotonic seconds at which that frame was heard."""
        with self._grown:
            return self._start_s + frame / self.rate

    def wait(self, frames: int, timeout_s: float) -> bool:
        """Wait until so many frames were heard altogether; False if they were not in time."""
        with self._grown:
            return self._grown.wait_for(lambda: self._bytes >= 4 * frames, timeout_s)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(5)
        self._thread.join(5)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while piece := os.read(pipe.fileno(), 65536):
                now = time.monotonic()
                with self._grown:
                    self._pieces.append(piece)
                    self._bytes += len(piece)
                    # The smallest is the truest: a piece can be delayed, but never arrive early.
                    self._start_s = min(self._start_s, now - self._bytes / 4 / self.rate)
                    self._grown.notify_all()
