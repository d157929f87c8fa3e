"""A connection to an MQTT broker; the one module that imports paho.

Each connection has a clean session: otherwise messages queued before a break would be sent after it, and show
a danger that is over.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from common.errors import WatchwordError
from common.install_hint import install_hint
from common.secret_file import SecretError, read_secret
from daemon.config.sections import MqttSettings, Qos

CONNECT_S = 5.0
"""Seconds for the TCP connection, and again for the broker's CONNACK."""
LAST_MESSAGE_S = 2.0
WAITING_LIMIT = 500
"""Messages that may wait for the broker's acknowledgement; `publish` refuses more."""

OnMessage = Callable[[str, bytes, bool], None]
"""Topic, payload, and whether the message was retained. Called in the connection's thread; must not block."""
OnConnectionLost = Callable[[str], None]
"""The reason, for a log. Called in the connection's thread; must not block."""


class BrokerError(WatchwordError):
    """The connection failed; the message has the reason and the cure."""


class Broker(Protocol):
    """A connection, open until it is lost or closed."""

    def publish(self, topic: str, payload: bytes, *, qos: Qos, retain: bool) -> bool:
        """Queue a message. Returns False if the queue is full. Never blocks."""
        ...

    def subscribe(self, topics: Iterable[str]) -> None: ...

    def unsubscribe(self, topic: str) -> None: ...

    def close(self, last_message: tuple[str, bytes] | None) -> None:
        """Publish a last retained message, if any, and disconnect; the broker drops the last will."""
        ...


Connect = Callable[[MqttSettings, str, tuple[str, bytes] | None, OnMessage, OnConnectionLost], Broker]
"""Settings, client id, last will (retained) or None, and the two callbacks. Raises BrokerError."""


class PahoBroker:
    """MQTT 3.1.1 over TCP or TLS, by paho."""

    def __init__(
        self,
        settings: MqttSettings,
        client: str,
        will: tuple[str, bytes] | None,
        on_message: OnMessage,
        on_connection_lost: OnConnectionLost,
    ) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError:
            raise BrokerError(f"paho-mqtt is not installed: {install_hint('web')}") from None

        self._accepted = threading.Event()
        self._refusal = "it did not accept the connection in time"
        self._closing = False
        self._on_connection_lost = on_connection_lost
        # Reconnecting is the bridge's: paho would resend messages that are old by then.
        self._client = Client(
            CallbackAPIVersion.VERSION2, client, clean_session=True, reconnect_on_failure=False
        )
        self._client.connect_timeout = CONNECT_S
        self._client.max_queued_messages_set(WAITING_LIMIT)
        if will:
            self._client.will_set(will[0], will[1], qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = lambda _c, _u, m: on_message(m.topic, bytes(m.payload), m.retain)
        self._secure(settings)
        self._open(settings)

    def publish(self, topic: str, payload: bytes, *, qos: Qos, retain: bool) -> bool:
        return bool(self._client.publish(topic, payload, qos=qos, retain=retain).rc == 0)

    def subscribe(self, topics: Iterable[str]) -> None:
        self._client.subscribe([(topic, 1) for topic in topics])

    def unsubscribe(self, topic: str) -> None:
        self._client.unsubscribe(topic)

    def close(self, last_message: tuple[str, bytes] | None) -> None:
        self._closing = True
        if last_message and self._client.is_connected():
            with suppress(RuntimeError, ValueError):  # already lost: the broker publishes the last will
                self._client.publish(*last_message, qos=1, retain=True).wait_for_publish(LAST_MESSAGE_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _secure(self, settings: MqttSettings) -> None:
        try:
            if settings.tls:
                self._client.tls_set_context(ssl.create_default_context(cafile=settings.ca_file or None))
            if settings.username:
                secret = (
                    read_secret("mqtt.password_file", settings.password_file)
                    if settings.password_file
                    else None
                )
                self._client.username_pw_set(settings.username, secret)
        except SecretError as error:
            raise BrokerError(str(error)) from None
        except OSError as error:
            raise BrokerError(f"mqtt.ca_file = {settings.ca_file!r} cannot be used: {error}") from None

    def _open(self, settings: MqttSettings) -> None:
        try:
            self._client.connect(settings.host, settings.at_port, settings.keepalive_s)
        except (OSError, ValueError) as error:
            raise BrokerError(_explain(error)) from None
        self._client.loop_start()
        # CONNACK comes in the network thread; only then it is known whether the login was right.
        if not self._accepted.wait(CONNECT_S) or self._refusal:
            self.close(None)
            raise BrokerError(self._refusal)

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._refusal = (
            f"it refuses the connection: {reason}; see mqtt.username and mqtt.password_file"
            if reason.is_failure
            else ""
        )
        self._accepted.set()

    def _on_disconnect(
        self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        # A TLS port closes a plain connection without a word.
        if not self._accepted.is_set():
            self._refusal = "it closed the connection before accepting it; is this its TLS port?"
            self._accepted.set()
        elif not self._closing and not self._refusal:
            self._on_connection_lost(str(reason))


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; see mqtt.ca_file and mqtt.host"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it: {error.reason or error}; is this its TLS port?"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{text}; is it running, and are mqtt.host and mqtt.port right?"
