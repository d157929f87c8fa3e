"""The control socket: a real server, real clients, and the ways in which both go wrong."""

from __future__ import annotations

import grp
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.control import commands
from daemon.control import protocol as wire
from daemon.control.client import ControlClient, NotRunning, connect_any
from daemon.control.event_feed import EventFeed
from daemon.control.server import ControlServer
from daemon.control.socket import ControlSocket, Peer, Rights, peer, rights
from daemon.errors import CommandError, ConfigError
from tests.logs import messages_of

PATIENCE_S = 10.0
ROOT = Path(__file__).parents[3]


class Daemon:
    """Answers what it was asked, fails where told, and can be held up."""

    def __init__(self, path: Path, feed: EventFeed | None = None, **options: Any) -> None:
        self.feed = feed or EventFeed()
        self.asked: list[wire.Request] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.server = ControlServer(path, self.handle, self.feed, **options)

    def handle(self, request: wire.Request) -> Mapping[str, Any]:
        self.asked.append(request)
        assert self.go_on.wait(PATIENCE_S)
        match request.command:
            case commands.StatusCommand():
                return {"fps": 25.0}
            case commands.AskCommand():
                raise CommandError("there is no camera to look through")
            case commands.ReloadCommand():
                raise ConfigError("config.toml:3: speech.rate: no such setting", "config.toml:9: watch: no")
            case commands.RepeatCommand():
                raise ValueError("oh")
            case commands.WhyCommand():
                return {"odd": object()}
        return {}


@contextmanager
def running(path: Path, feed: EventFeed | None = None, **options: Any) -> Iterator[Daemon]:
    daemon = Daemon(path, feed, **options)
    thread = threading.Thread(target=daemon.server.run)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.go_on.set()
        daemon.server.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        for left in daemon.server._threads:
            left.join(PATIENCE_S)
            assert not left.is_alive()


def _eventually(true: Callable[[], bool]) -> bool:
    until_s = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < until_s:
        threading.Event().wait(0.02)
    return true()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "watchword.sock"


def test_questions_and_answers_over_one_connection(path: Path) -> None:
    with running(path) as daemon, ControlClient(path) as client:
        assert client.ask(commands.StatusCommand()) == {"fps": 25.0}
        assert client.ask(commands.SayCommand(text="안녕하세요", language="ko")) == {}
        assert [r.command for r in daemon.asked] == [
            commands.StatusCommand(),
            commands.SayCommand(text="안녕하세요", language="ko"),
        ]
        assert [r.id for r in daemon.asked] == [1, 2]


def test_a_refusal_is_one_line_and_the_connection_lives_on(path: Path) -> None:
    with running(path), ControlClient(path) as client:
        with pytest.raises(CommandError, match=r"^there is no camera to look through$"):
            client.ask(commands.AskCommand())
        with pytest.raises(CommandError, match=r"^config.toml:3: .*; config.toml:9: watch: no$"):
            client.ask(commands.ReloadCommand())
        assert client.ask(commands.StatusCommand())


@pytest.mark.parametrize("command", [commands.RepeatCommand(), commands.WhyCommand()])
def test_a_bug_is_told_and_logged_and_the_server_lives_on(
    path: Path, command: commands.Command, caplog: pytest.LogCaptureFixture
) -> None:
    with running(path), ControlClient(path) as client:
        with pytest.raises(CommandError, match=r"a bug: (ValueError|TypeError)"):
            client.ask(command)
        assert "Traceback" in caplog.text
        assert client.ask(commands.StatusCommand())


