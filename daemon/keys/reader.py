"""Reads a Linux input device: a headset's button, a small keypad. Unplugged, it is waited for.

The layout of an event and the requests are those of linux/input.h; an event's time is made monotonic
by EVIOCSCLOCKID. Something else that speaks this format, as a recording in a pipe, keeps its own time.
"""

from __future__ import annotations

import fcntl
import logging
import os
import random
import select
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from common.backoff import Backoff
from daemon.config.key_names import actions, code_of
from daemon.config.sections import KeysSettings
from daemon.keys.presses import KeyEvent, Press, PressDetector

log = logging.getLogger(__name__)

EVENT = struct.Struct("@llHHi")
"""struct input_event: seconds, microseconds, type, code, value."""
EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
UP, DOWN = 0, 1
"""Values of EV_KEY; 2 is a repetition."""
EVIOCSCLOCKID = 0x400445A0
EVIOCGRAB = 0x40044590
CLOCK_MONOTONIC = 1
NAME_BYTES = 256
EVIOCGNAME = 0x80004506 | NAME_BYTES << 16

INPUTS = Path("/dev/input")
FIRST_RETRY_S = 0.25
MAX_WAIT_S = 1.0
"""Seconds a wait lasts at most."""
EVENTS_PER_READ = 64
"""Events taken in at one reading."""


class Unplugged(Exception):
    """The device is not there, or not any more."""


def device_name(fd: int) -> str:
    """The name of an input device. Raises OSError if it is none."""
    name = bytearray(NAME_BYTES)
    fcntl.ioctl(fd, EVIOCGNAME, name)
    return bytes(name).split(b"\0", 1)[0].decode("utf-8", "replace")


class KeyReader:
    """Turns the keys of one input device into actions. `run` is the target of a thread that `close` ends."""

    def __init__(
        self,
        settings: KeysSettings,
        clock: Callable[[], float],
        inputs: Path = INPUTS,
    ) -> None:
        """Without a device in the settings `run` only waits for `close`."""
        self._settings = settings
        self._clock = clock
        self._inputs = inputs
        self._actions = {code_of(name): actions(text) for name, text in settings.on.items()}
        doubled = [code for code, does in self._actions.items() if "double" in does]
        self._presses = PressDetector(settings.double_s, settings.long_s, doubled)
        self._closing = threading.Event()
        self._wake_out, self._wake_in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._backoff = Backoff(FIRST_RETRY_S, settings.retry_max_s, random.random)
        self._missing = ""
        self._offset_s: float | None = None
        self.state = f"waiting for {settings.device}" if settings.device else "off"
        """In words, for the status."""
        self.presses = 0

    def run(self, on_action: Callable[[str], None]) -> None:
        """Read until `close`, while devices come and go. `on_action` must not wait long."""
        while self._settings.device and not self._closing.is_set():
            try:
                self._read_device(on_action)
            except (OSError, Unplugged) as error:
                self._set_missing(str(error))
                self._closing.wait(self._backoff.next_s())
        self._closing.wait()

    def close(self) -> None:
        """Let `run` end at once."""
        self._closing.set()
        with suppress(OSError):
            os.write(self._wake_in, b"x")

    def _read_device(self, on_action: Callable[[str], None]) -> None:
        """Read one device until it goes away. Raises OSError, Unplugged."""
        fd = self._open()
        try:
            self._prepare(fd)
            self._read(fd, on_action)
        finally:
            os.close(fd)
            self._presses.reset()

    def _set_missing(self, why: str) -> None:
        """Say so once, not at every attempt."""
        self.state = f"waiting for {self._settings.device} ({why})"
        if why != self._missing:
            log.warning("keys: %s", self.state)
        self._missing = why

    # Finding and opening

    def _open(self) -> int:
        if self._settings.device.startswith("/"):
            return os.open(self._settings.device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        for path in self._candidates():
            with suppress(OSError):
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                if self._is_wanted(fd):
                    return fd
                os.close(fd)
        raise Unplugged(f"no input device is called that in {self._inputs}")

    def _candidates(self) -> Iterator[Path]:
        yield from sorted(self._inputs.glob("event*"), key=lambda path: (len(path.name), path.name))

    def _is_wanted(self, fd: int) -> bool:
        try:
            return self._settings.device.lower() in device_name(fd).lower()
        except OSError:
            return False

    def _prepare(self, fd: int) -> None:
        name, self._offset_s = self._settings.device, None
        with suppress(OSError):
            name = device_name(fd)
        with suppress(OSError):
            fcntl.ioctl(fd, EVIOCSCLOCKID, struct.pack("i", CLOCK_MONOTONIC))
            self._offset_s = 0.0
        if self._settings.grab and self._offset_s is not None:
            try:
                fcntl.ioctl(fd, EVIOCGRAB, 1)
            except OSError as error:
                log.warning("keys: %s is not ours alone: %s", name, error.strerror)
        self.state, self._missing = f"listening to {name}", ""
        self._backoff.reset()
        log.info("keys: %s", self.state)

    # Reading

    def _read(self, fd: int, on_action: Callable[[str], None]) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._wake_out, select.POLLIN)
        while not self._closing.is_set():
            ready = dict(poll.poll(self._wait_ms()))
            if fd in ready:
                for event in self._events(fd):
                    self._press(self._presses.step(event), on_action)
            self._press(self._presses.tick(self._clock()), on_action)

    def _wait_ms(self) -> float:
        due_s = self._presses.due_s()
        wait_s = MAX_WAIT_S if due_s is None else min(max(due_s - self._clock(), 0.0), MAX_WAIT_S)
        return 1000 * wait_s + 1

    def _events(self, fd: int) -> Iterator[KeyEvent]:
        """Return the events that have arrived. Raises OSError, Unplugged."""
        try:
            data = os.read(fd, EVENTS_PER_READ * EVENT.size)
        except BlockingIOError:
            return
        if not data:
            raise Unplugged("it went away")
        for seconds, micros, kind, code, value in EVENT.iter_unpack(
            data[: len(data) - len(data) % EVENT.size]
        ):
            if kind == EV_KEY and value in (UP, DOWN):
                yield KeyEvent(code, value == DOWN, self._time(seconds + micros / 1e6))
            elif kind == EV_SYN and code == SYN_DROPPED:
                log.warning("keys: some events were lost")
                self._presses.reset()

    def _time(self, stamp_s: float) -> float:
        """In our clock's seconds; a recording begins when it begins to be read."""
        if self._offset_s is None:
            self._offset_s = self._clock() - stamp_s
        return stamp_s + self._offset_s

    def _press(self, presses: tuple[Press, ...], on_action: Callable[[str], None]) -> None:
        for press in presses:
            action = self._actions.get(press.code, {}).get(press.kind)
            if action is None:
                log.debug("keys: %s press of key_%d means nothing", press.kind, press.code)
                continue
            self.presses += 1
            log.info("keys: %s press of key_%d: %s", press.kind, press.code, action)
            on_action(action)
