"""`watchword web` as a process: where it listens, whom it lets in, and how it goes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from daemon.cli.web import _until_stopped, public_address, support_address
from daemon.config.sections import WebSettings
from daemon.errors import CommandError
from tests.daemon.web.pretending import pretending

ROOT = Path(__file__).parents[3]
TOKEN = "a long enough secret"
PATIENCE_S = 60.0

pytestmark = pytest.mark.usefixtures("usual_priorities")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ww") as name:
        yield Path(name)


def started(folder: Path, *options: str, config: str = "") -> subprocess.Popen[str]:
    (folder / "config.toml").write_text(config)
    env = {k: v for k, v in os.environ.items() if not k.startswith("WATCHWORD_")}
    return subprocess.Popen(
        [sys.executable, "-m", "daemon.cli.main", "web", "--config", str(folder / "config.toml"), *options],
        cwd=ROOT,
        env={**env, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "XDG_STATE_HOME": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(folder: Path, *options: str, config: str = "") -> Iterator[tuple[str, str]]:
    """Its address, and all it said before."""
    process = started(folder, *options, config=config)
    said = ""
    try:
        assert process.stderr
        while line := process.stderr.readline():
            said += line
            if "the web interface is at /" in line:
                break
        found = re.search(r"the web interface is at (https?://\S+)/\n", said)
        yield found[1] if found else "", said
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, said + process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def refusal(folder: Path, config: str) -> tuple[int, str]:
    process = started(folder, config=config)
    _, said = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said


def test_it_serves_at_this_machine_and_at_a_socket_and_ends_with_its_streams(folder: Path) -> None:
    with pretending(folder / "watchword" / "watchword.sock"), running(folder, "--port", "0") as (address, _):
        path = folder / "watchword-web" / "web.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        over = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=over, base_url="http://web", timeout=20, trust_env=False) as client:
            assert client.get("/status").json()["fps"] == 25.0
        with (
            httpx.Client(base_url=address, timeout=20, trust_env=False) as client,
            client.stream("GET", "/events") as answer,
        ):
            assert next(answer.iter_lines()) == "retry: 2000"
            assert client.get("/status").status_code == 200
    assert not path.exists()


def test_others_can_reach_it_only_with_a_token(folder: Path) -> None:
    code, said = refusal(folder, '[web]\naddress = "0.0.0.0"\nport = 0\n')
    assert code == 78 and "web.token_file" in said
    (folder / "token").write_text("short\n")
    config = f'[web]\naddress = "0.0.0.0"\nport = 0\ntoken_file = "{folder}/token"\n'
    code, said = refusal(folder, config)
    assert code == 78 and "16 characters" in said and "short\n" not in said
    (folder / "token").write_text(TOKEN)
    with running(folder, config=config) as (address, said):
        assert "in the clear" in said and TOKEN not in said
        port = address.rpartition(":")[2]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            assert client.get("/status").status_code == 401
            right = {"Authorization": f"Bearer {TOKEN}"}
            assert client.get("/status", headers=right).status_code == 503  # no daemon is there


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_tls_with_a_certificate_of_ones_own(folder: Path) -> None:
    certificate, key = folder / "web.crt", folder / "web.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    config = f'[web]\nport = 0\ncertificate_file = "{certificate}"\nkey_file = "{key}"\n'
    trust = ssl.create_default_context(cafile=str(certificate))
    with running(folder, config=config) as (address, said):
        assert address.startswith("https://") and "in the clear" not in said
        with httpx.Client(base_url=address, verify=trust, trust_env=False, timeout=20) as client:
            assert client.get("/healthz").json() == {"alive": True}


def test_two_at_one_place_and_no_place_at_all(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        code, said = refusal(folder, f"[web]\nport = {other.getsockname()[1]}\n")
        assert code == 1 and "web.port" in said and "Traceback" not in said
    code, said = refusal(folder, '[web]\naddress = ""\nsocket = ""\n')
    assert code == 1 and "nowhere to listen" in said
    with running(folder, "--port", "0"):
        code, said = refusal(folder, "[web]\nport = 0\n")
        assert code == 1 and "running already" in said


def test_it_hears_the_daemon_go_and_come(folder: Path) -> None:
    control = folder / "watchword" / "watchword.sock"
    with (
        running(folder, "--port", "0") as (address, _),
        httpx.Client(base_url=address, trust_env=False, timeout=20) as client,
    ):
        assert client.get("/readyz").status_code == 503
        with pretending(control):
            until_s = time.monotonic() + PATIENCE_S
            while client.get("/readyz").status_code != 200 and time.monotonic() < until_s:
                time.sleep(0.05)
            assert client.get("/readyz").status_code == 200
        assert client.get("/status").status_code == 503
        with client.stream("GET", "/events") as answer:
            lines = answer.iter_lines()
            with pretending(control):
                told = ""
                while '"up"' not in told:
                    told = next(lines)


@pytest.mark.parametrize("what", ["a task", "home automation"])
def test_it_does_not_go_on_without_a_part(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """systemd starts it anew; half of it would look alive and be deaf."""

    async def dies() -> None:
        raise RuntimeError("the part that broke")

    async def lasts() -> None:
        await asyncio.Event().wait()

    async def close_streams() -> None: ...

    async def run() -> None:
        lasting = asyncio.create_task(lasts())
        tasks = [lasting, asyncio.create_task(dies())] if what == "a task" else [lasting]
        dependencies = SimpleNamespace(tasks=tasks, close_streams=close_streams)
        app: Any = SimpleNamespace(state=SimpleNamespace(dependencies=dependencies))
        async with asyncio.timeout(PATIENCE_S):
            await _until_stopped(app, [], lambda: what == "a task")

    with pytest.raises(CommandError, match="died"):
        asyncio.run(run())
    assert ("the part that broke" in caplog.text) == (what == "a task")


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, ""),
        ({"address": ""}, ""),
        ({"address": "::1"}, ""),
        ({"address": "0.0.0.0"}, "http://box:8780/"),
        ({"address": "0.0.0.0", "hosts": ["box.local"]}, "http://box.local:8780/"),
        ({"address": "192.168.1.5", "certificate_file": "c.pem"}, "https://192.168.1.5:8780/"),
        ({"address": "fd00::5", "port": 80}, "http://[fd00::5]:80/"),
    ],
)
def test_home_automation_links_to_the_page_where_it_can_be_reached(
    settings: dict[str, Any], address: str
) -> None:
    assert public_address(WebSettings(**settings), "box") == address


def test_help_is_the_projects_own_address_once_it_has_one() -> None:
    page = "http://box:8780/"
    assert support_address(["Issues, https://watchword.example/issues"], page) == page
    assert support_address([], page) == page
    assert support_address(["Issues, https://example.org/w/issues"], page) == "https://example.org/w/issues"
