from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from capture.camera import CameraLost, CameraUnusable
from capture.factory import open_camera
from capture.frame import Frame, Image
from capture.reader import CameraState, Reader
from capture.settings import CaptureSettings
from capture.slot import LatestSlot, SlotPolicy
from capture.stream.camera import StreamCamera
from capture.stream.target import ffmpeg_target
from tests.capture.frame_age import burn, clock_ms, measure_ages, measure_assessed, painter, pushed, read_back
from tests.capture.made import street
from tests.capture.scripted import Events, eventually
from tests.capture.servers import MjpegServer, RtspServer, free_port

QUICK = CaptureSettings(open_timeout_s=4, read_timeout_s=2, stall_s=1, retry_max_s=0.2)


@contextmanager
def reading(
    url: str, settings: CaptureSettings = QUICK
) -> Iterator[tuple[Reader, LatestSlot[Frame], Events]]:
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.NEWEST)
    events = Events()
    reader = Reader(lambda: open_camera(url, settings), slot, settings, events)
    reader.start()
    try:
        yield reader, slot, events
    finally:
        assert reader.stop(10)


def refusal(url: str) -> str:
    with pytest.raises((CameraLost, CameraUnusable)) as caught:
        open_camera(url, CaptureSettings(open_timeout_s=1))
    message = str(caught.value)
    assert "\n" not in message
    assert "hush" not in message
    return message


def test_mjpeg_delivers_pictures_with_rising_stamps() -> None:
    with MjpegServer() as server, closing(open_camera(server.url, QUICK)) as camera:
        frames = [camera.read() for _ in range(5)]
    assert camera.live
    numbers = [frame.seq for frame in frames if frame]
    assert len(numbers) == 5
    assert numbers == sorted(set(numbers)), "what came late is left out, and never given twice"
    stamps = [frame.captured_at_s for frame in frames if frame]
    assert stamps == sorted(stamps)
    assert frames[0] is not None
    assert frames[0].source_size == (320, 240)


