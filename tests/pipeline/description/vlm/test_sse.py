"""Server-sent events, cut anywhere."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.description.vlm.backends.sse import LONGEST_EVENT, MOST_BYTES, TooMuchError, events

STREAM = (
    '\ufeff: comment\r\n\r\ndata:\r\n\r\ndata\n\ndata: {"a": "é"}\r\rid: 1\ndata:{"b":\ndata: 2}\n\n'
    'data: {"c": 3}\ndata: {"d": 4}\n\nevent: x\ndata: [DONE]'
).encode()
EVENTS = ['{"a": "é"}', '{"b":\n2}', '{"c": 3}', '{"d": 4}', "[DONE]"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_where_the_pieces_are_cut_does_not_matter(cuts: list[int]) -> None:
    ends = sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[a:b] for a, b in itertools.pairwise(ends)]
    assert list(events(pieces)) == EVENTS


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_end(pieces: list[bytes]) -> None:
    for event in events(pieces):
        assert event


def test_what_is_longer_than_any_answer_is_refused() -> None:
    for pieces in ([b"data: " + b"x" * (LONGEST_EVENT + 1)], [b": x\n" * 1000] * (MOST_BYTES // 4000 + 1)):
        with pytest.raises(TooMuchError):
            list(events(pieces))
