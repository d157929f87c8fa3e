"""Addresses: what is tidied, what is refused, and the cure that is named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.addresses import AddressError, is_address, normalize

SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("RTSP://host/Path", "rtsp://host/Path"),
        (" rtsp://host/path ", "rtsp://host/path"),
        ("rtsp://me:p%2Fw@192.168.1.5:554/s?a=b#c", "rtsp://me:p%2Fw@192.168.1.5:554/s?a=b#c"),
        ("http://[::1]:8080/video", "http://[::1]:8080/video"),
        ("http://cam:/a@b/c", "http://cam:/a@b/c"),
        ("http://cam/@user/a", "http://cam/@user/a"),
        ("http://cam:8080/at@1", "http://cam:8080/at@1"),
        ("rtsp://0.0.0.0:8554/cam?listen", "rtsp://0.0.0.0:8554/cam?listen"),
        ("rtsp://host/user=admin&password=x.sdp", "rtsp://host/user=admin&password=x.sdp"),
        ("http://host/mail?to=me@example.org", "http://host/mail?to=me@example.org"),
        ("http://카메라.local/영상", "http://카메라.local/영상"),
    ],
)
def test_an_address_that_can_be_used(text: str, address: str) -> None:
    assert is_address(text)
    assert normalize(text, SCHEMES) == address
    assert normalize(address, SCHEMES) == address


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("rstp://host/path", "did you mean rtsp://?"),
        ("htpp://host/path", "did you mean http://?"),
        ("gopher://host/path", "use one of rtsp://, rtsps://, rtmp://, http://, https://"),
        ("192.168.1.5:8080/video", "write http:// or rtsp:// before it"),
        ("192.168.1.5", "write http:// or rtsp:// before it"),
        ("camera:554", "write http:// or rtsp:// before it"),
        ("admin:secret@192.168.1.5/stream", "write http:// or rtsp:// before it"),
        ("file:///home/me/clip.mp4", "by its path alone, without file://"),
        ("rtsp:/host/path", "write two slashes behind the scheme: rtsp://"),
        (r"http:\\host\path", "write two slashes behind the scheme: http://"),
        ("“rtsp://host/path”", "remove “"),
        ("'rtsp://host/path'", "second pair of quotes"),
        ("rtsp://me:pa/ss@host.lan/path", "user name or password, write / as %2F"),
        ("rtsp://me:pa#ss@192.168.1.5:554/path", "user name or password, write # as %23"),
        ("rtsp://me:12/34#@192.168.1.5/path", "write # as %23 and / as %2F"),
        ("rtsp://me:pa?ss@host.lan", "write ? as %3F"),
        ("rtsp://me:pa@ss@host.lan/path", "write @ as %40"),
        ("rtsp://me:100%@host.lan/path", "write % as %25"),
        ("rtsp://me:pa[ss@host.lan/path", "write [ as %5B"),
        ("rtsp://me:pa/ss@camera/path", "user name or password, write / as %2F"),
        ("rtsp://me:pa#ss@camera", "user name or password, write # as %23"),
        ("rtsp://me:pa?ss@camera/path", "user name or password, write ? as %3F"),
        ("https:host/path", "write https:// in front of the host"),
        ("rtsp//host/path", "write rtsp:// in front of the host"),
        ("rtsp://me:pa ss@host/path", "write a space as %20"),
        ("rtsp://host/my path", "in the address, write a space as %20"),
        ("rtsp://host:port/cam", "is not an address; write it like rtsp://user:password@host:port/path"),
        ("rtsp://host:99999/cam", "is not an address"),
        ("rtsp:///cam", "names no host"),
        ("rtsp://host/\x00", "control character"),
        (f"rtsp://host/{'a' * 5000}", "longer than an address may be"),
    ],
)
def test_a_mistake_is_told_with_its_cure_and_without_the_password(text: str, cure: str) -> None:
    assert is_address(text)
    with pytest.raises(AddressError) as caught:
        normalize(text, SCHEMES)
    assert cure in str(caught.value)
    assert not any(
        secret in str(caught.value) for secret in ("secret", "pa/", "pa#", "pa?", "me:pa", "12/34")
    )


@pytest.mark.parametrize(
    "text",
    [
        "auto",
        "demo",
        "0",
        "/dev/video0",
        "clip.mp4",
        "./a:1",
        "my folder/12:30.mp4",
        "C:/clip.mp4",
        "me@home",
        "",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_tidied_once_or_refused(text: str) -> None:
    try:
        address = normalize(text, SCHEMES)
    except AddressError as error:
        assert "\n" not in str(error)
    else:
        assert normalize(address, SCHEMES) == address
