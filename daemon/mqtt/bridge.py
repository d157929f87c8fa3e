"""Connects the daemon to an MQTT broker, in threads of its own; neither waits for the other.

The state to be retained at the broker is one message a topic, of which only the newest counts, so no queue
can fill up while the broker is away. After a reconnection the broker's retained messages are read first, and
only differences are published.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from common.backoff import Backoff
from common.ip_addresses import is_local
from common.rate_limit import RateLimiter
from daemon.config.sections import MqttSettings
from daemon.control.commands import Command, PictureCommand, ScoresCommand, StatusCommand
from daemon.errors import CommandError
from daemon.mqtt.broker import Broker, BrokerError, Connect, PahoBroker
from daemon.mqtt.commands import COMMAND_BURST, COMMANDS_PER_S, CommandRefused, commands
from daemon.mqtt.discovery import OFFLINE, ONLINE, DeviceSpec, Topics, announced, node_name
from daemon.mqtt.topics_state import MqttState, TransientMessage, changes

log = logging.getLogger(__name__)

INBOX = 1000
"""Events and commands that may wait; more are dropped and counted. The next status corrects the state."""
STATUS_EVERY_S = 5.0
RETAINED_S = 2.0
"""Seconds to wait for the broker's retained messages."""
MOST_RETAINED = 2000
"""Retained topics of our own that are read after a connection."""
WARN_EVERY_S = 60.0
NO_ROWS_S = 1e12
"""A time later than any frame, so that `scores` returns names without rows.

The first question is for these: probabilities from before it are old."""
FIRST_RETRY_S = 1.0
STEADY_S = 30.0
"""Seconds after which a connection counts as stable. If it breaks sooner, the back-off keeps growing."""
STOP_S = 15.0

AskDaemon = Callable[[Command], Mapping[str, Any]]
"""Sends a command to the daemon and returns its result within a few seconds; raises CommandError.

Called in the bridge's thread.
"""
Unsubscribe = Callable[[], None]
Subscribe = Callable[[Callable[[str], None]], Unsubscribe]
"""Calls the listener with each event of the daemon as a line of JSON, from any thread; it must not block.

The subscription survives restarts of the daemon; events missed meanwhile are not delivered.
"""


@dataclass(frozen=True, slots=True)
class _Event:
    line: str


@dataclass(frozen=True, slots=True)
class _Message:
    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class _ConnectionLost:
    connection: int
    reason: str


@dataclass(frozen=True, slots=True)
class _StopRequest:
    pass


