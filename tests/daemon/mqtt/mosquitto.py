"""A real broker, and a client that sees its retained messages, as Home Assistant does."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 15.0
PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def needs_mosquitto() -> str:
    if PROGRAM is None:
        pytest.skip("no mosquitto: run script/setup --test")
    return PROGRAM


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A broker that keeps its port over restarts, and its retained messages if `lines` configure that."""

    def __init__(self, folder: Path, *lines: str, open_to_all: bool = True) -> None:
        self.program = needs_mosquitto()
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        text = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {str(open_to_all).lower()}", "user root"]
        self._config.write_text("\n".join([*text, *lines]) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        self._process = subprocess.Popen(
            [self.program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, self._process.communicate()[1].decode()
                threading.Event().wait(0.02)
            else:
                return self
        raise AssertionError("mosquitto does not come up")

    def signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, *, kill: bool = False) -> None:
        if self._process is None:
            return
        (self._process.kill if kill else self._process.terminate)()
        self._process.communicate(timeout=PATIENCE_S)
        self._process = None


class Watcher:
    """Subscribes to everything. `kept`: the last payload of each topic; `passed`: every message in order."""

    def __init__(
        self, port: int, *, context: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
    ):
        self.kept: dict[str, bytes] = {}
        self.passed: list[tuple[str, bytes]] = []
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        if context:
            self._client.tls_set_context(context)
        if login:
            self._client.username_pw_set(*login)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = lambda _c, _u, message: self._note(message.topic, bytes(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _note(self, topic: str, payload: bytes) -> None:
        with self._changed:
            self.kept[topic] = payload
            self.passed.append((topic, payload))
            self._changed.notify_all()

    def wait(self, true: Callable[[], bool], what: str = "it never came") -> None:
        with self._changed:
            assert self._changed.wait_for(true, PATIENCE_S), f"{what}: {self.kept}"

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def retained(port: int, under: str = "#") -> dict[str, bytes]:
    """Return the retained messages, as a new client receives them."""
    found: dict[str, bytes] = {}
    done = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)

    def on_message(_client: Client, _userdata: object, message: object) -> None:
        topic, payload = message.topic, bytes(message.payload)  # type: ignore[attr-defined]
        if topic == "test/barrier":
            done.set()
        elif message.retain:  # type: ignore[attr-defined]
            found[topic] = payload

    def on_connect(connected: Client, *_: object) -> None:
        connected.subscribe([(under, 1), ("test/barrier", 1)])
        connected.publish("test/barrier", b"1", 1)

    client.on_message = on_message
    client.on_connect = on_connect
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(PATIENCE_S)
    client.disconnect()
    client.loop_stop()
    return found