def _raw(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(PATIENCE_S)
    link.connect(str(path))
    return link


def test_garbage_is_answered_and_then_sense_is_too(path: Path) -> None:
    with running(path), _raw(path) as link, link.makefile("rb") as answers:
        link.sendall(b'rubbish\n\xff\xfe\n{"v":9,"id":4,"do":"hush"}\n{"v":1,"id":5,"do":"hush"}\n')
        replies = [json.loads(answers.readline()) for _ in range(4)]
        assert [(r["id"], r["ok"]) for r in replies] == [
            (None, False),
            (None, False),
            (4, False),
            (5, True),
        ]


def test_half_a_request_is_waited_for(path: Path) -> None:
    with running(path), _raw(path) as link, link.makefile("rb") as answers:
        line = b'{"v":1,"id":5,"do":"hush"}\n'
        for byte in line:
            link.sendall(bytes([byte]))
        assert json.loads(answers.readline())["ok"]


def test_an_endless_request_is_cut_off(path: Path) -> None:
    with running(path), _raw(path) as link, link.makefile("rb") as answers:
        link.sendall(b"x" * (wire.LONGEST_REQUEST + 1))
        assert "16384 bytes at most" in json.loads(answers.readline())["error"]
        assert answers.readline() == b""


def test_who_says_nothing_is_let_go(path: Path) -> None:
    with running(path, request_s=0.05), _raw(path) as link:
        assert link.recv(1) == b""
    with running(path, idle_s=0.05), ControlClient(path) as client:
        client.ask(commands.StatusCommand())
        assert client._link.recv(1) == b""


def test_a_byte_now_and_then_does_not_hold_a_place(path: Path) -> None:
    with running(path, request_s=0.3) as daemon, _raw(path) as link:
        with pytest.raises(OSError):
            for _ in range(100):
                link.sendall(b"{")
                threading.Event().wait(0.02)
        assert _eventually(lambda: daemon.server.clients == 0)


def test_only_so_many_are_answered_at_once_and_the_rest_are_told(path: Path) -> None:
    with running(path, clients=2) as daemon, ExitStack() as stack:
        daemon.go_on.clear()
        for link in [stack.enter_context(_raw(path)) for _ in range(2)]:
            link.sendall(b'{"v":1,"id":1,"do":"status"}\n')
        assert _eventually(lambda: len(daemon.asked) == 2)
        with ControlClient(path) as third, pytest.raises(CommandError, match="2 others are talking"):
            third.ask(commands.StatusCommand())


def test_who_only_holds_a_place_makes_room_for_who_asks(path: Path) -> None:
    with running(path, clients=3, of_a_process=99) as daemon, ExitStack() as stack:
        patient = stack.enter_context(ControlClient(path))
        patient.ask(commands.StatusCommand())
        for _ in range(20):
            stack.enter_context(_raw(path)).sendall(b'{"v":1,')
        for _ in range(20):
            with ControlClient(path) as client:
                assert client.ask(commands.HushCommand()) == {}
        assert patient.ask(commands.StatusCommand()), "those that never asked anything go first"
        assert daemon.server.clients <= 3


def test_one_process_does_not_take_every_place(path: Path) -> None:
    with running(path, of_a_process=2) as daemon, ExitStack() as stack:
        daemon.go_on.clear()
        for link in [stack.enter_context(_raw(path)) for _ in range(2)]:
            link.sendall(b'{"v":1,"id":1,"do":"status"}\n')
        assert _eventually(lambda: len(daemon.asked) == 2)
        with ControlClient(path) as third, pytest.raises(CommandError, match="2 connections already"):
            third.ask(commands.StatusCommand())


def test_memory_that_runs_short_does_not_end_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(path) as daemon:
        take, failures = daemon.server._take, [MemoryError(), RuntimeError("can't start new thread")]

        def short(link: socket.socket) -> None:
            if failures:
                link.close()
                raise failures.pop()
            take(link)

        monkeypatch.setattr(daemon.server, "_take", short)
        for _ in range(2):
            with pytest.raises(CommandError), ControlClient(path) as client:
                client.ask(commands.StatusCommand())
        with ControlClient(path) as client:
            assert client.ask(commands.StatusCommand())


def test_what_was_removed_is_there_again_and_still_ours(path: Path) -> None:
    with running(path):
        shutil.rmtree(path.parent)
        assert _eventually(path.exists)
        with ControlClient(path) as client:
            assert client.ask(commands.StatusCommand())
        with pytest.raises(CommandError, match=f"process {os.getpid()}"):
            Daemon(path)
        path.unlink()
        assert _eventually(path.exists)
        with ControlClient(path) as client:
            assert client.ask(commands.StatusCommand())


def test_the_socket_of_another_daemon_is_not_removed(path: Path) -> None:
    ours = ControlSocket(path, rights(""))
    path.unlink()
    path.touch()
    ours.close()
    assert path.exists()


def test_once_closed_it_is_not_made_again_and_nobody_waits_for_it(path: Path) -> None:
    ours = ControlSocket(path, rights(""))
    ours.close()
    ours.restore()
    assert not ours.wait(0)
    assert not path.exists()


def test_a_client_that_has_left_makes_room_although_its_question_is_still_being_answered(path: Path) -> None:
    with running(path, clients=2) as daemon, ExitStack() as stack:
        patient = stack.enter_context(ControlClient(path))
        patient.ask(commands.StatusCommand())
        daemon.go_on.clear()
        with _raw(path) as left:
            left.sendall(b'{"v":1,"id":1,"do":"status"}\n')
            assert _eventually(lambda: len(daemon.asked) == 2)
        with ControlClient(path):
            daemon.go_on.set()
            assert patient.ask(commands.StatusCommand()), "who listens to nothing any more goes first"


def test_listeners_leave_room_for_those_who_ask(path: Path) -> None:
    with running(path, streams=1), ControlClient(path) as listener, ControlClient(path) as other:
        listener.events()
        with pytest.raises(CommandError, match="1 others are listening"):
            other.events()
        other.ask(commands.StatusCommand())


def test_the_socket_is_for_its_owner_only(path: Path) -> None:
    with running(path):
        mode = path.lstat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


def test_a_second_daemon_is_refused_and_the_first_lives_on(path: Path) -> None:
    with running(path):
        with pytest.raises(CommandError, match=f"running already .process {os.getpid()}, socket {path}"):
            Daemon(path)
        with ControlClient(path) as client:
            assert client.ask(commands.StatusCommand())
        with running(path.with_name("left.sock")), ControlClient(path.with_name("left.sock")) as left:
            assert left.ask(commands.StatusCommand())


CRASHES = """
import os, sys, threading
from pathlib import Path
from daemon.control.server import ControlServer
from daemon.control.event_feed import EventFeed
server = ControlServer(Path(sys.argv[1]), lambda request: {}, EventFeed())
threading.Thread(target=server.run, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""


def test_what_a_killed_daemon_left_behind_is_replaced(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CRASHES, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout and child.stdout.readline() == "ready\n"
    with ControlClient(path) as client:
        assert client.ask(commands.HushCommand()) == {}
        with pytest.raises(CommandError, match=f"process {child.pid}"):
            Daemon(path)
        child.send_signal(signal.SIGKILL)
        child.wait(PATIENCE_S)
        with pytest.raises(CommandError, match="went away"):
            client.ask(commands.HushCommand())
    child.stdout.close()
    assert path.exists()
    with pytest.raises(NotRunning):
        ControlClient(path)
    with running(path), ControlClient(path) as client:
        assert client.ask(commands.StatusCommand())


def test_a_path_that_is_of_no_use_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"longer than the 107 bytes.*XDG_RUNTIME_DIR"):
        Daemon(tmp_path / ("x" * 100) / "watchword.sock")


def socket_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        return path.exists() and link.connect_ex(str(path)) == 0


def test_without_a_usable_path_the_daemon_goes_on_and_tries_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk must not cost the wearer the warnings, only the commands, and these not for ever."""
    folder = tmp_path / "file"
    folder.touch()
    with running(folder / "watchword.sock"):
        said = messages_of(caplog, "daemon.control.socket")
        assert len(said) == 1
        assert re.search(r"cannot offer the control socket .*: (Not a directory|File exists)", said[0])
        with pytest.raises(CommandError):
            ControlClient(folder / "watchword.sock")
        folder.unlink()
        assert _eventually(lambda: socket_listens(folder / "watchword.sock"))
        with ControlClient(folder / "watchword.sock") as client:
            assert client.ask(commands.StatusCommand())
    assert not (folder / "watchword.sock").exists()


def test_a_group_that_does_not_exist_admits_nobody_more_and_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(path, group="no-such-group"), ControlClient(path) as client:
        assert client.ask(commands.StatusCommand())
        assert path.stat().st_mode & 0o777 == 0o600
    assert "control.group = 'no-such-group': there is no such group" in caplog.text


def test_nobody_there_is_said_with_what_to_do(path: Path) -> None:
    with pytest.raises(NotRunning, match=r"^no watchword is running .* start it with `watchword run`"):
        connect_any([path, path, path.with_name("other.sock")])
    with running(path.with_name("left.sock")), pytest.raises(NotRunning, match="there are left: --instance"):
        connect_any([path])
    with running(path), connect_any([path.with_name("other.sock"), path]) as client:
        assert client.path == path


def test_a_daemon_that_does_not_answer_is_not_waited_for(path: Path) -> None:
    with running(path) as daemon, ControlClient(path, timeout_s=0.05) as client:
        daemon.go_on.clear()
        with pytest.raises(CommandError, match=r"did not answer within 0.05 s"):
            client.ask(commands.StatusCommand())


def test_one_who_is_slow_to_be_answered_keeps_nobody_waiting(path: Path) -> None:
    with running(path) as daemon, ControlClient(path) as slow, ControlClient(path) as quick:
        daemon.go_on.clear()
        answers: list[dict[str, Any]] = []
        thread = threading.Thread(target=lambda: answers.append(slow.ask(commands.StatusCommand())))
        thread.start()
        with pytest.raises(CommandError, match="should be one of"), _raw(path) as link:
            link.sendall(b'{"v":1,"id":1,"do":"dance"}\n')
            wire.decode_reply(link.makefile("rb").readline(), 1)
        daemon.go_on.set()
        thread.join(PATIENCE_S)
        assert answers == [{"fps": 25.0}] and quick.ask(commands.StatusCommand())


# Events


def test_events_come_as_they_happen_and_end_with_the_daemon(path: Path) -> None:
    with running(path) as daemon, ControlClient(path) as client:
        events = client.events()
        for n in range(3):
            daemon.feed.publish(json.dumps({"v": 1, "kind": "alert", "n": n}))
            assert json.loads(next(events))["n"] == n
        daemon.server.close()
        assert list(events) == []


def test_only_the_kinds_that_were_asked_for(path: Path) -> None:
    with running(path) as daemon, ControlClient(path) as client:
        events = client.events(["speak", "health"])
        for kind in ("alert", "speak", "scene", "health"):
            daemon.feed.publish(json.dumps({"v": 1, "kind": kind}))
        assert [json.loads(next(events))["kind"] for _ in range(2)] == ["speak", "health"]


def test_a_reader_that_does_not_read_loses_events_is_told_and_holds_up_nobody(path: Path) -> None:
    feed, count = EventFeed(limit=10), 5000
    with running(path, feed) as daemon, ControlClient(path) as slow, ControlClient(path) as other:
        events = slow.events()
        for n in range(count):
            feed.publish(json.dumps({"v": 1, "kind": "alert", "n": n, "padding": "x" * 500}))
        assert other.ask(commands.StatusCommand())
        seen, dropped = 0, 0
        for line in events:
            event = json.loads(line)
            if event["kind"] == "dropped":
                dropped += event["count"]
            else:
                assert event["n"] == seen + dropped
                seen += 1
            if seen + dropped == count:
                break
        assert dropped == feed.dropped > 0
        assert daemon.asked


def test_a_reader_that_never_reads_is_let_go(path: Path) -> None:
    feed = EventFeed(limit=1000)
    with running(path, feed, idle_s=0.2) as daemon, ControlClient(path) as slow:
        events = slow.events()
        for n in range(1000):
            feed.publish(json.dumps({"v": 1, "kind": "alert", "n": n, "padding": "x" * 2000}))
        assert _eventually(lambda: daemon.server.clients == 0)
        assert len(list(events)) < 1000


def test_a_listener_that_leaves_is_noticed(path: Path) -> None:
    with running(path) as daemon:
        with ControlClient(path) as client:
            client.events()
            assert daemon.server.clients == 1
        assert _eventually(lambda: daemon.server.clients == 0)


# Rights


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (Peer(1, 1000, frozenset({1000})), True),
        (Peer(1, 0, frozenset({0})), True),
        (Peer(1, 1001, frozenset({1001})), False),
        (Peer(1, 1001, frozenset({1001, 44})), True),
    ],
)
def test_the_owner_root_and_the_group_may_talk(who: Peer, allowed: bool) -> None:
    assert Rights(1000, 44).allow(who) is allowed
    assert Rights(1000).allow(who) is (allowed and 44 not in who.groups)


