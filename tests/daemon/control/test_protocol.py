"""What is understood on the control socket, and what is refused with which words."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.control import commands
from daemon.control import protocol as wire
from daemon.core.events import Kind
from daemon.errors import CommandError

texts = st.text(min_size=1, max_size=200).filter(lambda t: t.strip() != "" and t.isprintable())
any_command: st.SearchStrategy[commands.Command] = st.one_of(
    st.sampled_from(
        [
            commands.StatusCommand(),
            commands.HushCommand(),
            commands.RepeatCommand(),
            commands.ReloadCommand(),
            commands.AskCommand(),
            commands.WhyCommand(),
        ]
    ),
    st.sampled_from(
        [
            commands.LouderCommand(),
            commands.SofterCommand(),
            commands.FasterCommand(),
            commands.SlowerCommand(),
            commands.DescribeCommand(),
        ]
    ),
    st.sampled_from(
        [commands.FalseAlarmCommand(), commands.EarconsCommand(), commands.StatusCommand(aloud=True)]
    ),
    st.builds(commands.SayCommand, text=texts, language=st.sampled_from([None, "en", "ko"])),
    st.builds(commands.AskCommand, question=texts),
    st.builds(commands.MuteCommand, seconds=st.floats(0, 86400)),
    st.builds(commands.WhyCommand, event=texts),
    st.builds(commands.EventsCommand, kinds=st.lists(st.sampled_from(get_args(Kind)), max_size=5).map(tuple)),
    st.builds(
        commands.UtterCommand,
        text=texts,
        language=st.sampled_from(["en", "ko"]),
        priority=st.sampled_from(["danger", "message", "text", "notice"]),
        key=texts,
        severity=st.integers(0, 10),
        pan=st.floats(-1, 1),
        expires_in_s=st.floats(0.1, 60),
        cause=texts,
    ),
)


@given(id=st.integers(), command=any_command)
def test_a_request_arrives_as_it_was_sent(id: int, command: commands.Command) -> None:
    line = wire.encode_request(wire.Request(id, command))
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert wire.decode_request(line) == wire.Request(id, command)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.one_of(
        st.binary(max_size=100),
        json_values.map(lambda value: json.dumps(value).encode()),
        st.fixed_dictionaries(
            {"v": st.just(1), "id": st.just(1), "do": st.sampled_from(["say", "mute", "utter", "events"])},
            optional=dict.fromkeys(("text", "seconds", "language", "kinds", "severity", "pan"), json_values),
        ).map(lambda fields: json.dumps(fields).encode()),
    )
)
def test_whatever_comes_is_a_request_or_one_clear_line(line: bytes) -> None:
    try:
        wire.decode_request(line)
    except wire.BadRequest as error:
        assert str(error)
        assert b"\n" not in wire.encode_error(error.id, str(error))[:-1]


def _refused(**fields: Any) -> str:
    with pytest.raises(wire.BadRequest) as caught:
        wire.decode_request(json.dumps({"v": 1, "id": 7, **fields}).encode())
    assert caught.value.id == 7
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"v": 2, "do": "hush"}, "v = 2: this daemon speaks version 1 only"),
        ({"v": True, "do": "hush"}, "v = true: this daemon speaks version 1 only"),
        ({"do": "dance"}, 'do = "dance": should be one of status, say, ask, hush'),
        ({"do": ["say"]}, 'do = ["say"]: should be one of'),
        ({}, "do = null: should be one of"),
        ({"do": "say"}, "say: text: Field required"),
        ({"do": "say", "text": " "}, "say: text: "),
        ({"do": "say", "text": "x" * 1001}, "say: text: String should have at most 1000 characters"),
        ({"do": "say", "text": "hi", "volume": 11}, "say: volume: Extra inputs are not permitted"),
        ({"do": "say", "text": "hi", "language": "fr"}, "say: language: Input should be 'en' or 'ko'"),
        ({"do": "mute", "seconds": "60"}, "mute: seconds: Input should be a valid number"),
        ({"do": "mute", "seconds": -1}, "mute: seconds: Input should be greater than or equal to 0"),
        ({"do": "mute", "seconds": float("nan")}, "mute: seconds: "),
        ({"do": "mute", "seconds": float("inf")}, "mute: seconds: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(fields: dict[str, Any], words: str) -> None:
    assert _refused(**fields).startswith(words)


@pytest.mark.parametrize("id", [None, "7", 1.5, True])
def test_a_request_needs_a_number_to_be_answered_by(id: object) -> None:
    with pytest.raises(wire.BadRequest, match=r"id = .*should be a whole number") as caught:
        wire.decode_request(json.dumps({"v": 1, "id": id, "do": "hush"}).encode())
    assert caught.value.id is None


def test_what_a_person_typed_is_checked_the_same_way() -> None:
    assert wire.checked(commands.SayCommand, text="hello", language=None) == commands.SayCommand(text="hello")
    with pytest.raises(CommandError, match="mute: seconds: "):
        wire.checked(commands.MuteCommand, seconds=1e9)


def test_replies() -> None:
    assert wire.decode_reply(wire.encode_reply(7, {"fps": 25.0}), 7) == {"fps": 25.0}
    with pytest.raises(CommandError, match=r"^no such file, sorry$"):
        wire.decode_reply(wire.encode_error(7, "no such file,\nsorry"), 7)
    with pytest.raises(CommandError, match="another version"):
        wire.decode_reply(b'{"v":2,"id":7,"ok":true,"result":{}}', 7)
    with pytest.raises(CommandError, match="something else"):
        wire.decode_reply(wire.encode_reply(8, {}), 7)


@pytest.mark.parametrize("command", [commands.EventsCommand, commands.JournalCommand])
@pytest.mark.parametrize(
    ("kind", "hint"),
    [("alerts", "did you mean alert?"), ("Speak", "did you mean speak?"), ("x", "there are")],
)
def test_a_kind_of_event_that_never_comes_is_refused(
    command: type[commands.Command], kind: str, hint: str
) -> None:
    with pytest.raises(CommandError) as refused:
        wire.checked(command, kinds=(kind,))
    assert f"{kind!r} is no kind of event; {hint}" in str(refused.value)
    assert "Value error" not in str(refused.value)
