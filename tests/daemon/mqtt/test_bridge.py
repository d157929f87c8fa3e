"""The bridge between a control server and a real mosquitto, and everything that goes wrong between them."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.config.sections import MqttSettings
from daemon.control import commands as web
from daemon.control.commands import (
    HushCommand,
    MuteCommand,
    SayCommand,
    StatusCommand,
)
from daemon.control.event_feed import EventFeed
from daemon.control.protocol import Request
from daemon.control.server import ControlServer
from daemon.core.events import Event
from daemon.errors import CommandError, ConfigError
from daemon.mqtt.bridge import MqttBridge
from daemon.mqtt.broker import BrokerError
from daemon.mqtt.listener import DaemonListener
from tests.daemon.mqtt.announcements import Removed, understood
from tests.daemon.mqtt.mosquitto import PATIENCE_S, Mosquitto, Watcher, free_port, retained
from tests.logs import records_of

ROOT = Path(__file__).parents[3]
JPEG = b"\xff\xd8\xff\xe0 picture \xff\xd9"
BASE = "watchword/box"
CONFIG = "homeassistant/device/watchword_box/config"


class Daemon:
    """Answers the control socket as the real one does, as far as the bridge asks."""

    def __init__(self, path: Path) -> None:
        self.feed = EventFeed()
        self.asked: list[Any] = []
        self.hazards = ["fire", "vehicle"]
        self.active: list[str] = []
        self.muted_s = 0.0
        self._count = 0
        self._server = ControlServer(path, self._answer, self.feed)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    def close(self) -> None:
        self._server.close()
        self._thread.join(PATIENCE_S)

    def happens(self, kind: Any, **fields: Any) -> None:
        self._count += 1
        self.feed.publish(Event(kind, f"{kind[0]}{self._count}", 1.0, fields=fields).to_json())

    def _answer(self, request: Request) -> Mapping[str, Any]:
        command = request.command
        match command:
            case StatusCommand():
                components = {"camera": {"reason": "ok", "detail": "", "since_s": 1.0}}
                muted = {"muted_s": self.muted_s, "danger_muted_s": 0.0}
                return {"version": "1", "fps": 12.3, "active": self.active, "components": components, **muted}
            case web.ScoresCommand():
                # Newest last; a question for what is later than any frame gets none.
                rows = [[9.0, [0.25] * len(self.hazards)], [9.5, [0.75] * len(self.hazards)]]
                asked_s = command.since_s or 0.0
                return {"now": 10.0, "hazards": self.hazards, "rows": rows if asked_s < 1e9 else []}
            case web.PictureCommand():
                if not self.active and command.side == 64:
                    raise CommandError("nothing was assessed yet", "unavailable")
                return {"seq": 7, "jpeg": b64encode(JPEG).decode(), "active": [], "probabilities": {}}
            case MuteCommand(seconds=seconds):
                self.muted_s = seconds
        self.asked.append(command)
        return {}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def socket_path() -> Iterator[Path]:
    folder = tempfile.mkdtemp(prefix="watchword")
    yield Path(folder) / "s.sock"
    shutil.rmtree(folder)


@pytest.fixture
def daemon(stack: ExitStack, socket_path: Path) -> Daemon:
    daemon = Daemon(socket_path)
    stack.callback(daemon.close)
    return daemon


@pytest.fixture
def broker(stack: ExitStack, tmp_path: Path) -> Mosquitto:
    broker = Mosquitto(tmp_path).start()
    stack.callback(broker.stop)
    return broker


def settings(port: int, **more: Any) -> MqttSettings:
    return MqttSettings(enabled=True, port=port, name="box", reconnect_s=1, keepalive_s=5, **more)


@contextmanager
def bridged(path: Path, settings: MqttSettings) -> Iterator[MqttBridge]:
    link = DaemonListener(lambda: [path])
    bridge = MqttBridge(settings, link.ask, link.subscribe, host="box")
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()


def watching(stack: ExitStack, port: int, **how: Any) -> Watcher:
    watcher = Watcher(port, **how)
    stack.callback(watcher.close)
    return watcher


def is_state(watcher: Watcher, topic: str, state: str) -> Callable[[], bool]:
    return lambda: json.loads(watcher.kept.get(f"{BASE}/{topic}") or b"{}").get("state") == state


def is_kept(watcher: Watcher, topic: str, payload: bytes) -> Callable[[], bool]:
    return lambda: watcher.kept.get(topic) == payload


def test_what_happens_stands_at_the_broker(
    daemon: Daemon, broker: Mosquitto, socket_path: Path, stack: ExitStack
) -> None:
    watcher = watching(stack, broker.port)
    bridge = stack.enter_context(bridged(socket_path, settings(broker.port, picture_every_s=0.2)))
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    assert understood(CONFIG, watcher.kept[CONFIG]).components.keys() >= {"hazard_fire", "camera"}
    order = [topic for topic, _ in watcher.passed if topic.startswith(BASE) or topic == CONFIG]
    assert order.index(CONFIG) < order.index(f"{BASE}/hazard/fire") < order.index(f"{BASE}/availability")
    alert = {
        "severity": "critical",
        "direction": "left",
        "probability": 0.9,
        "escalated": False,
        "again": False,
    }
    daemon.happens("alert", hazard="vehicle", **alert)
    watcher.wait(is_state(watcher, "hazard/vehicle", "ON"))
    daemon.happens("speak", text="Car, left!", language="en", priority="danger")
    watcher.wait(lambda: b"Car, left!" in watcher.kept.get(f"{BASE}/said", b""))
    daemon.happens("clear", hazard="vehicle")
    watcher.wait(is_state(watcher, "hazard/vehicle", "OFF"))
    watcher.wait(is_kept(watcher, f"{BASE}/picture", JPEG))
    kinds = [
        json.loads(payload)["event_type"] for topic, payload in watcher.passed if topic == f"{BASE}/event"
    ]
    assert kinds == ["alert", "clear"]
    kept = retained(broker.port)
    assert kept.keys().isdisjoint({f"{BASE}/event", f"{BASE}/picture", f"{BASE}/barrier"})
    assert bridge.status()["connected"]
    bridge.stop()
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"offline"))


def test_orders_reach_the_daemon_but_for_strange_retained_and_too_many(
    daemon: Daemon, broker: Mosquitto, socket_path: Path, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = watching(stack, broker.port)
    watcher.publish(f"{BASE}/set/say", "again and again", retain=True)
    bridge = stack.enter_context(bridged(socket_path, settings(broker.port)))
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    watcher.publish(f"{BASE}/set/hush", "PRESS")
    watcher.publish(f"{BASE}/set/say", "dinner is ready")
    watcher.publish(f"{BASE}/set/mute", "ON")
    watcher.wait(is_state(watcher, "muted", "ON"))
    watcher.publish(f"{BASE}/set/mute", "ON")
    watcher.publish(f"{BASE}/set/purge", "PRESS")
    watcher.publish(f"{BASE}/set/mute", "OFF")
    watcher.wait(is_state(watcher, "muted", "OFF"))
    asked = [
        HushCommand(),
        SayCommand(text="dinner is ready"),
        MuteCommand(seconds=600, by="home"),
        MuteCommand(seconds=0, by="home"),
    ]
    assert daemon.asked == asked
    for _ in range(30):
        watcher.publish(f"{BASE}/set/hush", "PRESS")
    watcher.publish(f"{BASE}/set/mute", "ON")  # behind them; too many by now
    watcher.wait(lambda: bool(bridge.status()["counts"].get("commands_refused", 0) >= 20))
    assert len(daemon.asked) < 20
    assert daemon.muted_s == 0
    assert len([r for r in caplog.records if "not carried out" in r.message]) == 1


@pytest.mark.parametrize("remembers", [False, True])
def test_after_a_break_the_broker_shows_what_is_so_now(
    daemon: Daemon, socket_path: Path, stack: ExitStack, tmp_path: Path, remembers: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    keeping = ["persistence true", f"persistence_location {tmp_path}/"] if remembers else []
    broker = Mosquitto(tmp_path, *keeping).start()
    stack.callback(broker.stop)
    watcher = watching(stack, broker.port)
    bridge = stack.enter_context(bridged(socket_path, settings(broker.port)))
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    daemon.happens("alert", hazard="fire", severity="critical", direction=None, probability=0.9)
    watcher.wait(is_state(watcher, "hazard/fire", "ON"))
    broker.stop()  # with its memory written
    daemon.happens("clear", hazard="fire")
    daemon.happens("alert", hazard="vehicle", severity="critical", direction=None, probability=0.9)
    watcher.kept.clear()
    broker.start()
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    watcher.wait(is_state(watcher, "hazard/fire", "OFF"))
    watcher.wait(is_state(watcher, "hazard/vehicle", "ON"))
    kept = retained(broker.port)
    states = {name: json.loads(kept[f"{BASE}/hazard/{name}"])["state"] for name in daemon.hazards}
    assert states == {"fire": "OFF", "vehicle": "ON"}
    understood(CONFIG, kept[CONFIG])
    assert kept[f"{BASE}/availability"] == b"online"
    assert bridge.status()["counts"]["losses"] == 1
    assert len([r for r in records_of(caplog, "daemon.mqtt") if r.levelno == logging.WARNING]) == 1


def test_what_an_earlier_life_left_behind_is_taken_back(
    daemon: Daemon, broker: Mosquitto, socket_path: Path, stack: ExitStack
) -> None:
    watcher = watching(stack, broker.port)
    old = {"components": {"hazard_train": {"platform": "binary_sensor", "unique_id": "x", "name": "Train"}}}
    watcher.publish(CONFIG, json.dumps(old), retain=True)
    watcher.publish(f"{BASE}/hazard/train", '{"state":"ON"}', retain=True)
    watcher.publish("watchword/other/hazard/train", '{"state":"ON"}', retain=True)
    stack.enter_context(bridged(socket_path, settings(broker.port)))
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    kept = retained(broker.port)
    assert f"{BASE}/hazard/train" not in kept
    assert "watchword/other/hazard/train" in kept
    assert understood(CONFIG, kept[CONFIG]).components["hazard_train"] == Removed(platform="binary_sensor")


def test_home_assistant_coming_up_is_told_everything_again(
    daemon: Daemon, broker: Mosquitto, socket_path: Path, stack: ExitStack
) -> None:
    watcher = watching(stack, broker.port)
    stack.enter_context(bridged(socket_path, settings(broker.port)))
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    watcher.kept.clear()
    watcher.publish("homeassistant/status", "online")
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    assert understood(CONFIG, watcher.kept[CONFIG]).components
    assert json.loads(watcher.kept[f"{BASE}/hazard/fire"])["state"] == "OFF"


def test_a_daemon_that_is_away_is_shown_and_comes_back(
    broker: Mosquitto, socket_path: Path, stack: ExitStack
) -> None:
    watcher = watching(stack, broker.port)
    watcher.publish(CONFIG, '{"components":{}}', retain=True)
    bridge = stack.enter_context(bridged(socket_path, settings(broker.port)))
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    assert watcher.kept[f"{BASE}/daemon"] == b"offline"
    assert json.loads(watcher.kept[f"{BASE}/health"])["state"] == "ON"
    assert watcher.kept[CONFIG] == b'{"components":{}}', "Home Assistant must not forget the device meanwhile"
    daemon = Daemon(socket_path)
    stack.callback(daemon.close)
    watcher.publish(f"{BASE}/set/hush", "PRESS")  # an order makes it look at once
    watcher.wait(is_kept(watcher, f"{BASE}/daemon", b"online"))
    assert understood(CONFIG, watcher.kept[CONFIG]).components
    assert bridge.status()["counts"]["daemon_away"] >= 1


def _certificates(folder: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    for command in (
        ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=our own"],
        ["req", "-x509", *key, "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=another"],
        ["req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-out", "server.pem", "-days", "2", "-extfile", "names"],
    ):  # fmt: skip
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)


def test_with_tls_and_a_password(daemon: Daemon, socket_path: Path, stack: ExitStack, tmp_path: Path) -> None:
    _certificates(tmp_path)
    program = shutil.which("mosquitto_passwd") or pytest.skip("no mosquitto_passwd: script/setup --test")
    subprocess.run(
        [program, "-b", "-c", tmp_path / "users", "web", "Pa ss-wörd"], check=True, capture_output=True
    )
    keys = [
        f"{what} {tmp_path}/{file}" for what, file in (("certfile", "server.pem"), ("keyfile", "server.key"))
    ]
    broker = Mosquitto(tmp_path, *keys, f"password_file {tmp_path}/users", open_to_all=False).start()
    stack.callback(broker.stop)
    secret = tmp_path / "secret"
    secret.write_text("Pa ss-wörd\n")
    good = {
        "tls": True, "ca_file": f"{tmp_path}/ca.pem", "username": "web", "password_file": str(secret),
    }  # fmt: skip
    context = ssl.create_default_context(cafile=f"{tmp_path}/ca.pem")
    watcher = watching(stack, broker.port, context=context, login=("web", "Pa ss-wörd"))
    with bridged(socket_path, settings(broker.port, **good)):
        watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    wrong = tmp_path / "wrong"
    wrong.write_text("guess")
    for change, said in (
        ({"ca_file": f"{tmp_path}/other.pem"}, "certificate is not trusted"),
        ({"password_file": str(wrong)}, "refuses the connection"),
        ({"password_file": str(tmp_path / "none")}, "mqtt.password_file"),
        ({"tls": False}, "is this its TLS port?"),
        ({"host": "localhost"}, "certificate is not trusted"),
    ):
        with pytest.raises(BrokerError, match=said) as failure:
            _try(settings(broker.port, **{**good, **change}))
        assert "Pa ss" not in str(failure.value)
        assert "guess" not in str(failure.value)


def _try(settings: MqttSettings) -> None:
    from daemon.mqtt.broker import PahoBroker

    PahoBroker(settings, "test", ("t", b""), lambda *_: None, lambda _: None).close(None)


CHILD = """
import threading, sys
from daemon.mqtt.bridge import MqttBridge
from daemon.config.sections import MqttSettings
settings = MqttSettings(enabled=True, port=int(sys.argv[1]), name="box", keepalive_s=5)
answer = {"hazards": ["fire"], "fps": 1.0, "components": {}, "active": []}
MqttBridge(settings, lambda command: answer, lambda listener: lambda: None, host="box").start()
threading.Event().wait()
"""


def test_the_last_will_of_a_web_that_is_killed(broker: Mosquitto, stack: ExitStack) -> None:
    watcher = watching(stack, broker.port)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(broker.port)], cwd=ROOT)
    stack.callback(child.wait, PATIENCE_S)
    stack.callback(child.kill)
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"online"))
    os.kill(child.pid, signal.SIGKILL)
    watcher.wait(is_kept(watcher, f"{BASE}/availability", b"offline"))
    assert retained(broker.port)[f"{BASE}/availability"] == b"offline"


def test_a_dead_broker_disturbs_nobody(
    daemon: Daemon, socket_path: Path, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    bridge = stack.enter_context(bridged(socket_path, settings(free_port())))
    pause = threading.Event()
    while bridge.status()["counts"].get("events_lost", 0) < 400:
        for kind in ("alert", "clear"):
            daemon.happens(kind, hazard="fire", severity="critical", probability=0.9)
        assert not pause.wait(0.001)
    status = bridge.status()
    assert (status["connected"], "is it running" in status["reason"]) == (False, True)
    assert len([r for r in records_of(caplog, "daemon.mqtt") if r.levelno == logging.WARNING]) == 1


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_wrong_settings_while_the_daemon_is_away_end_nothing(socket_path: Path) -> None:
    def sockets() -> Iterator[Path]:
        yield socket_path
        raise ConfigError("config.toml:3: speach: no such setting")

    def nobody(*_: Any) -> Any:
        raise BrokerError("away")

    link = DaemonListener(sockets)
    bridge = MqttBridge(settings(1), link.ask, link.subscribe, host="box", connect=nobody)
    bridge.start()
    try:
        until(lambda: bridge.status()["counts"].get("daemon_away", 0) >= 1)
        assert bridge.is_alive and link.is_alive
    finally:
        bridge.stop()
    assert not bridge.is_alive and not link.is_alive


def test_a_bug_is_not_hidden_from_whoever_looks(socket_path: Path) -> None:
    def buggy(_: Any) -> Any:
        raise ZeroDivisionError

    bridge = MqttBridge(settings(1), buggy, DaemonListener(lambda: [socket_path]).subscribe, host="box")
    bridge.start()
    try:
        until(lambda: not bridge.is_alive)
        assert "bug" in bridge.status()["reason"]
    finally:
        bridge.stop()


def test_probabilities_are_the_highest_since_the_last_time() -> None:
    """The first question only learns the time: what was before it is old."""
    asked: list[float] = []

    def ask(command: Any) -> Mapping[str, Any]:
        asked.append(command.since_s)
        rows = [[9.0, [0.25, 0.9]], [9.5, [0.75, 0.1]]] if command.since_s < 1e9 else []
        return {"now": 10.0 * len(asked), "hazards": ["fire", "dog"], "rows": rows}

    bridge = MqttBridge(settings(1), ask, lambda listener: lambda: None, host="box")
    topic = bridge.topics.state("probabilities")
    assert bridge._hazards() == ("fire", "dog") and topic not in bridge._state.retained_messages({})
    bridge._hazards()
    assert json.loads(bridge._state.retained_messages({})[topic]) == {"fire": 75, "dog": 90}
    assert asked[1:] == [10.0]