class MqttBridge:
    """Publishes the daemon's state and carries out commands. `status` may be called from any thread."""

    def __init__(
        self,
        settings: MqttSettings,
        ask: AskDaemon,
        subscribe: Subscribe,
        *,
        host: str,
        instance: str = "",
        language: str = "en",
        page: str = "",
        support: str = "",
        connect: Connect = PahoBroker,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`host` and `instance` name the device if the settings do not.

        `language`: of the entities' names. `page`, `support`: addresses that Home Assistant links to.
        """
        self._settings = settings
        self._ask = ask
        self._subscribe = subscribe
        self._connect = connect
        self._clock = clock
        self._wall = wall
        node = node_name(settings.name, host, instance)
        self._topics = Topics(settings.topic, node, settings.discovery)
        device = DeviceSpec(
            texts=settings.texts,
            picture=settings.picture_every_s > 0,
            language=language,
            page=page,
            support=support,
        )
        self._state = MqttState(self._topics, device)
        # Bounded: a flood of messages must not fill the memory.
        self._inbox: queue.Queue[_Event | _Message | _ConnectionLost | _StopRequest] = queue.Queue(INBOX)
        self._counts: Counter[str] = Counter()
        self._rate_limiter = RateLimiter(COMMANDS_PER_S, COMMAND_BURST)
        self._backoff = Backoff(FIRST_RETRY_S, settings.reconnect_s)
        self._broker: Broker | None = None
        self._connection = 0
        self._connected_s = 0.0
        self._retained: dict[str, bytes] = {}
        self._announced_before: dict[str, str] = {}
        self._daemon_up = False
        self._reason = "not connected yet"
        self._muted_s = 0.0
        self._picture_seq: int | None = None
        self._scores_s = NO_ROWS_S
        self._next = {"status": 0.0, "picture": 0.0, "connect": 0.0}
        self._warned_s = -WARN_EVERY_S
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._unsubscribe: Unsubscribe | None = None

    @property
    def topics(self) -> Topics:
        return self._topics

    def start(self) -> None:
        if self._settings.password_file and not self._settings.tls and not is_local(self._settings.host):
            log.warning("home automation: the password crosses the network in the clear; see mqtt.tls")
        self._unsubscribe = self._subscribe(lambda line: self._post(_Event(line)))
        self._thread.start()

    def stop(self) -> None:
        """Publish `offline` and end, within `STOP_S`."""
        self._stopping.set()
        if self._unsubscribe:
            self._unsubscribe()
        # A full inbox wakes the thread just as well, which then sees `_stopping`.
        with suppress(queue.Full):
            self._inbox.put_nowait(_StopRequest())
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    @property
    def is_alive(self) -> bool:
        """False after the thread has ended; before `stop` that is a bug."""
        return self._thread.is_alive()

    def status(self) -> Mapping[str, Any]:
        """For `/status`: connected or the reason why not, and counters."""
        connected = self._broker is not None
        return {
            "connected": connected,
            "reason": "" if connected else self._reason,
            "broker": f"{self._settings.host}:{self._settings.at_port}",
            "tls": self._settings.tls,
            "device": self._topics.device,
            "counts": dict(sorted(self._counts.copy().items())),
        }

    def _post(self, item: _Event | _Message | _ConnectionLost) -> None:
        try:
            self._inbox.put_nowait(item)
        except queue.Full:
            self._counts["dropped"] += 1

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._run_once()
        # `watchword web` watches `is_alive` and exits; systemd restarts it.
        except Exception:
            log.exception("home automation has ended by a bug")
            self._reason = "ended by a bug; the log says where"
        finally:
            self._close()

    def _run_once(self) -> None:
        """Run the timers that are due, then wait for one item from the inbox until the next timer."""
        now = self._clock()
        if now >= self._next["status"]:
            # Before connecting: the first messages need the names of the hazards.
            self._poll_status()
        if self._broker is None and self._clock() >= self._next["connect"]:
            self._try_connect()
        if self._broker is not None:
            self._reconcile()
            self._publish_picture()
        due_s = max(0.0, self._next_due() - self._clock())
        with suppress(queue.Empty):
            self._dispatch(self._inbox.get(timeout=due_s))

    def _next_due(self) -> float:
        due = [self._next["status"]]
        if self._broker is None:
            due.append(self._next["connect"])
        elif self._settings.picture_every_s:
            due.append(self._next["picture"])
        return min(due)

    def _dispatch(self, item: _Event | _Message | _ConnectionLost | _StopRequest) -> None:
        match item:
            case _Event(line):
                self._on_event(line)
            case _Message(topic, payload, retained):
                self._on_message(topic, payload, retained)
            # Only a report about the present connection counts: a late one would end the new one.
            case _ConnectionLost(connection, reason) if connection == self._connection:
                self._on_connection_lost(f"the connection was lost: {reason}")

    def _on_event(self, line: str) -> None:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            self._counts["invalid_events"] += 1
            return
        if event.get("kind") == "dropped":  # events were missed: poll the status at once
            self._next["status"] = 0.0
        for message in self._state.on_event(event, self._wall()):
            self._publish_transient(message)

    def _publish_transient(self, message: TransientMessage) -> None:
        taken = self._broker is not None and self._broker.publish(
            message.topic, message.payload, qos=1, retain=False
        )
        self._counts["events" if taken else "events_lost"] += 1

    # --- the daemon

    def _poll_status(self) -> None:
        # Set before asking: a daemon that fails to answer must not be asked without a pause.
        self._next["status"] = self._clock() + STATUS_EVERY_S
        try:
            status = self._ask(StatusCommand())
            hazards = self._hazards()
            self._state.apply_status(status, hazards, str(status.get("version", "")))
            self._muted_s = float(status.get("muted_s", 0.0))
            if not self._daemon_up and status.get("active"):
                # Without an answer only the alert's details are missing.
                with suppress(CommandError):
                    self._state.apply_picture(self._ask(PictureCommand(side=64)), self._wall())
        except CommandError as error:
            if self._daemon_up or not self._counts["daemon_away"]:
                log.info("home automation: %s", error)
            self._counts["daemon_away"] += 1
            self._daemon_up = False
            self._state.daemon_lost()
            return
        self._daemon_up = True

    def _hazards(self) -> tuple[str, ...]:
        """The enabled hazards, and the highest probability of each since the last time.

        Those known before if the daemon has no scores yet.
        """
        try:
            scores = self._ask(ScoresCommand(since_s=self._scores_s))
        except CommandError:
            return self._state.spec.hazards
        names = tuple(str(name) for name in scores["hazards"])
        if rows := [values for _, values in scores.get("rows", ())]:
            self._state.apply_probabilities(dict(zip(names, map(max, zip(*rows, strict=True)), strict=True)))
        self._scores_s = float(scores.get("now", NO_ROWS_S))
        return names

    # --- the broker

    def _try_connect(self) -> None:
        # Numbered, so that a late report about an earlier connection can be recognised.
        self._connection += 1
        number = self._connection
        will = (self._topics.availability, OFFLINE.encode())
        try:
            broker = self._connect(
                self._settings,
                self._topics.device,
                will,
                lambda topic, payload, retained: self._post(_Message(topic, payload, retained)),
                lambda reason: self._post(_ConnectionLost(number, reason)),
            )
        except BrokerError as error:
            self._on_connection_lost(str(error))
            return
        log.info("home automation: connected to %s:%d", self._settings.host, self._settings.at_port)
        self._counts["connections"] += 1
        self._connected_s = self._clock()
        self._broker = broker
        self._read_retained(broker)

    def _on_connection_lost(self, reason: str) -> None:
        if self._broker is not None and self._clock() - self._connected_s >= STEADY_S:
            self._backoff.reset()
        if not self._backoff.failures:  # log once per streak
            where = f"{self._settings.host}:{self._settings.at_port}"
            log.warning("home automation: the broker at %s: %s; trying again and again", where, reason)
        self._reason = reason
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close(None)
            self._counts["losses"] += 1
        self._next["connect"] = self._clock() + self._backoff.next_s()

    def _read_retained(self, broker: Broker) -> None:
        """Read our retained messages from the broker, so that outdated ones can be removed.

        The barrier is published behind the subscription: its return marks the end of the retained messages.
        """
        topics = self._topics
        everything = f"{topics.base}/#"
        # Everything below the base, so that messages of an earlier version are found too.
        broker.subscribe([everything, *([topics.config] if topics.config else [])])
        broker.publish(topics.barrier, str(self._connection).encode(), qos=1, retain=False)
        self._retained = {}
        until_s = self._clock() + RETAINED_S
        deferred: list[_Event | _ConnectionLost | _StopRequest] = []
        # Bounded: a broker that drops the barrier must not keep the bridge from publishing.
        while (left_s := until_s - self._clock()) > 0:
            try:
                item = self._inbox.get(timeout=left_s)
            except queue.Empty:
                self._counts["retained_timeouts"] += 1
                break
            if not isinstance(item, _Message):
                # Events that arrive meanwhile are handled afterwards, in order; the oldest go if there are
                # too many.
                deferred = [*deferred[1 - INBOX :], item]
            elif item.topic == topics.barrier and not item.retained:
                break
            elif item.retained and item.payload and len(self._retained) < MOST_RETAINED:
                self._retained[item.topic] = item.payload
        # Otherwise everything that is published here would come back.
        broker.unsubscribe(everything)
        if topics.config:
            broker.unsubscribe(topics.config)
        broker.subscribe([topics.command_filter, *([topics.birth] if topics.birth else [])])
        self._announced_before.update(_announced(self._retained.get(topics.config, b"")))
        for item in deferred:
            self._dispatch(item)

    def _reconcile(self) -> None:
        """Publish the differences between the current state and the messages that the broker retains."""
        broker = self._broker
        if broker is None:
            return
        # The whole state each time: differences are found by comparison, and not by remembering what was
        # sent.
        wanted = self._state.retained_messages(self._announced_before)
        # Before the first status of the daemon, its retained state is not removed.
        held = (
            self._retained
            if self._state.spec.hazards
            else {t: p for t, p in self._retained.items() if t in wanted}
        )
        for topic, payload in changes(held, wanted):
            if not broker.publish(topic, payload, qos=1, retain=True):
                self._counts["publish_refused"] += 1
                return  # queue full: the next run finds the remaining differences
            self._counts["published"] += 1
            if payload:
                # Counts as sent: the broker stores it, or the connection is lost and the state is read again.
                self._retained[topic] = payload
            else:
                self._retained.pop(topic, None)
        if self._topics.config in wanted:
            self._announced_before.update(self._state.announced())

    def _publish_picture(self) -> None:
        every_s, now = self._settings.picture_every_s, self._clock()
        if not every_s or not self._daemon_up or self._broker is None or now < self._next["picture"]:
            return
        self._next["picture"] = now + every_s
        try:
            picture = self._ask(PictureCommand(side=self._settings.picture_side, after=self._picture_seq))
        except CommandError:
            self._counts["pictures_missing"] += 1
            return
        if "jpeg" in picture:
            self._picture_seq = picture["seq"]
            jpeg = b64decode(picture["jpeg"])
            # Quality 0 and not retained: only the newest picture matters.
            self._broker.publish(self._topics.state("picture"), jpeg, qos=0, retain=False)
            self._counts["pictures"] += 1

    # --- commands

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == self._topics.birth:
            if payload == ONLINE.encode() and not retained:
                self._retained = {}  # Home Assistant has started: publish everything again
                log.info("home automation: Home Assistant has started; announcing again")
            return
        name = topic.rpartition("/")[2]
        if topic != self._topics.command(name):
            return
        try:
            self._execute(name, payload, retained)
        except CommandError as error:
            self._counts["commands_refused" if isinstance(error, CommandRefused) else "commands_failed"] += 1
            self._warn(f"{name}: {error}")

    def _execute(self, name: str, payload: bytes, retained: bool) -> None:
        """Raises CommandError."""
        if retained:
            raise CommandRefused(
                "a retained command would be repeated at every connection; publish it without retain"
            )
        # One limit for all clients: MQTT does not tell who published a message.
        if self._rate_limiter.take("", self._clock()) > 0:
            raise CommandRefused("too many commands; one a second is accepted")
        if name.startswith("mute"):
            # Asked again: the wearer may have muted or unmuted by a key since the last poll.
            self._muted_s = float(self._ask(StatusCommand()).get("muted_s", 0.0))
        for command in commands(name, payload, self._muted_s, self._settings.mute_minutes):
            self._ask(command)
        self._counts["commands"] += 1
        # The effect of the command shows in the next status; it is asked for at once.
        self._next["status"] = 0.0

    def _warn(self, text: str) -> None:
        now = self._clock()
        if now - self._warned_s >= WARN_EVERY_S:
            self._warned_s = now
            log.warning("home automation: a command was not carried out: %s", text)

    def _close(self) -> None:
        # Taken first: a second call finds nothing to close.
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close((self._topics.availability, OFFLINE.encode()))


def _announced(payload: bytes) -> dict[str, str]:
    try:
        fields = json.loads(payload)
    # Every client of the broker may publish there, also JSON of any depth.
    except (ValueError, RecursionError):
        return {}
    return announced(fields) if isinstance(fields, dict) else {}
