"""Joins the daemon to the broker, in threads of its own; neither ever waits for the other.

What is to stand at the broker is held as one message a topic, the newest wins, so there is no queue that a
dead broker could fill: after a break the broker's own memory is read first, and only what differs is said.
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
from daemon.mqtt.commands import ORDERS_AT_ONCE, ORDERS_PER_S, CommandRefused, commands
from daemon.mqtt.discovery import OFFLINE, ONLINE, Topics, announced, node_name
from daemon.mqtt.topics_state import MqttState, TransientMessage, changes

log = logging.getLogger(__name__)

INBOX = 1000
"""Events and orders that may wait; more are dropped and counted, and the next status sets things right."""
STATUS_EVERY_S = 5.0
SWEEP_S = 2.0
"""Seconds to wait for what the broker has kept."""
MOST_KEPT = 2000
"""Topics of our own that a sweep takes note of."""
COMPLAIN_EVERY_S = 60.0
LATE_S = 1e12
"""Later than any picture: the names alone are wanted."""
FIRST_RETRY_S = 1.0
STEADY_S = 30.0
"""Seconds after which a connection was a good one; a break sooner lengthens the wait for the next."""
STOP_S = 15.0

AskDaemon = Callable[[Command], Mapping[str, Any]]
"""Has the daemon do it, within a few seconds; raises CommandError. Called in the bridge's thread."""
Unsubscribe = Callable[[], None]
Subscribe = Callable[[Callable[[str], None]], Unsubscribe]
"""Hands every event of the daemon on, as a line of JSON, from whatever thread; the listener never waits.

It goes on over restarts of the daemon; what was missed need not be told.
"""


@dataclass(frozen=True, slots=True)
class _Event:
    line: str


@dataclass(frozen=True, slots=True)
class _Heard:
    topic: str
    payload: bytes
    kept: bool


@dataclass(frozen=True, slots=True)
class _Lost:
    connection: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


