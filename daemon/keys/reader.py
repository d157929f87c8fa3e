"""Reads a Linux input device, such as a headset's button or a small keypad; waits while it is unplugged.

The layout of an event and the requests are those of linux/input.h; an event's time is made monotonic
by EVIOCSCLOCKID. A recording in this format, read from a pipe, keeps its own time.
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
# Request numbers as linux/input.h computes them: _IOW('E', 0xa0, int), _IOW('E', 0x90, int) and
# EVIOCGNAME(len).
EVIOCSCLOCKID = 0x400445A0
EVIOCGRAB = 0x40044590
CLOCK_MONOTONIC = 1
NAME_BYTES = 256
EVIOCGNAME = 0x80004506 | NAME_BYTES << 16

INPUTS = Path("/dev/input")
FIRST_RETRY_S = 0.25
MAX_WAIT_S = 1.0
"""Seconds that one call of poll(2) lasts at most."""
EVENTS_PER_READ = 64
"""Events per call of read(2) at most."""


class Unplugged(Exception):
    """The device is not there, or is gone."""


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
        # A pipe and not an Event: `poll` can wait for it together with the device.
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
        # The pipe may be full, which wakes the reader just as well.
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
            # The release of a key that is held while the device vanishes never comes.
            self._presses.reset()

    def _set_missing(self, why: str) -> None:
        """Set the state, and log it if the reason is new."""
        self.state = f"waiting for {self._settings.device} ({why})"
        # The attempts are repeated while the device is away: one line in the log is enough.
        if why != self._missing:
            log.warning("keys: %s", self.state)
        self._missing = why

    # Finding and opening

    def _open(self) -> int:
        if self._settings.device.startswith("/"):
            return os.open(self._settings.device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        for path in self._candidates():
            # A device that may not be opened must not hide the wanted one behind it.
            with suppress(OSError):
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                if self._is_wanted(fd):
                    return fd
                os.close(fd)
        raise Unplugged(f"no input device is called that in {self._inputs}")

    def _candidates(self) -> Iterator[Path]:
        # By length first: event2 comes before event10.
        yield from sorted(self._inputs.glob("event*"), key=lambda path: (len(path.name), path.name))

    def _is_wanted(self, fd: int) -> bool:
        try:
            return self._settings.device.lower() in device_name(fd).lower()
        except OSError:
            return False

    def _prepare(self, fd: int) -> None:
        name, self._offset_s = self._settings.device, None
        # A pipe has no name; it is called as in the settings.
        with suppress(OSError):
            name = device_name(fd)
        # Only an input device knows this request; a pipe fails with ENOTTY and keeps `_offset_s` None.
        with suppress(OSError):
            fcntl.ioctl(fd, EVIOCSCLOCKID, struct.pack("i", CLOCK_MONOTONIC))
            self._offset_s = 0.0
        # Grabbed, so that the desktop does not act on the same key.
        if self._settings.grab and self._offset_s is not None:
            try:
                fcntl.ioctl(fd, EVIOCGRAB, 1)
            except OSError as error:
                log.warning("keys: %s cannot be grabbed, the desktop gets them too: %s", name, error.strerror)
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
            # In every round: a long press is due although no event arrives.
            self._press(self._presses.tick(self._clock()), on_action)

    def _wait_ms(self) -> float:
        due_s = self._presses.due_s()
        # Capped, so that a wake-up that is lost delays `close` by a second at most.
        wait_s = MAX_WAIT_S if due_s is None else min(max(due_s - self._clock(), 0.0), MAX_WAIT_S)
        # One millisecond more: poll(2) would otherwise return just before the press is due, and again at
        # once.
        return 1000 * wait_s + 1

    def _events(self, fd: int) -> Iterator[KeyEvent]:
        """Yield the events that have arrived. Raises OSError, Unplugged."""
        try:
            data = os.read(fd, EVENTS_PER_READ * EVENT.size)
        except BlockingIOError:
            return
        # A pipe reports its end so; a device that is unplugged raises ENODEV instead.
        if not data:
            raise Unplugged("it went away")
        # A device returns whole events; a pipe may end within one.
        for seconds, micros, kind, code, value in EVENT.iter_unpack(
            data[: len(data) - len(data) % EVENT.size]
        ):
            if kind == EV_KEY and value in (UP, DOWN):
                yield KeyEvent(code, value == DOWN, self._time(seconds + micros / 1e6))
            elif kind == EV_SYN and code == SYN_DROPPED:
                log.warning("keys: some events were lost")
                # SYN_DROPPED: the kernel's buffer overran (kernel docs, input/event-codes), and a release may
                # be lost.
                self._presses.reset()

    def _time(self, stamp_s: float) -> float:
        """Convert an event's time into the clock's seconds. A recording starts with its first event, now."""
        # Its first event happens now; the intervals between the others are kept.
        if self._offset_s is None:
            self._offset_s = self._clock() - stamp_s
        return stamp_s + self._offset_s

    def _press(self, presses: tuple[Press, ...], on_action: Callable[[str], None]) -> None:
        for press in presses:
            action = self._actions.get(press.code, {}).get(press.kind)
            if action is None:
                log.debug("keys: %s press of key_%d has no action", press.kind, press.code)
                continue
            self.presses += 1
            log.info("keys: %s press of key_%d: %s", press.kind, press.code, action)
            on_action(action)
