from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.camera import Camera, CameraLost, CameraUnusable
from capture.factory import open_camera
from capture.frame import Frame
from capture.reader import CameraEvent, CameraState, Reader
from capture.session import FramePacer
from capture.settings import CaptureSettings
from capture.slot import LatestSlot, SlotPolicy
from tests.capture.made import street, write_picture, write_video
from tests.capture.scripted import Events, Hang, Opener, ScriptedCamera, eventually

QUICK = CaptureSettings(open_timeout_s=1, read_timeout_s=1, stall_s=0.5, retry_max_s=0.1)
Start = Callable[..., Reader]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def slot() -> LatestSlot[Frame]:
    return LatestSlot(SlotPolicy.NEWEST)


@pytest.fixture
def start(events: Events, slot: LatestSlot[Frame]) -> Iterator[Start]:
    readers: list[Reader] = []

    def begin(open_it: Callable[[], Camera], settings: CaptureSettings = QUICK) -> Reader:
        reader = Reader(open_it, slot, settings, events)
        readers.append(reader)
        reader.start()
        return reader

    yield begin
    for reader in readers:
        reader.stop(5)


def test_frames_are_numbered_and_stamped(start: Start, events: Events, slot: LatestSlot[Frame]) -> None:
    began_s = time.monotonic()
    reader = start(Opener([ScriptedCamera()]))
    assert events.next_state().state is CameraState.LIVE
    taken = [slot.pop(5) for _ in range(5)]
    frames = [frame for frame in taken if frame is not None]
    assert len(frames) == 5
    assert all(a.seq < b.seq and a.captured_at_s < b.captured_at_s for a, b in pairwise(frames))
    assert began_s < frames[0].captured_at_s < time.monotonic()
    assert reader.last_frame_at_s is not None
    assert reader.last_frame_at_s >= frames[-1].captured_at_s


def test_a_lost_camera_is_told_once_and_reopened_until_it_is_back(
    start: Start, events: Events, slot: LatestSlot[Frame]
) -> None:
    first = ScriptedCamera(0.0, 0.0, CameraLost("the cable is out"))
    opener = Opener([first, CameraLost("still out"), CameraLost("still out"), ScriptedCamera()])
    reader = start(opener)
    states = [events.next_state() for _ in range(3)]
    assert [event.state for event in states] == [CameraState.LIVE, CameraState.LOST, CameraState.LIVE]
    assert states[1].reason == "the cable is out"
    assert opener.opened == 4
    assert first.closed.is_set()
    assert eventually(lambda: reader.frames > 3)
    frame = slot.pop(5)
    assert frame is not None
    assert frame.seq >= 2  # numbered on


def test_a_camera_that_is_not_there_yet_is_waited_for(start: Start, events: Events) -> None:
    start(Opener([CameraLost("nothing plugged in"), ScriptedCamera()]))
    assert [events.next_state().state for _ in range(2)] == [CameraState.LOST, CameraState.LIVE]


def test_a_camera_that_can_never_work_ends_it(start: Start, events: Events, slot: LatestSlot[Frame]) -> None:
    reader = start(Opener([CameraUnusable("no such file")]))
    event = events.next_state()
    assert (event.state, event.reason) == (CameraState.UNUSABLE, "no such file")
    assert slot.pop(5) is None
    assert slot.closed
    assert eventually(lambda: not reader.alive)


def test_a_camera_that_worked_before_is_never_given_up(start: Start, events: Events) -> None:
    start(Opener([ScriptedCamera(0.0, CameraUnusable("no permission")), ScriptedCamera()]))
    states = [events.next_state().state for _ in range(3)]
    assert states == [CameraState.LIVE, CameraState.LOST, CameraState.LIVE]


