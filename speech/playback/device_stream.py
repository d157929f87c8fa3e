"""One open loudspeaker: the only module that touches PortAudio."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.playback.base import PlayerLostError

Pull = Callable[[int, float], NDArray[np.int16]]
"""(frames, monotonic seconds at which the first is heard) -> int16 samples, frames x 2."""

BLOCK_S = 0.01
REAL_TIME_PRIORITY = 5
"""The lowest that sound servers use for their own audio threads."""
NICE = -11
STALL_S = 1.0
"""A stream that asks for no samples for so long is dead."""
START_STALL_S = 6.0
"""The same right after opening: sound servers take up to 2 s to set up."""
PROOF_S = 0.25
"""Seconds of sound beyond its buffer that a device must have taken to count as playing."""
PACE_S = 2.0
"""Seconds over which the pace is measured at which samples are taken."""
SPARE_S = 3.0
"""Seconds of sound that may be taken at once: servers hold up to two in buffers of their own."""
FASTEST = 1.5
"""Times real time from which nothing can have been heard of it."""
SANE_AHEAD_S = 5.0
"""Device times further ahead than this are a driver's mistake."""

_PLUGIN = "/libasound_module_"
_KEPT: dict[str, ctypes.CDLL] = {}


class DeviceStream:
    """A permanent output stream in blocks of 10 ms that asks `pull` for samples until it is closed.

    Opening lists the devices anew, so only one may exist at a time. Raises PlayerLostError with the reason;
    trying again later may help even if a library is missing.
    """

    def __init__(self, device: str, rate: int, latency_s: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pull: Pull | None = None
        self._sounddevice = _library()
        self._finished = False
        self.underruns = 0
        self._taken = 0
        self._called_at_s: float | None = None
        self._opened_at_s = clock()
        self._pace_since_s, self._pace_taken = self._opened_at_s, 0
        try:
            self._stream, self.rate, self.device = self._open(device, rate, latency_s)
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise PlayerLostError(
                f"no sound through {device!r} ({_first_line(error)}); "
                "`python -m sounddevice` lists what speech.device can be"
            ) from None
        self._latency_s = float(self._stream.latency)

    @property
    def latency_s(self) -> float:
        """Seconds from a block to its sound, as the driver says."""
        return self._latency_s

    def start(self, pull: Pull) -> None:
        """Begin to ask for samples, in a thread of PortAudio's. Raises PlayerLostError."""
        self._pull = pull
        self._opened_at_s = self._pace_since_s = self._clock()
        try:
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            raise PlayerLostError(f"{self.device} does not start ({_first_line(error)})") from None

    def use(self, pull: Pull) -> None:
        """Ask this one for samples from now on."""
        self._pull = pull

    @property
    def plays(self) -> bool:
        """True once it has taken more than its buffer holds, at a pace that can be heard.

        A suspended server opens, and plays nothing; a device without sound takes everything at once.
        """
        taken = self._taken > (self._latency_s + PROOF_S) * self.rate
        return taken and self._clock() - self._opened_at_s > PROOF_S and not self._swallows()

    def trouble(self) -> str | None:
        """Why nothing is heard any more; None while all is well."""
        if self._finished or not self._stream.active:
            return f"{self.device} went away"
        if self._swallows():
            return f"{self.device} takes sound faster than it can be heard"
        if self._clock() - self._pace_since_s > PACE_S:
            self._pace_since_s, self._pace_taken = self._clock(), self._taken
        called, allowed = self._called_at_s, STALL_S
        if called is None or called - self._opened_at_s < START_STALL_S:
            called, allowed = self._opened_at_s, START_STALL_S + STALL_S
            called = max(called, self._called_at_s or 0.0)
        if self._clock() - called > allowed:
            return f"{self.device} takes no more sound"
        return None

    def _swallows(self) -> bool:
        """True if sound is taken much faster than it lasts."""
        heard_s = FASTEST * (self._clock() - self._pace_since_s) + self._latency_s + SPARE_S
        return self._taken - self._pace_taken > heard_s * self.rate

    def close(self) -> None:
        """Stop at once; safe to call twice and on a dead device."""
        with contextlib.suppress(self._sounddevice.PortAudioError):
            self._stream.close()

    def _open(self, device: str, rate: int, latency_s: float) -> tuple[Any, int, str]:
        sd = self._sounddevice
        sd._terminate()  # PortAudio looks for devices only once after each initialisation
        sd._initialize()
        _keep_plugins()
        index, info = self._find(device)
        channels = min(2, int(info["max_output_channels"]))
        # Ours first: only some devices accept any rate, and resampling each sound costs time.
        rates = dict.fromkeys((rate, int(info["default_samplerate"])))
        for last, wanted in enumerate(rates, start=1):
            try:
                stream = sd.OutputStream(
                    samplerate=wanted,
                    blocksize=round(BLOCK_S * wanted),
                    device=index,
                    channels=channels,
                    dtype="int16",
                    latency=latency_s,
                    callback=self._callback,
                    finished_callback=self._ended,
                )
            except sd.PortAudioError:
                if last == len(rates):
                    raise
            else:
                return stream, wanted, str(info["name"])
        raise AssertionError("unreachable")

    def _find(self, device: str) -> tuple[int | str | None, Any]:
        """The device of that number or name; if nothing is called "default", PortAudio's own default."""
        wanted: int | str | None = int(device) if device.isdecimal() else device
        try:
            return wanted, self._sounddevice.query_devices(wanted, "output")
        except ValueError:
            if device != "default":
                raise
            return None, self._sounddevice.query_devices(None, "output")

    def _callback(self, out: NDArray[np.int16], frames: int, moment: Any, status: Any) -> None:
        now = self._clock()
        if self._called_at_s is None:
            # In the first call, because only here does this code run in PortAudio's own thread.
            _hurry()
        self._called_at_s = now
        self._taken += frames
        self.underruns += bool(status.output_underflow)
        ahead = float(moment.outputBufferDacTime - moment.currentTime)
        # Some drivers report nonsense; the latency is then the best guess.
        if not 0 <= ahead < SANE_AHEAD_S:
            ahead = self._latency_s
        block = self._pull(frames, now + ahead) if self._pull is not None else np.zeros((frames, 2), np.int16)
        out[:] = block if out.shape[1] == 2 else block.mean(axis=1, keepdims=True)

    def _ended(self) -> None:
        self._finished = True


def _library() -> Any:
    """sounddevice, imported late: it needs PortAudio."""
    try:
        import sounddevice
    except OSError:
        raise PlayerLostError(
            "PortAudio is not installed: install Debian's package libportaudio2 (`apt install libportaudio2`)"
        ) from None
    return sounddevice


def _hurry() -> None:
    """Let this thread go before all others, as far as we may: a late block is a gap in a word.

    Real time needs CAP_SYS_NICE or an RTPRIO limit, a negative nice value CAP_SYS_NICE or a NICE limit.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    with contextlib.suppress(OSError):
        # Reset on fork: a child in real time could keep everything else from running.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(REAL_TIME_PRIORITY))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _keep_plugins() -> None:
    """ALSA's plug-ins stay loaded once they are.

    ALSA loads and unloads them, and seventy libraries of theirs, whenever devices are listed; some leave
    memory behind each time (12 KB on Debian 12), which without a loudspeaker would be every two seconds.
    """
    with contextlib.suppress(OSError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        for path in {line.split(maxsplit=5)[-1] for line in maps.splitlines() if _PLUGIN in line}:
            if path not in _KEPT:
                _KEPT[path] = ctypes.CDLL(path)
