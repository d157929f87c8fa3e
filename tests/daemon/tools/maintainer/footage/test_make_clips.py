"""Clips of stills: the same for a seed, labelled as they show, and from the named sources only."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.tools.maintainer.footage.clip_motion import SIZE, Motion, draw_motion, frame_at
from daemon.tools.maintainer.footage.clip_plan import (
    LARGEST_SHARE,
    harmless_clips,
    hazard_clips,
    shares,
    usable,
)
from daemon.tools.maintainer.footage.make_clips import frames, main
from daemon.tools.maintainer.heads.splits import LOCKED, SplitsError, read_splits
from pipeline.evaluation.camera_motion import CameraMotionMeter, Picture
from pipeline.evaluation.dataset import LabelledPicture, read_dataset

PARTS = {"a": "0", "b": "1", "c": "2", "d": "3", "e": "4", "secret": LOCKED}


def picture(source: str, number: int, *labels: str, uncertain: str = "") -> LabelledPicture:
    unsure = frozenset([uncertain]) if uncertain else frozenset[str]()
    return LabelledPicture(Path(f"{source}{number}.jpg"), labels or ("safe",), source, unsure)


PICTURES = [
    *(picture(source, number) for source in "abcde" for number in range(4)),
    *(picture("secret", number) for number in range(4)),
    picture("a", 10, "fire", uncertain="smoke"),
    picture("b", 11, "fire", "smoke"),
    picture("secret", 12, "fire"),
    picture("c", 13, uncertain="dog"),
]


def view(seed: int = 1, rows: int = 200, columns: int = 280) -> Picture:
    noise = np.random.default_rng(seed).integers(0, 256, (rows // 10, columns // 10, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_locked_sources_take_part_only_if_named() -> None:
    assert {p.source for p in usable(PICTURES, PARTS, ("0", "1"))} == {"a", "b"}
    assert {p.source for p in usable(PICTURES, PARTS, (LOCKED,))} == {"secret"}
    with pytest.raises(SplitsError, match="stranger"):
        usable([picture("stranger", 1)], PARTS, ("0",))


def test_harmless_clips_last_as_asked_and_show_nothing_uncertain() -> None:
    open_ones = usable(PICTURES, PARTS, "01234")
    plans = harmless_clips(open_ones, PARTS, 600, np.random.default_rng(1))
    assert sum(plan.seconds for plan in plans) == pytest.approx(600, abs=5)
    for plan in plans:
        assert {shot.picture.source for shot in plan.shots} == {plan.source}
        assert all(shot.picture.labels == ("safe",) for shot in plan.shots)
        assert not any(shot.picture.uncertain for shot in plan.shots)
        assert plan.seconds <= 72
    assert plans == harmless_clips(open_ones, PARTS, 600, np.random.default_rng(1))
    assert plans != harmless_clips(open_ones, PARTS, 600, np.random.default_rng(2))


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 400), min_size=4))
def test_no_source_fills_more_than_its_share(counts: Mapping[str, int]) -> None:
    given_s = shares(counts, 1000)
    assert sum(given_s.values()) == pytest.approx(1000, rel=1e-6)
    assert max(given_s.values()) <= LARGEST_SHARE * 1000 + 1e-6
    below = {name: s / counts[name] for name, s in given_s.items() if s < LARGEST_SHARE * 1000 - 1e-6}
    assert not below or max(below.values()) == pytest.approx(min(below.values()))


def test_too_few_sources_are_refused() -> None:
    with pytest.raises(ValueError, match="3 sources"):
        shares({"a": 9, "b": 9, "c": 9}, 100)


def test_a_hazard_follows_a_harmless_view_of_its_own_source() -> None:
    open_ones = usable(PICTURES, PARTS, "01234")
    plans = hazard_clips(open_ones, PARTS, ("fire", "smoke"), 5, np.random.default_rng(3))
    assert [plan.name.rsplit("_", 1)[0] for plan in plans] == ["fire", "fire", "smoke"]
    for plan in plans:
        before, shown = plan.shots[0], plan.shots[1]
        assert before.picture.labels == ("safe",)
        assert "fire" in shown.picture.labels
        assert {shot.picture.source for shot in plan.shots} == {plan.source}
        assert before.seconds >= 3


@pytest.mark.parametrize(("moving", "motion"), [(True, "moving"), (False, "still")])
def test_a_moving_camera_moves_and_a_still_one_does_not(moving: bool, motion: str) -> None:
    random, meter = np.random.default_rng(5), CameraMotionMeter()
    drawn = draw_motion(random, moving=moving)
    for number in range(30):
        meter.add(frame_at(view(), drawn, number / 5, 6.0, random), number / 5)
    assert meter.motion == motion


@pytest.mark.parametrize("shape", [(288, 216), (216, 288), (60, 280), (280, 60)])
def test_every_shape_fills_the_frame(shape: tuple[int, int]) -> None:
    frame = frame_at(view(2, *shape), Motion(), 0.0, 5.0, np.random.default_rng(1))
    assert frame.shape == (SIZE[1], SIZE[0], 3)
    assert frame.std() > 5


def test_without_motion_the_whole_height_is_nearly_seen() -> None:
    """The brightest half of a picture stays on its side."""
    halves = np.zeros((210, 280, 3), np.uint8)
    halves[:, 140:] = 250
    frame = frame_at(halves, Motion(), 0.0, 5.0, np.random.default_rng(1))
    assert frame[:, :150].max() == 0
    assert frame[:, 170:].min() == 250


def folder_of_stills(folder: Path) -> Path:
    rows = ["file,labels,uncertain,source"]
    for source in "abcd":
        for number, label in enumerate(("safe", "safe", "fire")):
            name = f"{source}{number}.png"
            cv2.imwrite(str(folder / name), view(ord(source) + number))
            rows.append(f"{name},{label},{'smoke' if label == 'fire' else ''},{source}")
    (folder / "images.csv").write_text("\n".join(rows) + "\n")
    (folder / "splits.csv").write_text("source,part\na,0\nb,0\nc,1\nd,2\n")
    return folder


def test_the_manifest_is_what_evaluate_reads(tmp_path: Path) -> None:
    stills, out = folder_of_stills(tmp_path), tmp_path / "out"
    asked = [str(stills), str(out), "--splits", str(stills / "splits.csv"), "--hours", "0.01", "--each", "2"]
    assert main(asked) == 0
    clips = read_dataset(out / "videos.csv", ("fire", "smoke")).clips
    assert {clip.source for clip in clips} <= set("abcd")
    fires = [clip for clip in clips if clip.path.name.startswith("fire")]
    assert len(fires) == 2
    for clip in clips:
        video = cv2.VideoCapture(str(clip.path), cv2.CAP_FFMPEG)
        seconds = video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS)
        assert seconds == pytest.approx(max(span.end_s for span in clip.spans), abs=0.25)
        assert clip.camera in ("moving", "still")
    (span,) = (span for span in fires[0].spans if span.label == "fire")
    assert span.uncertain == {"smoke"}
    assert any(cut.label == "scene" and cut.start_s == span.start_s for cut in fires[0].spans)
    assert fires[0].labels_at(span.start_s - 0.1) == {"safe"}
    with (out / "videos.csv").open(newline="") as stream:
        assert {row["part"] for row in csv.DictReader(stream)} <= {"0", "1", "2"}


def test_the_same_seed_makes_the_same_frames(tmp_path: Path) -> None:
    stills = folder_of_stills(tmp_path)
    pictures = read_dataset(stills / "images.csv", ("fire", "smoke")).pictures
    parts = read_splits(stills / "splits.csv")
    first, second = (hazard_clips(pictures, parts, ("fire",), 1, np.random.default_rng(4)) for _ in range(2))
    for one, two in zip(frames(first[0]), frames(second[0]), strict=True):
        assert np.array_equal(one, two)


def test_what_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stills = folder_of_stills(tmp_path)
    asked = [str(stills), str(tmp_path / "out"), "--splits", str(stills / "splits.csv")]
    assert main([*asked, "--parts", "0", "--hours", "0.1"]) == 1
    assert "needs 4 at least" in capsys.readouterr().err
    assert main([*asked, "--hours", "0", "--each", "0"]) == 1
    assert "nothing to make" in capsys.readouterr().err