def test_a_pause_is_told_before_the_call_returns_and_forgiven_when_it_does(
    start: Start, events: Events
) -> None:
    hang = Hang()
    opener = Opener([ScriptedCamera(0.0, 0.0, hang)])
    start(opener, QUICK.model_copy(update={"read_timeout_s": 30}))
    assert events.next_state().state is CameraState.LIVE
    lost = events.next_state()
    assert lost.state is CameraState.LOST
    assert "no picture for" in lost.reason
    hang.released.set()
    assert events.next_state().state is CameraState.LIVE
    assert opener.opened == 1


@pytest.mark.slow
def test_a_hanging_call_is_replaced_and_its_late_pictures_are_ignored(
    start: Start, events: Events, slot: LatestSlot[Frame]
) -> None:
    hang = Hang()
    stuck = ScriptedCamera(0.0, hang, after=None)
    reader = start(Opener([stuck, ScriptedCamera()]))
    assert [events.next_state().state for _ in range(3)] == [
        CameraState.LIVE,
        CameraState.LOST,
        CameraState.LIVE,
    ]
    assert reader.stuck_threads == 1
    hang.released.set()
    assert stuck.closed.wait(5)
    assert eventually(lambda: reader.stuck_threads == 0)
    assert reader.event.state is CameraState.LIVE
    assert events.more_states() == []


@pytest.mark.slow
def test_too_many_hanging_calls_need_a_new_process(
    start: Start, events: Events, slot: LatestSlot[Frame]
) -> None:
    hang = Hang()
    reader = start(Opener([hang]), QUICK.model_copy(update={"open_timeout_s": 0.05}))
    event = events.until(CameraState.STUCK, 60)
    assert "restart" in event.reason
    assert eventually(lambda: slot.closed and not reader.alive)
    assert reader.stuck_threads == 4
    hang.released.set()
    assert eventually(lambda: reader.stuck_threads == 0)


def test_stopping_does_not_wait_for_a_hanging_call(start: Start, events: Events) -> None:
    hang = Hang()
    reader = start(Opener([ScriptedCamera(0.0, hang)]))
    assert hang.entered.wait(5)
    began_s = time.monotonic()
    assert not reader.stop(0.3)
    assert time.monotonic() - began_s < 5
    assert not reader.alive
    hang.released.set()
    assert reader.stop(5)


def test_stopping_closes_the_camera_and_the_slot(
    start: Start, events: Events, slot: LatestSlot[Frame]
) -> None:
    camera = ScriptedCamera()
    reader = start(Opener([camera]))
    events.until(CameraState.LIVE)
    assert reader.stop(5)
    assert camera.closed.is_set()
    assert slot.closed


def test_stopping_while_waiting_to_try_again(start: Start, events: Events) -> None:
    reader = start(Opener([CameraLost("gone")]), QUICK.model_copy(update={"retry_max_s": 60}))
    assert events.next_state().state is CameraState.LOST
    assert reader.stop(5)


def test_a_camera_that_shows_a_picture_each_time_is_opened_again_soon(start: Start) -> None:
    opener = Opener([*(ScriptedCamera(0.0, CameraLost("ended")) for _ in range(8)), ScriptedCamera()])
    # Doubled, the waits would add up to over half a minute.
    start(opener, QUICK.model_copy(update={"retry_max_s": 60}))
    assert eventually(lambda: opener.opened == 9, 15)


@pytest.mark.parametrize("error", [RuntimeError("a mistake in the program"), SystemExit("of a thread")])
def test_an_error_nobody_foresaw_is_no_end_of_a_file(
    start: Start,
    events: Events,
    slot: LatestSlot[Frame],
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
) -> None:
    def broken() -> Camera:
        raise error

    reader = start(broken)
    event = events.next_state()
    assert (event.state, event.reason) == (CameraState.FAILED, f"{type(error).__name__}: {error}")
    assert eventually(lambda: not reader.alive)
    assert slot.closed
    assert [r.exc_info[1] for r in caplog.records if r.exc_info] == [error]


