"""Keys of an input device: a virtual one where the kernel has uinput, else its format through a pipe."""

from __future__ import annotations

import fcntl
import os
import queue
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.config.key_names import CODES, actions, code_of
from daemon.config.sections import USUAL, KeysSettings
from daemon.control.commands import KEY_ACTIONS
from daemon.keys.reader import EVENT, KeyReader, device_name

PATIENCE_S = 10.0
PLAY, UP = CODES["playpause"], CODES["volumeup"]
QUICK = {"double_s": 0.2, "long_s": 0.3, "retry_max_s": 0.1}

Story = Sequence[tuple[int, int, float]]
"""(code, value, seconds)."""


def events(story: Story) -> bytes:
    """As the kernel gives them: every key followed by a report."""
    parts = []
    for code, value, at_s in story:
        seconds, micros = divmod(round(at_s * 1e6), 1_000_000)
        parts += [EVENT.pack(seconds, micros, 1, code, value), EVENT.pack(seconds, micros, 0, 0, 0)]
    return b"".join(parts)


class Attended:
    """Keys being read, and what came of it."""

    def __init__(self, settings: KeysSettings, inputs: Path) -> None:
        self.told: queue.Queue[str] = queue.Queue()
        self.keys = KeyReader(settings, time.monotonic, inputs)
        self.thread = threading.Thread(target=self.keys.run, args=(self.told.put,))

    def next(self) -> str:
        return self.told.get(timeout=PATIENCE_S)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, self.keys.state
            time.sleep(0.01)


@contextmanager
def attended(settings: KeysSettings, inputs: Path) -> Iterator[Attended]:
    found = Attended(settings, inputs)
    found.thread.start()
    try:
        yield found
    finally:
        found.keys.close()
        found.thread.join(PATIENCE_S)
        assert not found.thread.is_alive()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "recorded"
    os.mkfifo(path)
    return path


def test_a_recording_in_a_pipe_is_acted_on_and_its_end_is_an_unplugging(pipe: Path) -> None:
    with attended(KeysSettings(device=str(pipe), **QUICK), pipe.parent) as user:
        with pipe.open("wb", buffering=0) as recording:
            recording.write(events([(PLAY, 1, 5.0), (PLAY, 0, 5.1)]))
            assert user.next() == "describe"
            recording.write(events([(PLAY, 1, 9.0), (PLAY, 0, 9.05), (PLAY, 1, 9.15), (PLAY, 0, 9.2)]))
            assert user.next() == "repeat"
            recording.write(events([(PLAY, 1, 15.0), (PLAY, 2, 15.2), (PLAY, 2, 15.3), (PLAY, 0, 15.6)]))
            assert user.next() == "hush"
            recording.write(events([(UP, 1, 20.0), (UP, 0, 20.1), (299, 1, 20.2), (299, 0, 20.3)]))
            assert user.next() == "louder"
            assert user.keys.state == f"listening to {pipe}"
        user.until(lambda: "waiting" in user.keys.state)
        with pipe.open("wb", buffering=0) as again:
            again.write(events([(UP, 1, 1.0), (UP, 0, 1.1)]))
            assert user.next() == "louder"
        assert user.keys.presses == 5


def test_a_key_held_when_it_is_unplugged_does_nothing(pipe: Path) -> None:
    with attended(
        KeysSettings(device=str(pipe), double_s=0.2, long_s=5, retry_max_s=0.1), pipe.parent
    ) as user:
        with pipe.open("wb", buffering=0) as recording:
            recording.write(events([(PLAY, 1, 1.0)]))
            user.until(lambda: "listening" in user.keys.state)
        user.until(lambda: "waiting" in user.keys.state)
        with pipe.open("wb", buffering=0) as again:
            again.write(events([(PLAY, 0, 8.0), (UP, 1, 9.0), (UP, 0, 9.1)]))
            assert user.next() == "louder"


def test_lost_events_are_no_presses(pipe: Path) -> None:
    with (
        attended(KeysSettings(device=str(pipe), **QUICK), pipe.parent) as user,
        pipe.open("wb", buffering=0) as recording,
    ):
        dropped = EVENT.pack(1, 0, 0, 3, 0)
        recording.write(events([(PLAY, 1, 1.0)]) + dropped + events([(UP, 1, 9.0), (UP, 0, 9.1)]))
        assert user.next() == "louder"


