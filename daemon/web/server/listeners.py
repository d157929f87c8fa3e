"""Opens the listening sockets: a TCP address and a unix socket, with their token and certificate."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from common.ip_addresses import is_local
from common.secret_file import SecretError, read_secret, secret_path
from daemon.config.sections import WebSettings
from daemon.errors import CommandError, ConfigError

NAME = "watchword-web"
FILE = "web.sock"
SHORTEST_TOKEN = 16
# unix(7): sun_path has 108 bytes, the last of which is NUL.
LONGEST_PATH = 107
BACKLOG = 128


def load_token(settings: WebSettings) -> str | None:
    """The token that clients need. Returns None if none is configured. Raises ConfigError."""
    if not settings.token_file:
        if settings.address and not is_local(settings.address):
            raise ConfigError(
                f"web.address = {settings.address!r}: other machines can reach it; name a file with a token "
                "in web.token_file (made by: openssl rand -base64 24)"
            )
        return None
    try:
        found = read_secret("web.token_file", settings.token_file)
    except SecretError as error:
        raise ConfigError(str(error)) from None
    if len(found) < SHORTEST_TOKEN:
        raise ConfigError(f"web.token_file: the token in it is shorter than {SHORTEST_TOKEN} characters")
    return found


def check_certificate(settings: WebSettings) -> tuple[str, str] | None:
    """Check that certificate and key fit; returns their paths, None without TLS. Raises ConfigError."""
    if not settings.certificate_file and not settings.key_file:
        return None
    if not settings.certificate_file or not settings.key_file:
        raise ConfigError("web.certificate_file and web.key_file: name both, or none")
    files = str(secret_path(settings.certificate_file)), str(secret_path(settings.key_file))
    try:
        # Loaded once for the error; uvicorn loads them again and would only report a traceback.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"web.certificate_file, web.key_file: {error.strerror or error}") from None
    return files


def page_address(settings: WebSettings, host: str) -> str:
    """The address of the page at a host; IPv6 addresses stand in brackets (RFC 3986, section 3.2.2)."""
    scheme = "https" if settings.certificate_file else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}/"


def listen_tcp(settings: WebSettings) -> socket.socket | None:
    """Listen at `web.address`. Returns None if it is empty. Raises ConfigError, CommandError."""
    if not settings.address:
        return None
    try:
        family = socket.AF_INET6 if ip_address(settings.address).version == 6 else socket.AF_INET
    except ValueError:
        raise ConfigError(
            f"web.address = {settings.address!r}: should be an address such as 127.0.0.1"
        ) from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    # A restart must not wait until old connections have left TIME_WAIT (socket(7)).
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.address, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(
            f"cannot listen at {settings.address} port {settings.port} (web.address, web.port): "
            f"{error.strerror}"
        ) from None
    return listener


def unix_path(settings: WebSettings, env: Mapping[str, str], state: Path) -> Path | None:
    """Path in the unit's runtime folder, else the user's, else the state folder. None if disabled."""
    if settings.socket != "auto":
        return Path(settings.socket) if settings.socket else None
    if unit := env.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        return Path(unit) / FILE
    user = Path(env.get("XDG_RUNTIME_DIR", ""))
    return (user / NAME if user.is_absolute() else state) / FILE


def listen_unix(path: Path) -> socket.socket:
    """Listen at a unix socket that only its owner and group may use. Raises CommandError."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise CommandError(
            f"web.socket: {path} is longer than the {LONGEST_PATH} bytes a socket's path may have"
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _refuse_running(path)
        # Left by a process that was killed; `bind` fails on an existing file.
        path.unlink(missing_ok=True)
        listener.bind(os.fsencode(path))
        path.chmod(0o660)  # before `listen`, so that no other user can connect meanwhile
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(f"web.socket: cannot listen at {path}: {error.strerror or error}") from None
    return listener


def _refuse_running(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A hung server may accept nothing.
        probe.settimeout(1.0)
        with suppress(FileNotFoundError, ConnectionRefusedError):
            probe.connect(os.fsencode(path))
            raise CommandError(f"a web interface is running already (socket {path}); stop it first")
