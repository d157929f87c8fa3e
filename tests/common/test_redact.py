from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.redact import redact

visible = string.ascii_letters + string.digits + string.punctuation
secrets = st.text(visible, min_size=6, max_size=20).map(lambda text: f"S3{text}")
values = st.text(string.ascii_letters + string.digits + "-_.~%+=@:!$'()*,", min_size=6, max_size=20)
schemes = st.sampled_from(["rtsp", "rtmp", "http", "https", "RTSP", "rtsps"])
names = st.sampled_from(
    ["token", "password", "passwd", "pwd", "key", "api_key", "access_token", "auth", "sig"]
)


@given(schemes, st.text(string.ascii_letters, min_size=1), secrets)
def test_a_password_never_survives(scheme: str, user: str, password: str) -> None:
    shown = redact(f"{scheme}://{user}:{password}@camera.local:554/stream1")
    assert shown == f"{scheme}://***@camera.local:554/stream1"


@given(schemes, names, values, st.sampled_from(["?", "?channel=1&", "/", "#"]))
def test_a_secret_in_the_query_never_survives(scheme: str, name: str, value: str, before: str) -> None:
    shown = redact(f"{scheme}://10.0.0.9/live{before}{name}={value}&size=vga")
    assert value not in shown
    assert shown.startswith(f"{scheme}://")


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "plain",
    [
        "rtsp://10.0.0.9:554/stream1?channel=1&subtype=0",
        "http://10.0.0.9/mjpeg?size=vga",
        "/dev/v4l/by-id/usb-Maker_Camera_1234-video-index0",
        "/home/me/videos/walk@night.mp4",
        "demo",
    ],
)
def test_an_address_without_secrets_is_left_as_it_is(plain: str) -> None:
    assert redact(plain) == plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://me:a/b#c?d@e@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me@cam/1", "rtsp://***@cam/1"),
        ("rtsp:/me:pw@cam/1", "rtsp:/***@cam/1"),
        ("lost rtsp://me:pw@cam/1, again", "lost rtsp://***@cam/1, again"),
        ("http://cam/x?token=abc&w=1", "http://cam/x?token=***&w=1"),
        ("http://cam/x?w=1&Api-Key=abc", "http://cam/x?w=1&Api-Key=***"),
        ("rtsp://cam/user=admin&password=hush&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_word_of_any_length_is_looked_through_in_one_go() -> None:
    """Tried at each of its characters it would take hours, and hold up every other thread."""
    word = "x" * 100_000
    assert redact(word) == word
    assert redact(f"{word}password=hunter2") == f"{word}password=***"