def test_a_stream_is_turned_and_bounded() -> None:
    settings = QUICK.model_copy(update={"rotate": 90, "max_side": 160})
    with MjpegServer() as server, closing(open_camera(server.url, settings)) as camera:
        frame = camera.read()
    assert frame is not None
    assert frame.image.shape == (160, 120, 3)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rtsp://me:hush@127.0.0.1:{closed}/cam", "cannot be reached"),
        ("rtsp://me:hush@127.0.0.1:{silent}/cam", "answers but sends no pictures"),
        ("http://127.0.0.1:{silent}/cam?token=hush1", "answers but sends no pictures"),
        ("http://127.0.0.1:{stalled}/cam", "answers but sends no pictures"),
        ("rtmp://127.0.0.1:{closed}/live/cam", "cannot be reached"),
        ("rtsp://me:hush@no-such-host.invalid/cam", "host name"),
        ("rtsp://0.0.0.0:{closed}/cam?listen", "not called by any camera"),
        ("rtmp://0.0.0.0:{closed}/cam?listen", "not called by any camera"),
        ("gopher://me:hush@host/cam", "gopher:// cannot be read"),
        ("rtsp://me:hush@host:port/cam", "is not an address"),
        ("rtsp:///cam", "is not an address"),
        ("rtsp://me:hush hush@host/cam", "write a space as %20"),
        ("192.168.1.5:8080/video", "write http:// or rtsp:// before it"),
    ],
)
def test_what_cannot_be_opened_says_why_in_time(url: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, MjpegServer() as stalled:
        stalled.stalled.set()
        ports = {"closed": free_port(), "silent": silent.getsockname()[1], "stalled": stalled.port}
        assert words in refusal(url.format(**ports))


@pytest.mark.parametrize("form", ["HTTP://{}", " http://{} ", "\thttp://{}\n", "hTTp://me:a%2Fb%23c@{}"])
def test_an_address_in_any_form_works(form: str) -> None:
    with MjpegServer() as server, closing(open_camera(form.format(server.url[7:]), QUICK)) as camera:
        assert camera.read() is not None
        assert camera.source == camera.source.strip()
        assert "a%2Fb" not in camera.source


def test_a_listening_address_becomes_ffmpegs_options() -> None:
    target, options = ffmpeg_target("rtsp://0.0.0.0:8554/cam?listen", CaptureSettings(open_timeout_s=7))
    assert target == "rtsp://0.0.0.0:8554/cam"
    assert (options["rtsp_flags"], options["listen_timeout"]) == ("listen", "7")
    target, options = ffmpeg_target("rtmp://0.0.0.0/live/cam?listen=1", QUICK)
    assert target == "rtmp://0.0.0.0/live/cam"
    assert options["listen"] == "1"


def test_a_camera_that_refuses_tcp_is_seen_over_udp() -> None:
    with RtspServer(udp=True) as server, closing(open_camera(server.url, QUICK)) as camera:
        frames = [camera.read() for _ in range(5)]
    assert all(frame is not None and frame.source_size == (320, 240) for frame in frames)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_a_server_that_hangs_up_is_called_again(kind: str) -> None:
    server = MjpegServer() if kind == "mjpeg" else RtspServer()
    with server, reading(server.url) as (reader, _, events):
        events.until(CameraState.LIVE)
        server.hang_up()
        assert "stopped sending" in events.until(CameraState.LOST).reason
        events.until(CameraState.LIVE)
        seen = reader.frames
        assert eventually(lambda: reader.frames > seen + 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_a_server_that_dies_and_comes_back(kind: str) -> None:
    begin = MjpegServer if kind == "mjpeg" else RtspServer
    server = begin()
    with reading(server.url) as (reader, _, events):
        events.until(CameraState.LIVE)
        server.close()
        events.until(CameraState.LOST)
        assert eventually(lambda: "cannot be reached" in reader.event.reason)
        with begin(port=server.port):
            events.until(CameraState.LIVE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_a_server_that_stalls_is_noticed_and_reopened(kind: str) -> None:
    server = MjpegServer() if kind == "mjpeg" else RtspServer()
    with server, reading(server.url) as (reader, _, events):
        events.until(CameraState.LIVE)
        server.stalled.set()
        events.until(CameraState.LOST, 5)
        assert eventually(lambda: "no picture for" not in reader.event.reason, 20)
        assert reader.event.state is CameraState.LOST
        server.stalled.clear()
        events.until(CameraState.LIVE)
        assert reader.stuck_threads == 0


def test_a_short_stall_is_survived_without_reconnecting() -> None:
    with MjpegServer() as server:
        settings = QUICK.model_copy(update={"stall_s": 5.0})
        with reading(server.url, settings) as (reader, _, events):
            events.until(CameraState.LIVE)
            server.stalled.set()
            threading.Event().wait(0.5)
            server.stalled.clear()
            seen = reader.frames
            assert eventually(lambda: reader.frames > seen + 5)
            assert events.more_states() == []
        assert server.clients == 1


def test_rubbish_between_pictures_is_passed_over() -> None:
    with MjpegServer() as server, reading(server.url) as (reader, _, events):
        events.until(CameraState.LIVE)
        server.rubbish.set()
        threading.Event().wait(0.3)
        server.rubbish.clear()
        seen = reader.frames
        assert eventually(lambda: reader.frames > seen + 3)
        assert server.clients == 1


@pytest.mark.slow
def test_nothing_but_rubbish_is_a_lost_camera() -> None:
    with MjpegServer() as server, reading(server.url) as (_, _, events):
        events.until(CameraState.LIVE)
        server.rubbish.set()
        events.until(CameraState.LOST)
        server.rubbish.clear()
        events.until(CameraState.LIVE)


def test_pictures_that_change_size_keep_coming() -> None:
    def growing(index: int) -> Image:
        return street(index % 9, 320, 240) if index < 10 else street(index % 9, 640, 480)

    with MjpegServer(growing) as server, closing(open_camera(server.url, QUICK)) as camera:
        assert all(camera.read() is not None for _ in range(25))


def test_a_stream_that_is_not_taken_does_not_grow_old() -> None:
    """The reader drains the stream however slow the consumer is."""
    with MjpegServer(painter(640, 360)) as server, reading(server.url) as (_, slot, events):
        events.until(CameraState.LIVE)
        assert eventually(lambda: slot.skipped > 20, 30)
        slot.pop(5)
        frame = slot.pop(5)
        assert frame is not None
        value = read_back(frame.image)
        assert value is not None
        assert (int(frame.captured_at_s * 1000) - value) & 0xFFFFFFFF < 1000


@pytest.mark.slow
def test_rtsp_is_not_seconds_behind_even_without_a_size_in_its_description() -> None:
    with RtspServer(painter(640, 360)) as server:
        ages = measure_ages(server.url, 75)
    assert ages.percentile(50) < 1000


@pytest.mark.slow
def test_a_stream_goes_on_at_the_newest_key_frame_and_tells_its_true_age() -> None:
    with RtspServer(painter(640, 360)) as server, closing(open_camera(server.url, QUICK)) as camera:
        before = camera.read()
        threading.Event().wait(4)  # a machine with other things to do; a key frame comes each second
        frame = camera.read()
        now_ms = clock_ms()
        assert before is not None and frame is not None
        value = read_back(frame.image)
        assert value is not None
        true_ms = (now_ms - value) & 0xFFFFFFFF
        told_ms = (time.monotonic() - frame.captured_at_s) * 1000
        assert true_ms < 2500
        assert abs(true_ms - told_ms) < 500
        assert frame.seq - before.seq > 40, "pictures passed over are counted"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["rtmp", "rtsp"])
def test_a_camera_that_pushes_to_us(scheme: str) -> None:
    with pushed(painter(640, 360), scheme) as url:
        ages = measure_ages(url, 75)
    assert ages.percentile(50) < 1000


@pytest.mark.slow
def test_the_clock_is_still_legible_when_a_frame_has_been_assessed(models: Path) -> None:
    with MjpegServer(painter(1280, 720)) as server:
        ages = measure_assessed(server.url, 30)
    assert len(ages.ms) >= 30
    assert 0 <= min(ages.ms) <= ages.percentile(50) < 10_000


def test_the_clock_survives_being_burnt() -> None:
    image = street(width=640, height=360)
    assert read_back(burn(image.copy(), 0xDEADBEEF)) == 0xDEADBEEF
    assert read_back(image) is None


def test_a_closed_stream_may_be_closed_again() -> None:
    with MjpegServer() as server:
        camera = StreamCamera(server.url, QUICK)
        camera.close()
        camera.close()