class MqttBridge:
    """`start` and `stop`; `status` at any time, from any thread."""

    def __init__(
        self,
        settings: MqttSettings,
        ask: AskDaemon,
        subscribe: Subscribe,
        *,
        host: str,
        instance: str = "",
        connect: Connect = PahoBroker,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`host` and `instance` name the device where the settings do not."""
        self._settings = settings
        self._ask = ask
        self._subscribe = subscribe
        self._connect = connect
        self._clock = clock
        self._wall = wall
        node = node_name(settings.name, host, instance)
        self._topics = Topics(settings.topic, node, settings.discovery)
        self._home = MqttState(self._topics, texts=settings.texts, picture=settings.picture_every_s > 0)
        self._inbox: queue.Queue[_Event | _Heard | _Lost | _Stop] = queue.Queue(INBOX)
        self._counts: Counter[str] = Counter()
        self._pace = RateLimiter(ORDERS_PER_S, ORDERS_AT_ONCE)
        self._backoff = Backoff(FIRST_RETRY_S, settings.reconnect_s)
        self._broker: Broker | None = None
        self._connection = 0
        self._connected_s = 0.0
        self._held: dict[str, bytes] = {}
        self._before: dict[str, str] = {}
        self._known = False
        self._reason = "not connected yet"
        self._muted_s = 0.0
        self._picture_seq: int | None = None
        self._next = {"status": 0.0, "picture": 0.0, "connect": 0.0}
        self._complained_s = -COMPLAIN_EVERY_S
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
        """Say that we go, and end; after `STOP_S` at most."""
        self._stopping.set()
        if self._unsubscribe:
            self._unsubscribe()
        with suppress(queue.Full):
            self._inbox.put_nowait(_Stop())
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    @property
    def lives(self) -> bool:
        """False once it has ended, which by itself it never should."""
        return self._thread.is_alive()

    def status(self) -> Mapping[str, Any]:
        """For the web interface's `/status`: whether it is connected, else why not, and what was counted."""
        connected = self._broker is not None
        return {
            "connected": connected,
            "reason": "" if connected else self._reason,
            "broker": f"{self._settings.host}:{self._settings.at_port}",
            "tls": self._settings.tls,
            "device": self._topics.device,
            "counts": dict(sorted(self._counts.copy().items())),
        }

    def _post(self, item: _Event | _Heard | _Lost) -> None:
        try:
            self._inbox.put_nowait(item)
        except queue.Full:
            self._counts["dropped"] += 1

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        except Exception:  # whoever looks at `lives` ends the web interface, and systemd starts it anew
            log.exception("home automation has ended by a bug")
            self._reason = "ended by a bug; the log says where"
        finally:
            self._close()

    def _turn(self) -> None:
        """What is due, then what comes in until something else is."""
        now = self._clock()
        if now >= self._next["status"]:
            self._look()
        if self._broker is None and self._clock() >= self._next["connect"]:
            self._try_connect()
        if self._broker is not None:
            self._reconcile()
            self._picture()
        due_s = max(0.0, self._next_due() - self._clock())
        with suppress(queue.Empty):
            item = self._inbox.get(timeout=due_s) if due_s else self._inbox.get_nowait()
            self._take(item)

    def _next_due(self) -> float:
        due = [self._next["status"]]
        if self._broker is None:
            due.append(self._next["connect"])
        elif self._settings.picture_every_s:
            due.append(self._next["picture"])
        return min(due)

    def _take(self, item: _Event | _Heard | _Lost | _Stop) -> None:
        match item:
            case _Event(line):
                self._event(line)
            case _Heard(topic, payload, kept):
                self._heard(topic, payload, kept)
            case _Lost(connection, reason) if connection == self._connection:
                self._broken(f"the connection was lost: {reason}")

    def _event(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._counts["strange_events"] += 1
            return
        if event.get("kind") == "dropped":  # something was missed: look again at once
            self._next["status"] = 0.0
        for passing in self._home.happened(event, self._wall()):
            self._pass(passing)

    def _pass(self, passing: TransientMessage) -> None:
        taken = self._broker is not None and self._broker.publish(
            passing.topic, passing.payload, qos=1, retain=False
        )
        self._counts["events" if taken else "events_lost"] += 1

    # --- the daemon

    def _look(self) -> None:
        self._next["status"] = self._clock() + STATUS_EVERY_S
        try:
            status = self._ask(StatusCommand())
            hazards = self._hazards()
            self._home.found(status, hazards, str(status.get("version", "")))
            self._muted_s = float(status.get("muted_s", 0.0))
            if not self._known and status.get("active"):
                with suppress(CommandError):  # then the alert's details are missing, and nothing else
                    self._home.seen(self._ask(PictureCommand(side=64)), self._wall())
        except CommandError as error:
            if self._known or not self._counts["daemon_away"]:
                log.info("home automation: %s", error)
            self._counts["daemon_away"] += 1
            self._known = False
            self._home.lost()
            return
        self._known = True

    def _hazards(self) -> tuple[str, ...]:
        """Names of those that are looked for; the ones known before where it cannot say yet."""
        with suppress(CommandError):
            return tuple(str(name) for name in self._ask(ScoresCommand(since_s=LATE_S))["hazards"])
        return self._home.shape.hazards

    # --- the broker

    def _try_connect(self) -> None:
        self._connection += 1
        number = self._connection
        will = (self._topics.availability, OFFLINE.encode())
        try:
            broker = self._connect(
                self._settings,
                self._topics.device,
                will,
                lambda topic, payload, kept: self._post(_Heard(topic, payload, kept)),
                lambda reason: self._post(_Lost(number, reason)),
            )
        except BrokerError as error:
            self._broken(str(error))
            return
        log.info("home automation: connected to %s:%d", self._settings.host, self._settings.at_port)
        self._counts["connections"] += 1
        self._connected_s = self._clock()
        self._broker = broker
        self._sweep(broker)

    def _broken(self, reason: str) -> None:
        if self._broker is not None and self._clock() - self._connected_s >= STEADY_S:
            self._backoff.reset()
        if not self._backoff.failures:  # once per streak
            where = f"{self._settings.host}:{self._settings.at_port}"
            log.warning("home automation: the broker at %s: %s; trying again and again", where, reason)
        self._reason = reason
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close(None)
            self._counts["losses"] += 1
        self._next["connect"] = self._clock() + self._backoff.next_s()

    def _sweep(self, broker: Broker) -> None:
        """Read what the broker has kept of us, so that nothing of it stays that is no longer true."""
        topics = self._topics
        everything = f"{topics.base}/#"
        broker.subscribe([everything, *([topics.config] if topics.config else [])])
        broker.publish(topics.barrier, str(self._connection).encode(), qos=1, retain=False)
        self._held = {}
        until_s = self._clock() + SWEEP_S
        aside: list[_Event | _Lost | _Stop] = []
        while (left_s := until_s - self._clock()) > 0:
            try:
                item = self._inbox.get(timeout=left_s)
            except queue.Empty:
                self._counts["sweeps_cut_short"] += 1
                break
            if not isinstance(item, _Heard):
                aside = [*aside[1 - INBOX :], item]
            elif item.topic == topics.barrier and not item.kept:
                break
            elif item.kept and item.payload and len(self._held) < MOST_KEPT:
                self._held[item.topic] = item.payload
        broker.unsubscribe(everything)
        if topics.config:
            broker.unsubscribe(topics.config)
        broker.subscribe([topics.orders, *([topics.birth] if topics.birth else [])])
        self._before.update(_announced(self._held.get(topics.config, b"")))
        for item in aside:
            self._take(item)

    def _reconcile(self) -> None:
        """Have the broker keep what is so now."""
        broker = self._broker
        if broker is None:
            return
        wanted = self._home.kept(self._before)
        # As long as the daemon was never heard, what it showed before is not taken back.
        held = (
            self._held if self._home.shape.hazards else {t: p for t, p in self._held.items() if t in wanted}
        )
        for topic, payload in changes(held, wanted):
            if not broker.publish(topic, payload, qos=1, retain=True):
                self._counts["not_taken"] += 1
                return  # full: what is still missing is found again in the next turn
            self._counts["published"] += 1
            if payload:
                self._held[topic] = payload
            else:
                self._held.pop(topic, None)
        if self._topics.config in wanted:
            self._before.update(self._home.announced())

    def _picture(self) -> None:
        every_s, now = self._settings.picture_every_s, self._clock()
        if not every_s or not self._known or self._broker is None or now < self._next["picture"]:
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
            self._broker.publish(self._topics.state("picture"), jpeg, qos=0, retain=False)
            self._counts["pictures"] += 1

    # --- orders

    def _heard(self, topic: str, payload: bytes, kept: bool) -> None:
        if topic == self._topics.birth:
            if payload == ONLINE.encode() and not kept:
                self._held = {}  # Home Assistant has come up: everything is said again
                log.info("home automation: Home Assistant has come up; announcing again")
            return
        name = topic.rpartition("/")[2]
        if topic != self._topics.order(name):
            return
        try:
            self._obey(name, payload, kept)
        except CommandError as error:
            self._counts["orders_refused" if isinstance(error, CommandRefused) else "orders_failed"] += 1
            self._complain(f"{name}: {error}")

    def _obey(self, name: str, payload: bytes, kept: bool) -> None:
        """Raises CommandError."""
        if kept:
            raise CommandRefused(
                "a retained order would be carried out again and again; publish it without retain"
            )
        if self._pace.take("", self._clock()) > 0:
            raise CommandRefused("too many orders; one a second is taken")
        if name.startswith("mute"):
            self._muted_s = float(self._ask(StatusCommand()).get("muted_s", 0.0))
        for command in commands(name, payload, self._muted_s, self._settings.mute_minutes):
            self._ask(command)
        self._counts["orders"] += 1
        self._next["status"] = 0.0

    def _complain(self, text: str) -> None:
        now = self._clock()
        if now - self._complained_s >= COMPLAIN_EVERY_S:
            self._complained_s = now
            log.warning("home automation: an order was not carried out: %s", text)

    def _close(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close((self._topics.availability, OFFLINE.encode()))


def _announced(payload: bytes) -> dict[str, str]:
    try:
        fields = json.loads(payload)
    except ValueError:
        return {}
    return announced(fields) if isinstance(fields, dict) else {}