def test_the_kernel_says_who_is_there() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer(ours) == Peer(os.getpid(), os.geteuid(), frozenset({os.getegid(), *os.getgroups()}))
    assert rights("") == Rights(os.geteuid())


AS_NOBODY = """
import os, sys
from pathlib import Path
from daemon.control.client import ControlClient
from daemon.control.commands import StatusCommand
from daemon.errors import CommandError
os.setgroups([int(group) for group in sys.argv[2:]])
os.setgid(65534)
os.setuid(65534)
try:
    print(ControlClient(Path(sys.argv[1])).ask(StatusCommand()))
except CommandError as error:
    print(error)
"""


def _as_nobody(path: Path, *groups: int) -> str:
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(path), *map(str, groups)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_kept_out_unless_in_the_group(path: Path) -> None:
    path = Path(tempfile.mkdtemp(dir="/tmp")) / "watchword.sock"
    path.parent.chmod(0o711)
    video = grp.getgrnam("video").gr_gid
    with running(path):
        assert "you may not talk to the watchword" in _as_nobody(path, video)
        path.chmod(0o666)  # even where the file's rights would let it in
        assert "only user 0 and root may talk" in _as_nobody(path, video)
    with running(path, group="video"):
        assert stat.S_IMODE(path.lstat().st_mode) == 0o660
        assert _as_nobody(path, video) == "{'fps': 25.0}\n"
        assert "you may not talk to the watchword" in _as_nobody(path)
    shutil.rmtree(path.parent)


def test_instances_that_were_killed_are_not_named(path: Path) -> None:
    path.parent.mkdir()
    for name in ("left", "right"):
        path.with_name(f"{name}.sock").touch()
    with pytest.raises(NotRunning, match="start it with `watchword run`"):
        connect_any([path])
    with running(path.with_name("rear.sock")), pytest.raises(NotRunning, match="there are rear: --instance"):
        connect_any([path])
