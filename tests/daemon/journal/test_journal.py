"""The journal: what is kept, found again, and forgotten."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.frame import Frame
from daemon.bench.journal import filled
from daemon.config.sections import JournalSettings
from daemon.control.commands import JournalCommand, PurgeCommand, WhyCommand
from daemon.core.black_box import Recording
from daemon.core.events import Event
from daemon.core.messages import Ask, Mute, Say
from daemon.errors import CommandError
from daemon.explain.sources import why
from daemon.handlers.journal import handlers
from daemon.handlers.requests import Handler
from daemon.journal import retention
from daemon.journal.age_limit import DAY_S, AgeLimit
from daemon.journal.database_file import JournalSetAsideError
from daemon.journal.export import export
from daemon.journal.inbox import JournalInbox
from daemon.journal.offline import purge
from daemon.journal.paging import pages
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import kept, pixelated
from daemon.journal.reader import reading
from daemon.journal.recording_schedule import RecordingSchedule
from daemon.journal.schema import STEPS, open_reader, open_writer
from daemon.journal.set_aside import kept_journals
from daemon.journal.sources import OfflineJournal
from daemon.journal.store import JournalStore
from daemon.journal.times import parse_time
from daemon.journal.writer import JournalWriter
from pipeline.description.policy import AnswerFinished, SentenceReady
from tests.daemon.journal.writing import WALL_S, Diary, diary, note, street, until

SECRET = "rtsp://anna:hunter2@10.0.0.7/live"


def handlers_of(it: Any, writer: JournalWriter | None) -> Mapping[str, Handler]:
    """The handlers of the test's journal; `it` is one of its stations."""
    return handlers(
        paths=it.places,
        writer=writer,
        snapshot=it.mind.snapshot,
        forget_recording=it.mind.forget,
        hazards=tuple,
        clock=lambda: it.now,
    )


def events(places: JournalPaths, **wanted: Any) -> list[dict[str, Any]]:
    """Oldest first."""
    with reading(places) as reader:
        return list(reversed(reader.page(JournalCommand(**wanted))["events"]))


# What is kept


def test_an_alert_is_kept_with_its_words_its_picture_and_what_the_detector_held_of_everything(
    tmp_path: Path,
) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9, vehicle=0.3)
    alert = events(it.places, kinds=("alert",), evidence=True)[0]
    assert (alert["id"], alert["hazard"], alert["run"], alert["snapshot"]) == ("a1", "fire", "run1", True)
    assert alert["wall_s"] == pytest.approx(WALL_S + alert["t"])
    evidence = alert["evidence"]
    assert evidence["probabilities"]["fire"] == pytest.approx(0.9)
    assert evidence["smoothed"]["vehicle"] == pytest.approx(0.3)
    assert evidence["thresholds"]["fire"] == 0.5
    assert evidence["voted_s"]["fire"] >= evidence["vote_s"] > evidence["voted_s"]["vehicle"]
    spoken = events(it.places, kinds=("speak",), hazard="fire")[0]
    assert spoken["cause"] == "a1"
    assert spoken["snapshot"]
    with reading(it.places) as reader:
        jpeg, coarse = reader.picture(spoken["row"])
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    seen = street(alert["frame"])
    assert picture is not None
    assert picture.shape == seen.shape
    assert not coarse
    assert (
        np.corrcoef(picture.ravel(), seen.ravel())[0, 1] > 0.3
    )  # this very frame, as far as JPEG keeps noise