@pytest.mark.parametrize("device", ["/nowhere/at/all", "no such name"])
def test_a_device_that_is_not_there_is_waited_for_and_the_end_comes_at_once(
    tmp_path: Path, device: str
) -> None:
    (tmp_path / "event0").write_bytes(b"")
    with attended(KeysSettings(device=device), tmp_path) as user:
        user.until(lambda: "(" in user.keys.state)
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE_S


def test_without_a_device_it_only_waits(tmp_path: Path) -> None:
    with attended(KeysSettings(), tmp_path) as user:
        assert user.keys.state == "off"


def test_what_comes_as_usual_is_known_and_every_action_has_a_key() -> None:
    done = {action for text in USUAL.values() for action in actions(text).values()}
    assert done == set(KEY_ACTIONS)
    assert all(code_of(name) for name in USUAL)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("descrbe", "did you mean describe?"),
        ("triple hush", "short, double or long"),
        ("hush, repeat", "two actions for one short press"),
    ],
)
def test_a_mistake_in_what_a_key_does_is_explained(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        actions(text)


def test_a_mistake_in_a_keys_name_is_explained() -> None:
    assert code_of("key_582") == code_of("voicecommand")
    with pytest.raises(ValueError, match=r"did you mean playpause\?"):
        code_of("playpaus")


# A virtual device

UINPUT = Path("/dev/uinput")
UI_SET_EVBIT, UI_SET_KEYBIT = 0x40045564, 0x40045565
UI_DEV_CREATE, UI_DEV_DESTROY = 0x5501, 0x5502


class Keypad:
    """A device made by uinput, as in the kernel's documentation (input/uinput.rst, the old interface)."""

    def __init__(self, name: str, codes: Sequence[int]) -> None:
        self._fd = os.open(UINPUT, os.O_WRONLY | os.O_NONBLOCK)
        fcntl.ioctl(self._fd, UI_SET_EVBIT, 1)
        for code in codes:
            fcntl.ioctl(self._fd, UI_SET_KEYBIT, code)
        os.write(self._fd, struct.pack("80sHHHHi64i64i64i64i", name.encode(), 3, 1, 1, 1, 0, *[0] * 256))
        fcntl.ioctl(self._fd, UI_DEV_CREATE)

    def press(self, code: int, *values: int) -> None:
        for value in values:
            os.write(self._fd, EVENT.pack(0, 0, 1, code, value) + EVENT.pack(0, 0, 0, 0, 0))

    def close(self) -> None:
        fcntl.ioctl(self._fd, UI_DEV_DESTROY)
        os.close(self._fd)


def _uinput_works() -> bool:
    try:
        os.close(os.open(UINPUT, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _uinput_works(), reason="this kernel offers no /dev/uinput to this user")
def test_a_virtual_keypad_is_found_by_name_read_unplugged_and_found_again() -> None:
    name = f"Watchword test {os.getpid()}"
    with attended(KeysSettings(device=name.lower(), **QUICK), Path("/dev/input")) as user:
        for _ in range(2):
            keypad = Keypad(name, [PLAY, UP])
            user.until(lambda: "listening" in user.keys.state)
            keypad.press(PLAY, 1, 0)
            assert user.next() == "describe"
            keypad.press(PLAY, 1, 0, 1, 0)
            assert user.next() == "repeat"
            keypad.press(PLAY, 1)
            assert user.next() == "hush"
            keypad.press(PLAY, 0)
            keypad.close()
            user.until(lambda: "waiting" in user.keys.state)


@pytest.mark.skipif(not _uinput_works(), reason="this kernel offers no /dev/uinput to this user")
def test_a_grabbed_device_is_heard_by_nobody_else() -> None:
    name = f"Watchword grabbed {os.getpid()}"
    keypad = Keypad(name, [UP])
    try:
        with attended(KeysSettings(device=name, **QUICK), Path("/dev/input")) as user:
            user.until(lambda: "listening" in user.keys.state)
            (path,) = [p for p in Path("/dev/input").glob("event*") if _called(p, name)]
            other = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            keypad.press(UP, 1, 0)
            assert user.next() == "louder"
            with pytest.raises(BlockingIOError):
                os.read(other, EVENT.size)
            os.close(other)
    finally:
        keypad.close()


def _called(path: Path, name: str) -> bool:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return device_name(fd) == name
    finally:
        os.close(fd)
