"""A newcomer's transcript: every command of README and docs, as written, in a fresh clone with a new HOME.

The daemon of `script/run` stays up beside all others. The transcript is left in the test's folder;
TRANSCRIPT=FILE names another place. What is not typed here, and why, stands in commands.py.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.capture.servers import ffmpeg
from tests.docs.commands import ROOT, Goes, Runs, plan_of, written

pytestmark = [pytest.mark.slow, pytest.mark.release, pytest.mark.timeout(900)]

KEPT = re.compile(r"PIP_.*|.*_PROXY|.*_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|LANG|TMPDIR")
"""What of our environment a newcomer has too: how packages are reached here."""
START_S, PATIENCE_S = 400.0, 120.0


class Terminal:
    """A shell in the clone, with a HOME of its own, that writes down what is typed and printed."""

    def __init__(self, folder: Path, transcript: Path) -> None:
        self.home, self.clone = folder / "home", folder / "watchword"
        self.home.mkdir()
        self.transcript = transcript
        self._lock = threading.Lock()
        with socket.socket() as free:  # 8780 may be taken by another test
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.environment = {
            **{name: value for name, value in os.environ.items() if KEPT.fullmatch(name)},
            "HOME": str(self.home),
            "PATH": f"{self.clone}/.venv/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "WATCHWORD_WEB__PORT": str(port),
        }

    def note(self, text: str) -> None:
        with self._lock, self.transcript.open("a", encoding="utf-8") as file:
            file.write(text)

    def start(self, command: str) -> subprocess.Popen[str]:
        """The command and all it starts end with the tests, even if these are killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.docs.group_of", str(os.getpid()), str(self.clone), command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def type(self, command: str, timeout_s: float) -> tuple[int, str]:
        """Run a command that ends; returns its exit code and what it printed."""
        process = self.start(command)
        try:
            printed, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            end(process)
            printed = process.communicate()[0] + f"did not end within {timeout_s:.0f} s\n"
        self.note(f"$ {command}\n{printed}")
        return process.returncode, printed


def end(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, as a person ends it; then by force."""
    for number, wait_s in ((signal.SIGINT, 20.0), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
            return


class Going:
    """A command that goes on, and the lines that it printed."""

    def __init__(self, terminal: Terminal, command: str) -> None:
        self._process = terminal.start(command)
        self._terminal, self._command = terminal, command
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def printed(self) -> str:
        with self._news:
            return "".join(self._lines)

    def wait_for(self, pattern: str, timeout_s: float) -> None:
        until_s = time.monotonic() + timeout_s
        with self._news:
            while not re.search(pattern, "".join(self._lines), re.MULTILINE):
                left_s = until_s - time.monotonic()
                over = self._process.poll() is not None and not self._reader.is_alive()
                if left_s <= 0 or over:
                    pytest.fail(f"$ {self._command}\n{''.join(self._lines)}\nprinted no {pattern}")
                self._news.wait(min(left_s, 1.0))

    def stop(self) -> None:
        end(self._process)
        self._reader.join(10.0)
        self._terminal.note(f"$ {self._command}\n{self.printed}^C\n")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A fresh clone in which the daemon of `script/run` watches the demo clip."""
    folder = tmp_path_factory.mktemp("newcomer")
    transcript = Path(os.environ.get("TRANSCRIPT") or folder / "transcript.txt")
    transcript.unlink(missing_ok=True)
    terminal = Terminal(folder, transcript)
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "clone",
        "-q",
        "--no-hardlinks",
        str(ROOT),
        str(terminal.clone),
    ]
    cloned = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if cloned.returncode:
        pytest.skip(f"a newcomer clones, and this is no repository: {cloned.stderr.strip()}")
    terminal.note("$ git clone ... watchword && cd watchword\n")
    daemon = Going(terminal, "script/run")
    try:
        daemon.wait_for(r"^says: Ready", START_S)
        daemon.wait_for(r"^says: .*(Vehicle|Bike)", PATIENCE_S)
        _footage(terminal)
        yield terminal
    finally:
        daemon.stop()


def _footage(terminal: Terminal) -> None:
    """The files that the documents take for granted: a walk, and pictures of a thing."""
    demo = terminal.home / ".local/share/watchword/models/demo/bikes.mp4"
    walk = terminal.clone / "walk.mp4"
    cut = [ffmpeg(), "-v", "error", "-i", str(demo), "-t", "3", "-c", "copy", str(walk)]
    subprocess.run(cut, check=True, timeout=60)
    shutil.copy(walk, terminal.clone / "my.mp4")
    (terminal.clone / "pictures").mkdir()
    frames = [
        ffmpeg(),
        "-v",
        "error",
        "-i",
        str(walk),
        "-vf",
        "fps=2",
        str(terminal.clone / "pictures/%d.jpg"),
    ]
    subprocess.run(frames, check=True, timeout=60)
    (terminal.home / ".local/share/bash-completion/completions").mkdir(parents=True)


def _with_real_names(terminal: Terminal, command: str) -> str:
    """The documents' examples of an event, `'#123'` and `a12`, stand for one that happened."""
    if "#123" not in command and "a12" not in command:
        return command
    until_s = time.monotonic() + PATIENCE_S
    while True:  # an alert's black box is written some seconds after it
        _, printed = terminal.type("watchword journal --kind alert --json", 60.0)
        rows = re.findall(r'"row": ?(\d+).*?"id": ?"(a\d+)"', printed)
        for row, name in rows[::-1]:
            boxed = "replay --journal" not in command or _is_boxed(terminal, row)
            if boxed:
                return command.replace("#123", f"#{row}").replace("a12", name)
        if time.monotonic() > until_s:
            pytest.fail(f"no alert for {command}: {printed}")
        time.sleep(1.0)


def _is_boxed(terminal: Terminal, row: str) -> bool:
    return terminal.type(f"watchword replay --journal '#{row}'", 60.0)[0] == 0


def test_every_command_works_as_written(terminal: Terminal) -> None:
    wrong, others = [], {each.command for each in written()}
    for one in dict.fromkeys(each.command for each in written()):
        if one.removeprefix(".venv/bin/") != one and one.removeprefix(".venv/bin/") in others:
            continue  # docs name it by the command's own name: once is enough
        match plan_of(one):
            case Runs() as plan:
                command = _with_real_names(terminal, one)
                code, printed = terminal.type(command, plan.timeout_s)
                if code not in plan.codes or not re.search(plan.says, printed, re.MULTILINE):
                    wrong.append(f"$ {command}\n{printed}exit code {code}, looked for {plan.says!r}")
            case Goes() as plan:
                going = Going(terminal, one)
                going.wait_for(plan.says, START_S)
                going.stop()
    assert not wrong, "\n".join(wrong)


def test_nothing_of_it_is_left_in_the_clone_but_what_is_ignored_or_was_asked_for(terminal: Terminal) -> None:
    _, printed = terminal.type("git status --porcelain", 60.0)
    mine = {"walk.mp4", "my.mp4", "pictures/", "seen.jpg", "said.wav"}
    assert {line[3:] for line in printed.splitlines()} - mine == set()