def test_whoever_is_told_and_fails_ends_it_too(slot: LatestSlot[Frame]) -> None:
    def deaf(event: object) -> None:
        if isinstance(event, CameraEvent) and event.state is not CameraState.FAILED:
            raise ValueError("cannot hear")

    reader = Reader(Opener([CameraLost("gone")]), slot, QUICK, deaf)
    reader.start()
    assert eventually(lambda: not reader.alive)
    assert (reader.event.state, reader.event.reason) == (CameraState.FAILED, "ValueError: cannot hear")


def test_a_file_runs_at_its_own_pace_and_ends(
    start: Start, events: Events, slot: LatestSlot[Frame], tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.avi", [street(i) for i in range(10)], fps=10)
    reader = start(lambda: open_camera(str(clip), QUICK))
    stamps = [(f.captured_at_s, f.source_time_s or 0.0) for f in iter(lambda: slot.pop(5), None)]
    assert events.until(CameraState.ENDED).reason
    assert reader.frames == 10
    assert stamps[-1][1] == pytest.approx(0.9)
    lasted_s, recorded_s = (stamps[-1][i] - stamps[0][i] for i in (0, 1))
    assert lasted_s >= recorded_s - 0.01


def test_a_file_may_begin_again(start: Start, slot: LatestSlot[Frame], tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.avi", [street(i) for i in range(4)], fps=50)
    reader = start(lambda: open_camera(str(clip), QUICK), QUICK.model_copy(update={"loop": True}))
    assert eventually(lambda: reader.frames > 12)
    frame = slot.pop(5)
    assert frame is not None
    assert frame.seq >= 4


@pytest.mark.parametrize("pictures", [1, 2])
def test_the_last_picture_lasts_too_before_they_begin_again(tmp_path: Path, pictures: int) -> None:
    for name in range(pictures):
        write_picture(tmp_path / f"{name}.png", street(name))
    looping = QUICK.model_copy(update={"loop": True, "folder_fps": 10.0})
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.EVERY)
    reader = Reader(lambda: open_camera(str(tmp_path), looping), slot, looping, lambda _: None)
    reader.start()
    frames = [frame for _ in range(7) if (frame := slot.pop(5))]
    assert reader.stop(5)
    assert all(b.captured_at_s - a.captured_at_s > 0.099 for a, b in pairwise(frames))


def test_under_back_pressure_nothing_is_missed(events: Events) -> None:
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.EVERY)
    camera = ScriptedCamera(*[0.0] * 30, after=None, live=False)
    reader = Reader(Opener([camera]), slot, QUICK, events)
    reader.start()
    assert [frame.seq for frame in iter(lambda: slot.pop(5), None)] == list(range(30))
    assert reader.stop(5)


def test_a_slow_consumer_is_no_lost_camera(events: Events) -> None:
    slot: LatestSlot[Frame] = LatestSlot(SlotPolicy.EVERY)
    reader = Reader(Opener([ScriptedCamera()]), slot, QUICK, events)
    reader.start()
    events.until(CameraState.LIVE)
    before_s = reader.heartbeat_s
    assert eventually(lambda: reader.heartbeat_s > before_s + 2 * QUICK.stall_s)
    assert reader.event.state is CameraState.LIVE
    assert reader.stop(5)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=20))
def test_pace_is_never_ahead_of_the_recording(steps: list[tuple[float, float]]) -> None:
    pace, stream_s, now = FramePacer(), 0.0, 100.0
    began = None
    for stream_step, busy in steps:
        stream_s += stream_step
        now += busy
        delay_s = pace.delay_s(stream_s, now)
        now += delay_s
        began = began or (stream_s, now)
        assert now - began[1] >= stream_s - began[0] - 1e-6
        assert delay_s <= stream_step + 1e-6 or delay_s == pytest.approx(0)
    step_s = steps[-1][0] if len(steps) > 1 else 0.0
    rest_s = pace.rest_s(now)
    assert 0 <= rest_s <= step_s + 1e-6
    assert began is not None
    assert now + rest_s - began[1] >= stream_s + step_s - began[0] - 1e-6
