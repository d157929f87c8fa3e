"""The real web process beside the daemon of a world, and a broker that it is told to use."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.capture.servers import free_port
from tests.daemon.mqtt.mosquitto import PROGRAM, Mosquitto
from tests.faults.waiting import ROOT, eventually

START_S = 120.0
"""The web process runs at idle priority: on a busy machine it starts slowly."""


class Web:
    """`watchword web` with home automation. `close` ends it and its broker."""

    def __init__(self, folder: Path, config: Path, env: Mapping[str, str]) -> None:
        folder.mkdir()
        self.port = free_port()
        self.broker = Mosquitto(folder) if PROGRAM else None
        self._log = (folder / "log.txt").open("ab")
        self._config = config
        self._env = {**env, "WATCHWORD_WEB__PORT": str(self.port), "WATCHWORD_WEB__SOCKET": ""}
        if self.broker is not None:
            self._env |= {"WATCHWORD_MQTT__ENABLED": "true", "WATCHWORD_MQTT__PORT": str(self.broker.port)}
            self._env["WATCHWORD_MQTT__RECONNECT_S"] = "2"
            self.broker.start()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        command = [sys.executable, "-m", "daemon.cli.main", "web", "--config", str(self._config)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdout=self._log, stderr=self._log, start_new_session=True
        )
        assert eventually(self.answers, START_S), f"no page:\n{self.log()}"

    def log(self) -> str:
        return Path(self._log.name).read_text()[-3000:]

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._log.close()
        if self.broker is not None:
            self.broker.stop(kill=True)

    def answers(self) -> bool:
        """True if the page's server answers at all."""
        assert self.process.poll() is None, f"the web process ended:\n{self.log()}"
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/healthz")[0] == 200
        return False

    def ask(
        self, method: str, path: str, body: bytes = b"", timeout_s: float = 10.0, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body. Raises OSError, HTTPException."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            link.request(method, path, body or None, {"Content-Type": "application/json", **given})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def hush(self) -> bool:
        """Ask for silence as the page does."""
        return self.ask("POST", "/hush", b"{}")[0] in (200, 204)

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.ask("GET", "/status")[1]))

    def is_connected(self) -> bool:
        """True if home automation has its broker."""
        assert self.process.poll() is None, f"the web process ended:\n{self.log()}"
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            return bool(self.status().get("mqtt", {}).get("connected"))
        return False

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)


@contextlib.contextmanager
def answering(port: int, data: bytes, again: int = 1) -> Iterator[None]:
    """A server at that port that answers everything with the same bytes, so many times."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve(link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            link.recv(4096)
            for _ in range(again):
                link.sendall(data)
            while link.recv(4096):
                pass

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