def test_a_view_has_its_picture_once_it_was_described_and_its_words_have_it_too(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(0.5).tell(Ask("what?"))
        it.watch(0.2).tell(SentenceReady("s2", "A quiet street.", "fake"), AnswerFinished("s2")).watch(0.2)
        it.tell(Ask())
    found = {event["id"]: event for event in events(it.places)}
    assert found["s2"]["snapshot"]
    (described,) = [event for event in found.values() if event["kind"] == "describe"]
    assert described["snapshot"]
    assert all(event["snapshot"] for event in found.values() if event["cause"] == described["id"])
    assert not found["s3"]["snapshot"]
    assert len(list(it.places.pictures.iterdir())) == 1


def test_the_minute_around_an_alert_is_kept_and_repeats_exactly(tmp_path: Path) -> None:
    with diary(tmp_path, black_box_after_s=0) as it:
        it.watch(2, fire=0.9).watch(3).watch(1, vehicle=0.9)
    alert = events(it.places, kinds=("alert",))[0]
    assert alert["black_box"]
    with reading(it.places) as reader:
        recording = Recording.load(reader.recording_file(alert["row"]))
    assert any(json.loads(line)["id"] == alert["id"] for line in recording.events)
    assert recording.repeat() == recording.events


def test_credentials_do_not_get_in(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.clerk.write(Event("health", "h1", 0.0, None, None, {"detail": f"no route to {SECRET}"}).to_json())
    assert "hunter2" not in json.dumps(events(it.places))
    assert all(b"hunter2" not in file.read_bytes() for file in it.places.folder.rglob("*") if file.is_file())


def test_without_pictures_and_boxes_there_are_none(tmp_path: Path) -> None:
    with diary(tmp_path, pictures="off", black_boxes=False, black_box_after_s=0) as it:
        it.watch(1, fire=0.9)
    (alert,) = events(it.places, kinds=("alert",))
    assert not alert["snapshot"]
    assert not alert["black_box"]
    assert not [file for folder in (it.places.pictures, it.places.black_boxes) for file in folder.iterdir()]


def test_what_comes_faster_than_it_can_be_written_is_counted_and_nobody_waits(tmp_path: Path) -> None:
    it = Diary(tmp_path)  # its thread does not run
    for number in range(2500):
        it.clerk.write(Event("speak", f"u{number}", 0.0, fields={"text": "x"}).to_json())
    assert it.clerk.dropped == 500
    it.begin()
    it.end()
    with reading(it.places) as reader:
        assert reader.counts() == {"speak": 2000}


def test_a_line_that_is_none_is_left_out(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.clerk.write("{")
        it.clerk.write('{"kind":"speak"}')
        it.tell(Say("hello"))
    assert [event["text"] for event in events(it.places)] == ["hello"]
    assert it.clerk.dropped == 2


@given(st.lists(st.sampled_from(["put", "take"]), max_size=60))
def test_the_inbox_is_bounded_and_keeps_the_order(story: list[str]) -> None:
    inbox, given_, taken = JournalInbox(5), 0, list[int]()
    accepted = list[int]()
    for step in story:
        if step == "put":
            if inbox.put(str(given_)):
                accepted.append(given_)
            given_ += 1
        elif inbox.waiting:
            taken += map(int, inbox.get(3, 0).lines)
        assert inbox.waiting <= 5
    inbox.close()
    while inbox.waiting:
        taken += map(int, inbox.get(3, 0).lines)
    assert taken == accepted


# Privacy


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 64), st.sampled_from([(320, 240), (241, 179), (60, 300)]))
def test_a_pixelated_picture_holds_the_means_of_its_blocks_and_nothing_else(
    seed: int, blocks: int, size: tuple[int, int]
) -> None:
    picture = pixelated(street(seed, *size), blocks)
    height, width = picture.shape[:2]
    share = blocks / max(size)
    columns, rows = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    side = width // columns
    assert (height, width) == (rows * side, columns * side)
    cells = picture.reshape(rows, side, columns, side, 3).astype(int)
    assert np.ptp(cells, axis=(1, 3)).max() == 0
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= rows * columns


def test_what_is_finer_than_a_block_is_gone_from_the_file() -> None:
    """Letters, faces, patterns: two pictures that differ only within blocks become the same file."""
    plain = np.full((256, 256, 3), 128, np.uint8)
    fine = plain.copy()
    fine[::2, ::2], fine[1::2, 1::2], fine[::2, 1::2], fine[1::2, ::2] = 28, 28, 228, 228
    coarse = JournalSettings(pictures="pixelated", pixel_blocks=16)
    one, other = (kept(Frame(p, (256, 256), 0, 0.0, "x"), coarse) for p in (plain, fine))
    assert one is not None
    assert other is not None
    assert one.pixelated
    assert one.jpeg == other.jpeg
    spectrum = _fine_share(kept(Frame(street(), (320, 240), 0, 0.0, "x"), coarse))
    assert spectrum < 0.2 * _fine_share(kept(Frame(street(), (320, 240), 0, 0.0, "x"), JournalSettings()))


def _fine_share(picture: Any) -> float:
    """Mean difference of neighbours within blocks, where no edge of a block lies."""
    grey = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    steps = np.abs(np.diff(grey.astype(int), axis=1))
    return float(steps[:, [c for c in range(steps.shape[1]) if c % 16 not in (14, 15, 0)]].mean())


def test_what_is_forgotten_is_in_no_file_any_more(tmp_path: Path) -> None:
    with diary(tmp_path, black_box_after_s=0) as it:
        it.watch(1, fire=0.9).tell(Say("a very private sentence"))
    assert "a very private sentence" in json.dumps(events(it.places))
    assert purge(it.places, None)["events"] > 3
    left = [file for file in it.places.folder.rglob("*") if file.is_file()]
    assert all(b"private sentence" not in file.read_bytes() for file in left)
    assert events(it.places) == []


def test_the_older_part_alone_can_be_forgotten_and_numbers_are_never_used_again(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        for number in range(20):
            it.now = float(number)
            it.tell(Say(f"sentence number {number}."))
    rows = [event["row"] for event in events(it.places)]
    assert purge(it.places, WALL_S + 10)["events"] == 10
    assert [event["row"] for event in events(it.places)] == rows[10:]
    assert b"number 3." not in it.places.database.read_bytes()
    assert purge(it.places, None)["events"] == 10
    with diary(tmp_path) as it:
        it.tell(Say("new"))
    assert [event["row"] > rows[-1] for event in events(it.places)] == [True]


def test_a_running_clerk_forgets_when_it_is_asked_and_goes_on(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
        web = handlers_of(it, it.clerk)
        assert it.clerk.purge(None)["pictures"] <= 1
        with pytest.raises(CommandError, match="another watchword"):
            purge(it.places, None)
        it.tell(Say("after that"))
    assert events(it.places)[-1]["text"] == "after that"
    assert set(web) == {"journal", "snapshot", "mark", "purge", "why"}


def test_forgetting_all_forgets_what_waits_and_the_last_minute_too(tmp_path: Path) -> None:
    with diary(tmp_path, black_box_after_s=0.3, black_box_every_s=1) as it:
        it.watch(1, fire=0.9).tell(Say("a very private sentence"))
        it.settle()  # its black box is due
        assert it.clerk.purge(None)["events"] > 0
        assert it.mind.snapshot().entries == ()
        time.sleep(0.6)
        assert list(it.places.black_boxes.iterdir()) == []
        it.watch(1).watch(1, vehicle=0.9)
    (box,) = it.places.black_boxes.iterdir()
    told = [json.loads(line) for line in Recording.load(box).events]
    assert {event.get("hazard") for event in told if event["kind"] == "alert"} == {"vehicle"}
    assert all("private" not in json.dumps(event) for event in told)


@pytest.mark.parametrize("before_s", [None, WALL_S + 60])
def test_what_waits_to_be_written_is_forgotten_too(tmp_path: Path, before_s: float | None) -> None:
    it = Diary(tmp_path, black_box_after_s=0)
    it.watch(1, fire=0.9)
    asking = threading.Thread(target=it.clerk.purge, args=(before_s,))
    asking.start()
    until(lambda: bool(it.clerk._inbox._jobs))
    it.begin()
    asking.join(10)
    it.tell(Say("after that")) if before_s is None else None
    it.end()
    assert [event.get("text") for event in events(it.places)] == ["after that"] * (before_s is None)
    assert list(it.places.pictures.iterdir()) == list(it.places.black_boxes.iterdir()) == []


def test_a_black_box_whose_alerts_are_forgotten_is_not_kept(tmp_path: Path) -> None:
    store = JournalStore(JournalPaths(tmp_path), "r", WALL_S, {})
    file = store.new_recording()
    file.write_bytes(bytes(1000))
    store.add_recording(file, ["a1"])
    assert not file.exists()
    assert (store.recordings_bytes, store.query_number("SELECT count(*) FROM boxes")) == (0, 0)
    store.close()


def test_black_boxes_of_alerts_marked_as_wrong_are_forgotten_too(tmp_path: Path) -> None:
    folder = tmp_path / "false_alarms"
    folder.mkdir()
    for number in range(2):
        file = folder / f"{number}.blackbox"
        file.write_bytes(b"x")
        os.utime(file, (WALL_S + number, WALL_S + number))
    places = JournalPaths.in_state(tmp_path)
    assert purge(places, WALL_S + 0.5)["black_boxes"] == 1  # where there is no journal, too
    JournalStore(places, "r", WALL_S, {}).close()
    assert purge(places, None)["black_boxes"] == 1
    assert list(folder.iterdir()) == []


# Finding


def test_pages_filters_and_times(tmp_path: Path) -> None:
    store = JournalStore(JournalPaths(tmp_path), "r", WALL_S, {})
    kinds = ("alert", "speak", "health")
    store.write([note(n, kind=kinds[n % 3], hazard=("fire", "dog")[n % 2]) for n in range(100)])
    store.close()
    files = OfflineJournal(JournalPaths(tmp_path), tuple)
    everything = [event["row"] for event in pages(files, JournalCommand(limit=7))]
    assert everything == list(range(100, 0, -1))
    assert [e["row"] for e in pages(files, JournalCommand(limit=7), 20)] == everything[:20]
    chosen = pages(files, JournalCommand(limit=7, kinds=("alert", "health"), hazard="dog"))
    assert [e["row"] for e in chosen] == [n + 1 for n in range(99, -1, -1) if n % 3 != 1 and n % 2]
    within = events(JournalPaths(tmp_path), since=WALL_S + 10, until=WALL_S + 20)
    assert [event["t"] for event in within] == [float(n) for n in range(10, 21)]


def test_a_clock_that_was_set_back_hides_nothing(tmp_path: Path) -> None:
    store = JournalStore(JournalPaths(tmp_path), "r", WALL_S, {})
    store.write([note(n, kind="health") for n in (50, 51, 2, 3, 52)])
    store.close()
    assert [e["t"] for e in events(JournalPaths(tmp_path), since=WALL_S + 49)] == [50.0, 51.0, 52.0]
    assert [e["t"] for e in events(JournalPaths(tmp_path), until=WALL_S + 49)] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", -5400), ("1h", -3600), ("2d", -172800), ("0.5h", -1800), ("3s", -3)]
)
def test_lengths_are_that_long_ago(text: str, seconds: float) -> None:
    assert parse_time(text, WALL_S) == WALL_S + seconds


def test_dates_are_moments_and_anything_else_is_refused() -> None:
    assert parse_time("2026-11-25T12:00:00+00:00", 0) == 1795608000
    assert parse_time("2026-11-26", 0) - parse_time("2026-11-25", 0) in (82800, 86400, 90000)
    with pytest.raises(CommandError, match="should be a length such as"):
        parse_time("yesterday", 0)


# Why


def test_why_is_told_from_the_journal_long_after(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9, vehicle=0.4)
    told = why(it.places, lambda: None, "a1")
    assert "fire (new, critical): probability 0.9" in told["text"]
    assert "its threshold is 0.50" in told["text"]
    assert "Next came vehicle with 0.40 of its 0.50." in told["text"]
    assert 'said "Stop! fire." (danger)' in told["text"]
    assert [step["kind"] for step in told["steps"]] == ["alert", "speak"]
    last = why(it.places, lambda: None, None)
    assert last["steps"][-1]["id"] == "a1"
    row = told["steps"][0]["row"]
    assert why(it.places, lambda: None, f"#{row}") == told


def test_a_muted_alert_says_that_silence_was_asked_for(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.tell(Mute(60), Mute(60)).watch(1, fire=0.9)
    assert "nothing was said of it: silence had been asked for" in why(it.places, lambda: None, "a1")["text"]


def test_what_is_not_there_yet_comes_from_the_black_box(tmp_path: Path) -> None:
    it = Diary(tmp_path)  # nothing is written
    it.watch(1, fire=0.9)
    told = why(it.places, it.mind.snapshot, "a1")
    assert "probability 0.9" in told["text"]
    assert "row" not in told["steps"][0]
    with pytest.raises(CommandError, match="not in the last minute") as caught:
        why(it.places, it.mind.snapshot, "a9")
    assert caught.value.code == "unknown"


def test_another_runs_story_is_never_told_for_this_one(tmp_path: Path) -> None:
    with diary(tmp_path) as old:
        old.watch(1).watch(2, fire=0.99)
    now = Diary(tmp_path)  # its journal is switched off, and the old one lies there
    ask = handlers_of(now, None)["why"]
    for wanted in (None, "a1", "u1"):
        with pytest.raises(CommandError) as caught:
            ask(WhyCommand(event=wanted))
        assert caught.value.code == "unknown"
    now.watch(1)
    assert "fire reached" in ask(WhyCommand(event="fire"))["text"]
    now.watch(2, vehicle=0.99)
    for wanted in (None, "a1", "vehicle", "u1"):
        told = ask(WhyCommand(event=wanted))["text"]
        assert "vehicle (new" in told
        assert "fire (new" not in told
    row = next(event["row"] for event in events(old.places) if event["kind"] == "alert")
    assert "fire (new, critical)" in ask(WhyCommand(event=f"#{row}"))["text"]


@pytest.mark.parametrize("all_of_it", [True, False])
def test_without_a_journal_the_last_minute_is_forgotten_all_the_same(tmp_path: Path, all_of_it: bool) -> None:
    it = Diary(tmp_path)
    it.watch(1, fire=0.9)
    forget = handlers_of(it, None)["purge"]
    assert it.mind.snapshot().entries
    assert forget(PurgeCommand(before=time.time() - 3600))["events"] == 0
    assert it.mind.snapshot().entries
    forget(PurgeCommand(before=None if all_of_it else time.time() + 60))
    assert it.mind.snapshot().entries == ()


def test_what_the_last_minute_has_forgotten_comes_from_this_runs_journal(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9).watch(4)
        it.settle()
        it.mind.forget(float("inf"))
        it.watch(1, vehicle=0.9)
        ask = handlers_of(it, it.clerk)["why"]
        told = ask(WhyCommand(event="a1"))
        assert [step["kind"] for step in told["steps"]] == ["alert", "speak"]
        assert all("row" in step for step in told["steps"])
        assert "vehicle (new" in ask(WhyCommand())["text"]
        with pytest.raises(CommandError, match="nor in the journal of this run"):
            ask(WhyCommand(event="a9"))


def test_unknown_rows_pictures_and_boxes_are_said_to_be_so(tmp_path: Path) -> None:
    with diary(tmp_path, pictures="off", black_boxes=False) as it:
        it.watch(1, fire=0.9)
    with reading(it.places) as reader:
        for ask in (reader.event_at, reader.picture, reader.recording_file):
            with pytest.raises(CommandError, match="#99") as caught:
                ask(99)
            assert caught.value.code == "unknown"
    with pytest.raises(CommandError, match="#99"):
        why(it.places, it.mind.snapshot, "#99")
    with pytest.raises(CommandError, match="no journal") as caught, reading(JournalPaths(tmp_path / "none")):
        pass
    assert caught.value.code == "unavailable"


# Taking along


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export_holds_every_event_once_and_each_picture_once(tmp_path: Path, name: str) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9).watch(4).watch(1, vehicle=0.9)
    counts = export(OfflineJournal(it.places, tuple), tmp_path / name, JournalCommand())
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            archive.extractall(tmp_path / "unpacked")
    folder = tmp_path / ("unpacked" if name.endswith(".zip") else name)
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == [event["row"] for event in events(it.places)]
    pictures = {line["picture"] for line in lines if "picture" in line}
    assert counts == (len(lines), len(pictures))
    assert len(pictures) == 2
    assert all((folder / picture).read_bytes()[:2] == b"\xff\xd8" for picture in pictures)
    assert "thresholds" in next(line for line in lines if line["kind"] == "alert")["evidence"]
    with pytest.raises(CommandError, match="is there already"):
        export(OfflineJournal(it.places, tuple), tmp_path / name, JournalCommand())


# Bounds


@pytest.mark.slow
def test_size_holds_over_many_thousand_events(tmp_path: Path) -> None:
    limit_mb = 4
    wanted = JournalSettings(keep_mb=limit_mb, keep_days=3650)
    places = JournalPaths(tmp_path)
    filled(places, 30_000, 2000)
    store = JournalStore(places, "r", WALL_S, {})
    before, steps = store.query_number("SELECT count(*) FROM events"), 0
    while retention.step(store, wanted, AgeLimit(None), 0.0, WALL_S):
        steps += 1
    assert before == 30_000
    assert steps > 20  # small ones
    assert 0.8 * limit_mb < store.bytes / 1e6 <= limit_mb
    store.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert places.database.stat().st_size / 1e6 <= limit_mb + 3
    newest = store.query_number("SELECT max(row) FROM events")
    assert newest == 30_000
    assert store.query_number("SELECT max(row) - min(row) + 1 = count(*) FROM events")
    for _ in range(10):
        store.write([note(number) for number in range(retention.BATCH)])
        retention.step(store, wanted, AgeLimit(None), 0.0, WALL_S)
        assert store.bytes / 1e6 <= limit_mb + 1
    store.close()


def test_what_is_too_old_goes_with_its_pictures(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9).watch(4).watch(1, vehicle=0.9)
    kept_ids = [event["id"] for event in events(it.places, since=WALL_S + 4.5)]
    assert len(list(it.places.pictures.iterdir())) == 2
    store = JournalStore(it.places, "r", WALL_S, {})
    wanted = JournalSettings(keep_days=1)
    while retention.step(store, wanted, AgeLimit(None), 0.0, WALL_S + 4.5 + DAY_S):
        pass
    store.close()
    assert [event["id"] for event in events(it.places)] == kept_ids
    assert len(list(it.places.pictures.iterdir())) == 1


def test_black_boxes_have_a_bound_of_their_own_and_their_alerts_stay(tmp_path: Path) -> None:
    store = JournalStore(JournalPaths(tmp_path), "r", WALL_S, {})
    for number in range(4):
        store.write([note(number)])
        file = store.new_recording()
        file.write_bytes(bytes(400_000))
        store.add_recording(file, [f"a{number}"])
    while retention.step(store, JournalSettings(black_box_mb=1), AgeLimit(None), 0.0, WALL_S):
        pass
    store.close()
    assert [event["black_box"] for event in events(JournalPaths(tmp_path))] == [False, False, True, True]
    assert len(list(JournalPaths(tmp_path).black_boxes.iterdir())) == 2


# Files that are not what they should be


@pytest.mark.parametrize("damage", ["text", "torn"])
def test_what_cannot_be_read_is_deleted_and_a_new_one_begun(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    places = JournalPaths(tmp_path / "journal")
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
        for number in range(200):
            it.tell(Say(f"sentence {number}"))
    spoiled(places.database, damage)
    with diary(tmp_path) as it:
        it.tell(Say("after that"))
        assert it.heard("lost").component == "disk"
    assert [event["text"] for event in events(places)] == ["after that"]
    assert "a new one is begun" in caplog.text
    assert it.heard("ok")


@pytest.mark.parametrize(("origin", "name"), [("foreign", "unknown"), ("later", f"version-{len(STEPS) + 1}")])
def test_a_journal_of_a_later_version_or_another_program_is_kept_whole_and_a_new_one_begun(
    tmp_path: Path, origin: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    places = JournalPaths(tmp_path / "journal")
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
    spoiled(places.database, origin)
    before = contents(places.folder)
    assert len(before) >= 2, "a database and a picture"
    with diary(tmp_path) as it:
        it.tell(Say("after that"))
        told = it.heard("set_aside")
        assert it.heard("ok")
        kept_at = it.clerk.status()["kept_apart"]
    folder = places.folder / f"kept-{name}"
    assert kept_at == [str(folder)]
    assert str(folder) in told.detail
    assert f"of the same names in {places.folder};" in caplog.text
    assert [event["text"] for event in events(places)] == ["after that"]
    assert contents(folder) == before
    with diary(tmp_path) as again:
        again.tell(Say("one day later"))
    assert again.told.get(timeout=5).reason == "ok", "told once, not at every start"
    assert contents(folder) == before


def test_a_journal_that_was_set_aside_is_read_again_by_the_version_that_wrote_it(tmp_path: Path) -> None:
    places, steps = JournalPaths(tmp_path / "journal"), (*STEPS, "ALTER TABLE events ADD COLUMN mood TEXT")
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
    open_writer(places.database, steps).close()
    for _ in range(2):
        with pytest.raises(JournalSetAsideError):
            open_writer(places.database)
        open_writer(places.database).close()
        # A second downgrade must not overwrite what the first one kept.
        places.database.unlink()
        open_writer(places.database, steps).close()
    first, second = kept_journals(places)
    assert (first.name, second.name) == ("kept-version-2", "kept-version-2-2")
    database = open_reader(first / "journal.db", steps)
    assert database.execute("SELECT count(*) FROM events WHERE kind = 'alert'").fetchone() == (1,)
    database.close()


def test_a_crash_while_a_journal_is_set_aside_loses_nothing(tmp_path: Path) -> None:
    places = JournalPaths(tmp_path / "journal")
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
    spoiled(places.database, "later")
    before = contents(places.folder)
    begun = places.folder / "kept-version-2/pictures"
    begun.mkdir(parents=True)
    moved = next(places.pictures.iterdir())
    moved.rename(begun / moved.name)
    with pytest.raises(JournalSetAsideError):
        open_writer(places.database)
    assert contents(places.folder / "kept-version-2") == before


def test_a_purge_of_everything_deletes_what_was_set_aside_and_one_by_age_says_why_not(tmp_path: Path) -> None:
    places = JournalPaths(tmp_path / "journal")
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
    spoiled(places.database, "later")
    with pytest.raises(CommandError, match="kept in"):
        purge(places, WALL_S)
    assert len(list(kept_journals(places))) == 1
    purge(places, None)
    assert list(kept_journals(places)) == []


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of the journal in a folder, by path: the database, pictures and black boxes."""
    files = [folder / "journal.db", *(folder / "pictures").iterdir(), *(folder / "black_boxes").iterdir()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_stop_before_the_first_write_keeps_what_was_told_though_the_journal_was_damaged(
    tmp_path: Path,
) -> None:
    with diary(tmp_path) as it:
        it.tell(Say("of old"))
    spoiled(it.places.database, "text")
    late = Diary(tmp_path)
    late.tell(Say("the only word"))
    late.clerk.close()
    late.clerk.run()
    assert [event["text"] for event in events(it.places)] == ["the only word"]


def test_a_damaged_journal_is_no_hindrance_to_forgetting_everything(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.tell(Say("of old"))
    spoiled(it.places.database, "text")
    assert purge(it.places, None)["events"] == 0
    assert events(it.places) == []


def spoiled(database: Path, damage: str) -> None:
    whole = database.read_bytes()
    if damage == "text":
        database.write_text("dear diary")
    elif damage == "torn":
        database.write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    elif damage == "foreign":
        database.unlink()
        other = sqlite3.connect(database)
        other.execute("CREATE TABLE recipes (cake TEXT)")
        other.commit()
        other.close()
    else:
        later = sqlite3.connect(database)
        later.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
        later.commit()
        later.close()


def test_an_older_version_is_brought_up_to_date_and_keeps_its_events(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.tell(Say("of old"))
    steps = (*STEPS, "ALTER TABLE events ADD COLUMN mood TEXT")
    database = open_writer(it.places.database, steps)
    assert database.execute("SELECT count(*), count(mood) FROM events").fetchone() == (1, 0)
    assert database.execute("PRAGMA user_version").fetchone() == (len(STEPS) + 1,)
    database.close()
    open_reader(it.places.database, steps).close()
    with pytest.raises(CommandError, match="of version"):
        open_reader(it.places.database)


def test_files_nobody_knows_of_are_swept(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9)
    stray = [it.places.pictures / "stray.jpg", it.places.black_boxes / ".x.blackbox.part"]
    for file in stray:
        file.write_bytes(b"x")
    JournalStore(it.places, "r", WALL_S, {}).close()
    assert not any(file.exists() for file in stray)
    assert len(list(it.places.pictures.iterdir())) == 1


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=60))
def test_black_boxes_come_after_their_alerts_and_not_too_often(story: list[tuple[float, bool]]) -> None:
    plan, now, saved, alerts = RecordingSchedule(after_s=5, every_s=60), 0.0, list[float](), list[float]()
    for dt, alert in [*story, (70.0, False), (70.0, False)]:
        now += dt
        if plan.due_s <= now:
            saved.append(plan.due_s)
            plan.on_saved(plan.due_s)
        if alert:
            plan.on_alert(now)
            alerts.append(now)
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in pairwise(saved))
    for alert_s in alerts:
        assert any(
            0 <= box_s - alert_s <= 65 + 1e-6 for box_s in saved
        )  # a box reaches back a minute and more


# A database that is lost while it is written


@pytest.mark.parametrize("how", ["deleted", "folder", "overwritten", "replaced", "zeroed"])
def test_a_database_lost_while_running_is_told_and_begun_anew_with_the_last_alerts(
    tmp_path: Path, how: str
) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9).watch(4)
        it.settle()
        it.heard("ok")
        database = it.places.database
        match how:
            case "deleted":
                database.unlink()
            case "folder":
                database.unlink()
                database.mkdir()
            case "overwritten":
                database.write_bytes(os.urandom(100_000))
            case "replaced":
                database.with_name("x").write_bytes(database.read_bytes())
                database.with_name("x").replace(database)
            case "zeroed":
                database.write_bytes(bytes(100_000))
        it.heard("lost")
        it.watch(1, vehicle=0.9)
        it.heard("ok")
    kinds = [event["kind"] for event in events(it.places)]
    assert "alert" in kinds


def test_a_clock_that_is_a_month_ahead_forgets_nothing(tmp_path: Path) -> None:
    with diary(tmp_path) as it:
        it.watch(1, fire=0.9).watch(4)
    count = len(events(it.places))
    store = JournalStore(it.places, "later", WALL_S + 40 * DAY_S, {})
    age, wanted = AgeLimit(store.newest_s), JournalSettings(keep_days=30)
    for now in range(0, 80_000, 100):
        assert not retention.step(store, wanted, age, float(now), WALL_S + 40 * DAY_S + now)
    store.close()
    assert len(events(it.places)) == count > 0


def test_what_was_written_with_the_clock_far_behind_is_not_too_old_at_once(tmp_path: Path) -> None:
    store = JournalStore(JournalPaths(tmp_path), "r", WALL_S, {})
    old, new = note(1), note(2)
    store.write([old, replace(new, wall_s=5.0), replace(note(3), wall_s=6.0)])
    age, wanted = AgeLimit(None), JournalSettings(keep_days=1)
    while retention.step(store, wanted, age, 0.0, old.wall_s + 60):
        pass
    assert store.query_number("SELECT count(*) FROM events") == 3
    age = AgeLimit(None)
    while retention.step(store, wanted, age, 0.0, old.wall_s + 2 * DAY_S):
        pass
    assert store.query_number("SELECT count(*) FROM events") == 0
    store.close()
