"""What stands at the broker and what may be asked from there, decided without a broker."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.rate_limit import RateLimiter
from daemon.config.sections import MqttSettings
from daemon.control.commands import AskCommand, HushCommand, MuteCommand, SayCommand
from daemon.core.health import Component
from daemon.mqtt.bridge import _announced
from daemon.mqtt.commands import (
    COMMAND_BURST,
    COMMANDS_PER_S,
    LONGEST,
    CommandRefused,
    commands,
)
from daemon.mqtt.discovery import DeviceSpec, Topics, announced, announcement, node_name, slug
from daemon.mqtt.topics_state import MqttState, changes
from tests.daemon.mqtt.announcements import Removed, understood

TOPICS = Topics("watchword", "kitchen", "homeassistant")
HAZARDS = ("fire", "smoke", "vehicle", "crosswalk_signal", "내 개/큰")
STATUS: dict[str, Any] = {
    "version": "1.2",
    "fps": 11.8,
    "active": ["fire"],
    "components": {"camera": {"reason": "ok"}, "voice": {"reason": "failed", "detail": "no voice"}},
    "muted_s": 61.0,
    "danger_muted_s": 0.0,
    "lost": [],
}
ALERT = {
    "kind": "alert", "id": "a1", "hazard": "vehicle", "severity": "critical", "direction": "left",
    "probability": 0.93, "escalated": False, "again": False,
}  # fmt: skip


def a_device(**options: bool) -> MqttState:
    device = MqttState(
        TOPICS, DeviceSpec(texts=options.get("texts", True), picture=options.get("picture", False))
    )
    device.apply_status(STATUS, HAZARDS, "1.2")
    return device


def state(device: MqttState, topic: str) -> Any:
    return json.loads(device.retained_messages({})[topic])


def test_the_announcement_is_what_home_assistant_takes() -> None:
    spec = DeviceSpec(HAZARDS, ("camera", "voice"), picture=True, version="1.2")
    found = understood(TOPICS.config, json.loads(json.dumps(announcement(TOPICS, spec, {"old": "sensor"}))))
    kinds = {key: part.platform for key, part in found.components.items()}
    assert {key for key, kind in kinds.items() if kind == "binary_sensor"} == {
        *(f"hazard_{slug(name)}" for name in HAZARDS), "health", "danger_muted",
    }  # fmt: skip
    assert kinds.items() >= {
        "said": "sensor", "description": "sensor", "component_camera": "sensor", "mute": "switch",
        "mute_minutes": "number", "say": "text", "hush": "button", "repeat": "button", "describe": "button",
        "read": "button",
        "false_alarm": "button", "camera": "camera", "warning": "event",
    }.items()  # fmt: skip
    assert found.components["old"] == Removed(platform="sensor")
    classes = [getattr(found.components[f"hazard_{name}"], "device_class", "") for name in HAZARDS[:4]]
    assert classes == ["safety", "smoke", "safety", None]


def _entities(language: str = "en", **more: Any) -> dict[str, Any]:
    spec = DeviceSpec(HAZARDS, get_args(Component), picture=True, language=language, **more)
    return dict(understood(TOPICS.config, announcement(TOPICS, spec, {})).components)


def test_every_entity_has_an_icon_and_a_name_in_both_languages() -> None:
    english, korean = _entities(), _entities("ko")
    assert [key for key, one in english.items() if not one.icon] == []
    hangul = re.compile("[가-힣]")
    assert [one.name for key, one in english.items() if hangul.search(one.name) and "-b0b4-" not in key] == []
    assert [one.name for one in korean.values() if not hangul.search(one.name)] == []
    for names in ([one.name for one in english.values()], [one.name for one in korean.values()]):
        assert len(set(names)) == len(names)
    assert (english["hazard_fire"].name, korean["hazard_fire"].name) == ("Fire", "불")


def test_probabilities_are_off_until_they_are_enabled_there() -> None:
    device = a_device()
    device.apply_probabilities({"fire": 0.876, "내 개/큰": 0.5})
    values = state(device, TOPICS.state("probabilities"))
    assert values == {"fire": 88, slug("내 개/큰"): 50}
    for name in HAZARDS:
        entity = _entities()[f"probability_{slug(name)}"]
        assert (entity.enabled_by_default, entity.unit_of_measurement) == (False, "%")
        assert entity.value_template == f"{{{{ value_json['{slug(name)}'] }}}}"
    others = [one for key, one in _entities().items() if not key.startswith("probability_")]
    assert all(one.enabled_by_default for one in others)


def test_the_device_links_to_its_page_and_to_help() -> None:
    spec = DeviceSpec(HAZARDS, page="http://box:8780/", support="https://example.org/issues")
    found = understood(TOPICS.config, announcement(TOPICS, spec, {}))
    assert found.device.configuration_url == "http://box:8780/"
    assert found.origin.support_url == "https://example.org/issues"
    without = understood(TOPICS.config, announcement(TOPICS, DeviceSpec(HAZARDS), {}))
    assert without.device.configuration_url is None and without.origin.support_url is None


def test_what_is_private_is_not_even_announced() -> None:
    keys = announced(announcement(TOPICS, DeviceSpec(HAZARDS, texts=False), {}))
    assert not keys.keys() & {"said", "description", "camera"}


@settings(deadline=None)  # a loaded machine takes longer over thirty entities than hypothesis expects
@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=10))
def test_any_hazard_name_gives_a_topic_of_its_own(names: list[str]) -> None:
    understood(TOPICS.config, announcement(TOPICS, DeviceSpec(tuple(names)), {}))
    assert len({TOPICS.hazard(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("wanted", "host", "instance", "node"),
    [
        ("x", "pc", "left", "x"),
        ("", "mini.device.arpa", "", "mini"),
        ("", "my-pc", "left.eye", "my-2d-pc_left-2e-eye"),
    ],
)
def test_a_device_is_named_after_its_machine(wanted: str, host: str, instance: str, node: str) -> None:
    assert node_name(wanted, host, instance) == node


def test_events_and_status_make_the_state() -> None:
    device = a_device()
    assert state(device, TOPICS.hazard("fire"))["state"] == "ON"
    (passing,) = device.on_event(ALERT, wall=1_700_000_000)
    assert json.loads(passing.payload).items() >= {"event_type": "alert", "hazard": "vehicle"}.items()
    device.on_event({"kind": "direction", "hazard": "vehicle", "direction": "ahead"}, 1_700_000_001)
    assert state(device, TOPICS.hazard("vehicle")) == {
        "state": "ON", "severity": "critical", "direction": "ahead", "probability": 0.93, "alert": "a1",
        "since": "2023-11-14T22:13:20+00:00",
    }  # fmt: skip
    device.on_event({"kind": "clear", "hazard": "vehicle", "id": "c1"}, 1_700_000_002)
    assert state(device, TOPICS.hazard("vehicle"))["state"] == "OFF"
    device.on_event({"kind": "speak", "text": "Car, left!", "priority": "danger"}, 1_700_000_003)
    device.on_event({"kind": "speak", "text": "", "priority": "notice", "earcon": "clear"}, 1_700_000_004)
    assert state(device, TOPICS.state("said"))["text"] == "Car, left!"
    assert state(device, TOPICS.state("health")) == {
        "state": "ON",
        "failing": {"voice": "failed"},
        "lost": [],
        "unrecognised": [],
    }
    assert state(device, TOPICS.state("muted")) == {"state": "ON", "minutes": 2, "danger": "OFF"}
    device.on_event({"kind": "health", "component": "voice", "reason": "ok"}, 1_700_000_005)
    assert state(device, TOPICS.state("health"))["state"] == "OFF"


def test_a_status_sets_right_what_events_got_wrong() -> None:
    device = a_device()
    device.on_event(ALERT, 0)
    device.apply_status({**STATUS, "active": []}, HAZARDS, "1.2")
    assert {state(device, TOPICS.hazard(name))["state"] for name in HAZARDS} == {"OFF"}


def test_alerts_from_before_we_listened_are_known_by_the_picture() -> None:
    device = a_device()
    active = {"hazard": "fire", "severity": "critical", "direction": None, "since_s": 60.0, "alert": "a7"}
    device.apply_picture({"active": [active], "probabilities": {"fire": 0.8}}, wall=1_700_000_060)
    assert state(device, TOPICS.hazard("fire")).items() >= {"alert": "a7", "probability": 0.8}.items()
    assert state(device, TOPICS.hazard("fire"))["since"] == "2023-11-14T22:13:20+00:00"


def test_a_daemon_that_is_away_is_a_problem_and_nothing_is_forgotten() -> None:
    device = a_device()
    device.daemon_lost()
    kept = device.retained_messages({})
    assert kept[TOPICS.daemon] == b"offline"
    assert json.loads(kept[TOPICS.state("health")])["state"] == "ON"
    assert TOPICS.config in kept


def test_a_hazard_that_is_no_more_is_taken_back() -> None:
    device = a_device()
    before, held = device.announced(), device.retained_messages({})
    device.apply_status(STATUS, ("fire",), "1.2")
    published = dict(changes(held, device.retained_messages(before)))
    assert published[TOPICS.hazard("smoke")] == b""
    assert understood(TOPICS.config, published[TOPICS.config]).components["hazard_smoke"] == Removed(
        platform="binary_sensor"
    )


_maps = st.dictionaries(st.sampled_from("abcdef"), st.binary(min_size=1, max_size=2))


@given(_maps, _maps)
def test_changes_make_a_broker_keep_what_is_wanted(held: dict[str, bytes], wanted: dict[str, bytes]) -> None:
    for topic, payload in changes(held, wanted):
        held.pop(topic, None)
        if payload:
            held[topic] = payload
    assert held == wanted
    assert changes(held, wanted) == ()


_ORDERS = st.one_of(
    st.tuples(st.just("mute"), st.sampled_from([b"ON", b"OFF"])),
    st.tuples(st.just("mute_minutes"), st.integers(0, 1440).map(lambda n: str(n).encode())),
)


@given(st.lists(_ORDERS, max_size=30))
def test_whatever_is_asked_danger_is_never_silenced(orders: list[tuple[str, bytes]]) -> None:
    muted_s, asked = 0.0, False
    for name, payload in orders:
        for command in commands(name, payload, muted_s, 10):
            assert isinstance(command, MuteCommand)
            assert not (command.seconds and asked), "asked for twice, the daemon silences danger"
            muted_s, asked = command.seconds, command.seconds > 0


def test_orders_are_what_they_say() -> None:
    assert commands("hush", b"PRESS", 0, 10) == (HushCommand(),)
    assert commands("say", " 안녕 ".encode(), 0, 10) == (SayCommand(text="안녕"),)
    assert commands("ask", b"what is ahead?", 0, 10) == (AskCommand(question="what is ahead?"),)
    assert commands("mute", b"ON", 0, 10) == (MuteCommand(by="home", seconds=600),)
    assert commands("mute_minutes", b"5", 30, 10) == (
        MuteCommand(by="home", seconds=0),
        MuteCommand(by="home", seconds=300),
    )


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("hush", b"now"), ("say", b""), ("say", b"  "), ("say", b"x" * 1001), ("say", b"x" * (LONGEST + 1)),
        ("say", b"\xff\xfe"), ("ask", b"x" * 501), ("mute", b"maybe"), ("mute_minutes", b"nan"),
        ("mute_minutes", b"-1"), ("mute_minutes", b"1e9"), ("purge", b"PRESS"), ("reload", b""),
    ],
)  # fmt: skip
def test_any_other_order_is_refused(name: str, payload: bytes) -> None:
    with pytest.raises(CommandRefused):
        commands(name, payload, 0, 10)


@given(st.lists(st.floats(0, 100), max_size=100))
def test_orders_are_no_more_than_burst_and_rate_allow(gaps: list[float]) -> None:
    pace, now, passed = RateLimiter(COMMANDS_PER_S, COMMAND_BURST), 0.0, 0
    for gap in gaps:
        now += gap / 50
        passed += pace.take("", now) == 0.0
    assert passed <= 10 + now + 1e-6


@pytest.mark.parametrize(
    "field", [{"host": "user:secret@broker"}, {"topic": "a/#"}, {"name": "a/b"}, {"topic": ""}]
)
def test_settings_that_cannot_be_are_refused(field: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(field))):
        MqttSettings(**field)


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"components":' * 50_000,
        json.dumps({"components": {"\ud800": {"platform": "button"}}}).encode(),
        json.dumps({"components": {"x": {"platform": "\udfff"}}}).encode(),
        json.dumps({"components": {"x" * 5000: {"platform": "button"}}}).encode(),
        b"\xff\xfe",
        b"null",
    ],
)
def test_whatever_was_left_at_the_broker_is_survived_and_not_sent_on(payload: bytes) -> None:
    assert _announced(payload) == {}
