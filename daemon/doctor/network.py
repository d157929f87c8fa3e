"""Probes of the network: the web interface's port and token, and the MQTT broker."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from common.install_hint import install_hint
from common.ip_addresses import is_local
from common.secret_file import SecretError, read_secret, secret_path
from daemon.config.sections import MqttSettings, WebSettings
from daemon.config.settings import Settings
from daemon.doctor.findings import Finding
from daemon.doctor.running_daemon import listening, port_owner
from daemon.mqtt.broker import BrokerError, PahoBroker

SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Secret:
    """A file that holds a password, token or key, as far as it can be seen from here."""

    setting: str
    name: str
    problem: str = ""
    mode: int | None = None
    """None if it is not there."""
    length: int = 0


def look_at(setting: str, name: str) -> Secret:
    """Read the rights and the length of a secret's file; its content is not kept. Raises nothing."""
    path = secret_path(name)
    try:
        mode = path.stat().st_mode & 0o777
        return Secret(setting, name, mode=mode, length=len(read_secret(setting, name)))
    except SecretError as error:
        return Secret(setting, name, str(error), mode)
    except OSError as error:
        return Secret(setting, name, f"{setting} = {name!r}: {error.strerror}")


def assess_secret(secret: Secret, shortest: int = 1) -> Finding:
    """Judge a secret: only its owner may read it, and it has `shortest` characters at least."""
    name = f"secret {secret.setting}"
    if os.sep not in secret.name and secret.problem:
        says = f"{secret.name!r} is a credential that only the service sees"
        return Finding(
            name, "ok", says, "systemctl edit watchword-web must have a LoadCredential= of that name"
        )
    if secret.problem:
        todo = f"write it there with `install -m 600`, readable for the web user; or empty {secret.setting}"
        return Finding(name, "fail", secret.problem, todo)
    if secret.mode is not None and secret.mode & 0o077:
        says = f"{secret.name} may be read by others ({secret.mode:04o})"
        return Finding(name, "warn", says, f"chmod 600 {secret.name}")
    if secret.length < shortest:
        todo = f"openssl rand -hex 24 > {secret.name}"
        return Finding(name, "fail", f"{secret.length} characters are too easily guessed", todo)
    return Finding(name, "ok", f"{secret.name}, for its owner only")


def web(wanted: WebSettings) -> Iterator[Finding]:
    """Whether the web interface can run, its port is free, and its users are restricted."""
    # `find_spec` and no import: the doctor must not load a web server.
    missing = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding("web", "ok", f"not installed ({', '.join(missing)})", install_hint("web"))
        return
    if wanted.address:
        # Port 0 lets the kernel choose: nothing can be taken.
        taken = listening(_reachable(wanted.address), wanted.port) if wanted.port else False
        yield assess_port(wanted, taken, port_owner(wanted.port) if taken else "")
    yield from assess_exposure(wanted)
    if wanted.token_file:
        yield assess_secret(look_at("web.token_file", wanted.token_file), SHORTEST_TOKEN)
    # systemd's LoadCredential= gives a bare name to the service only.
    if os.sep in wanted.key_file:
        yield assess_secret(_key("web.key_file", wanted.key_file), 0)


def _key(setting: str, name: str) -> Secret:
    """A private key has many lines; only its rights are of interest."""
    try:
        return Secret(setting, name, mode=Path(name).stat().st_mode & 0o777)
    except OSError as error:
        return Secret(setting, name, f"{setting} = {name!r}: {error.strerror}")


def _reachable(address: str) -> str:
    """The address to connect to for a listening address."""
    # The wildcard addresses are for listening; a connection goes to the loopback address.
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104


def assess_port(wanted: WebSettings, taken: bool, owner: str) -> Finding:
    where = f"port {wanted.port}"
    if not taken:
        return Finding(
            "web", "ok", f"{where} is free; the web interface does not run", "watchword web, or its service"
        )
    # An owner that cannot be read is assumed to be the web interface's own user.
    if "watchword" in owner or not owner:
        return Finding("web", "ok", f"it listens at {where}" + (f" ({owner})" if owner else ""))
    return Finding(
        "web", "warn", f"{where} is taken by {owner}", "set web.port to another, or end that process"
    )


def assess_exposure(wanted: WebSettings) -> Iterator[Finding]:
    """Warn of access without a token: its users see the picture and can make it speak."""
    try:
        outside = bool(wanted.address) and not ip_address(wanted.address).is_loopback
    except ValueError:
        yield Finding("web address", "fail", f"{wanted.address!r} is no address", 'web.address = "127.0.0.1"')
        return
    if not outside:
        return
    if not wanted.token_file:
        todo = 'set web.token_file, or web.address = "127.0.0.1"'
        yield Finding("web address", "fail", f"{wanted.address} is open to the network without a token", todo)
    elif not wanted.certificate_file:
        todo = "set web.certificate_file and web.key_file"
        yield Finding(
            "web address", "warn", "the token and the pictures cross the network in the clear", todo
        )
    else:
        yield Finding("web address", "ok", f"{wanted.address}, with a token and TLS")


def mqtt(settings: Settings) -> Iterator[Finding]:
    """Whether the broker answers and accepts the login."""
    wanted = settings.mqtt
    if not wanted.enabled:
        yield Finding("mqtt", "ok", "off")
        return
    if importlib.util.find_spec("paho") is None:
        yield Finding("mqtt", "fail", "paho-mqtt is not installed", install_hint("web"))
        return
    if wanted.password_file:
        secret = look_at("mqtt.password_file", wanted.password_file)
        yield assess_secret(secret)
        # On this machine the password does not cross a network.
        if not wanted.tls and not is_local(wanted.host):
            yield Finding("mqtt password", "warn", "it crosses the network in the clear", "mqtt.tls = true")
        # Without the password a login would be refused and prove nothing.
        if secret.problem:
            there = listening(wanted.host, wanted.at_port)
            yield assess_broker(wanted, "" if there else "nobody answers there", logged_in=False)
            return
    try:
        # A client id of its own: the same one would disconnect the daemon (MQTT 3.1.1, section 3.1.4).
        PahoBroker(wanted, f"watchword-check-{os.getpid()}", None, lambda *_: None, lambda _: None).close(
            None
        )
    except BrokerError as error:
        yield assess_broker(wanted, str(error), logged_in=False)
    else:
        yield assess_broker(wanted, "", logged_in=True)


def assess_broker(wanted: MqttSettings, problem: str, *, logged_in: bool) -> Finding:
    where = f"{wanted.host}:{wanted.at_port}"
    if problem:
        return Finding(
            "mqtt", "warn", f"{where}: {problem}", "danger is spoken all the same; see docs/home-assistant.md"
        )
    return Finding(
        "mqtt", "ok", f"{where} lets us in" if logged_in else f"{where} answers; login was not tried"
    )
