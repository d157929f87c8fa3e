"""Messages between processes, writing without waiting, and the file that stands in for a loudspeaker."""

from __future__ import annotations

import socket
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.framing import LENGTHS, ConnectionLost, encode, receive, send
from common.socket_writer import LIMIT_BYTES, SocketWriter
from speech.playback.wav_ring import RotatingWavFile

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


values = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=20), st.none()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values, st.binary(max_size=5000))
def test_a_message_arrives_as_it_was_sent(pair: Pair, header: dict[str, object], payload: bytes) -> None:
    send(pair[0], header, payload)
    assert receive(pair[1], 5.0) == (header, payload)


def test_nothing_in_time_is_a_timeout(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        receive(pair[0], 0.01)


@pytest.mark.parametrize("noise", [b"\xff" * 64, LENGTHS.pack(3, 0) + b"not", LENGTHS.pack(2, 0) + b"[]"])
def test_nonsense_is_a_lost_link(pair: Pair, noise: bytes) -> None:
    pair[0].sendall(noise)
    pair[0].close()
    with pytest.raises(ConnectionLost):
        receive(pair[1], 5.0)


def test_writing_never_waits_for_a_reader_and_all_arrives_in_order(pair: Pair) -> None:
    outgoing = SocketWriter(pair[0])
    payloads = [bytes([number]) * 300_000 for number in range(20)]
    assert all(outgoing.push(encode({"n": n}, payload)) for n, payload in enumerate(payloads))
    for number, payload in enumerate(payloads):
        assert receive(pair[1], 5.0) == ({"n": number}, payload)
    outgoing.close()


def test_what_is_too_much_or_has_no_reader_is_refused(pair: Pair) -> None:
    outgoing = SocketWriter(pair[0])
    assert not outgoing.push(bytes(LIMIT_BYTES + 1))
    pair[1].close()
    outgoing.push(b"x")
    assert not outgoing.push(b"x")
    outgoing.close()
    assert not outgoing.push(b"x")


def block(value: int, frames: int = 800) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.full((frames, 2), value, np.int16)


def frames_of(path: Path) -> int:
    with wave.open(str(path)) as file:
        return int(file.getnframes())


def test_the_ring_keeps_the_latest_and_is_always_readable(tmp_path: Path) -> None:
    ring = RotatingWavFile(tmp_path / "said.wav", 8000, limit_s=1.0)
    for number in range(25):
        ring.write(block(number + 1))
        assert frames_of(tmp_path / "said.wav") == 800 * (number % 10 + 1)
    assert frames_of(ring.older) == 8000
    ring.close()


def test_the_ring_shortens_silence(tmp_path: Path) -> None:
    ring = RotatingWavFile(tmp_path / "said.wav", 8000)
    for _ in range(50):
        ring.write(block(0))
    assert frames_of(tmp_path / "said.wav") == 0
    ring.write(block(5))
    for _ in range(50):
        ring.write(block(0))
    assert frames_of(tmp_path / "said.wav") == 800 + 8000
    ring.close()
