from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from common.plain_text import PlainStream, escaped, one_line, spoken

texts = st.text(st.characters(codec="utf-8"))


@given(texts)
def test_no_control_character_is_left(text: str) -> None:
    for shown in (escaped(text).replace("\n", "").replace("\t", ""), one_line(text).replace("\t", "")):
        assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in shown)
    assert len(one_line(text).splitlines()) <= 1
    assert len(spoken(text).splitlines()) <= 1
    assert len(spoken(text)) == len(text)


@given(texts)
def test_json_stays_the_same_json(text: str) -> None:
    stream = io.StringIO()
    PlainStream(stream).write(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(stream.getvalue()) == {"text": text}
    assert "\x9b" not in stream.getvalue() and "\x7f" not in stream.getvalue()
