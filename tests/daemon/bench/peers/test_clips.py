"""Clips with known scene changes, labelled, joined or made of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.frame import Image
from daemon.bench.peers.clips import PART_S, RATE, at_rate, by_turns, find_clips, joined, labelled
from daemon.bench.peers.made_clips import SIZE, TURN_S, made_frames, turn_at
from daemon.config.settings import Settings, defaults
from daemon.errors import CommandError
from pipeline.evaluation.dataset import LabelledClip, Span


def grey(level: int) -> Image:
    return np.full((36, 64, 3), level, np.uint8)


def numbered(rate: float, seconds: float) -> Iterator[tuple[float, Image]]:
    """The n-th frame is n bright."""
    return ((n / rate, grey(n)) for n in range(round(seconds * rate)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return defaults({"HOME": str(tmp_path)})


def test_a_slow_clip_repeats_its_frames() -> None:
    played = list(at_rate(numbered(5, 2), 25))
    # Nine intervals of five frames, and the last frame once.
    assert [round(at_s * 25) for at_s, _ in played] == list(range(46))
    levels = [int(image[0, 0, 0]) for _, image in played]
    assert levels == sorted(levels)
    assert {levels.count(level) for level in range(1, 9)} == {5}


def test_a_clip_at_the_rate_stays_as_it_is_though_its_times_jitter() -> None:
    times = [0.0, 0.043, 0.079, 0.121, 0.158]
    played = list(at_rate(((at_s, grey(n)) for n, at_s in enumerate(times)), 25))
    assert [int(image[0, 0, 0]) for _, image in played] == [0, 1, 2, 3, 4]


def test_a_label_marks_the_first_frame_after_it() -> None:
    frames = list(labelled(numbered(25, 4), [1.2, 3.05]))
    assert [(round(f.at_s, 2), f.change) for f in frames if f.change] == [(1.2, "cut"), (3.08, "cut")]


def test_joins_are_cuts() -> None:
    tall = [(0.0, np.zeros((90, 60, 3), np.uint8)), (1.98, np.zeros((90, 60, 3), np.uint8))]
    frames = list(joined([numbered(25, 8), tall, numbered(25, 8)]))
    assert {frame.image.shape[1::-1] for frame in frames} == {SIZE}
    cuts = [frame.at_s for frame in frames if frame.change]
    assert cuts == pytest.approx([PART_S, PART_S + 2.0])
    times = [frame.at_s for frame in frames]
    assert np.diff(times) == pytest.approx(1 / RATE)


def clip(source: str, name: str = "a") -> LabelledClip:
    return LabelledClip(Path(name), (Span("safe", 0, 9),), source)


def test_neighbours_come_from_different_sources() -> None:
    clips = [clip("a", "1"), clip("a", "2"), clip("a", "3"), clip("b", "4")]
    assert [one.path.name for one in by_turns(clips, 9)] == ["1", "4", "2"]
    assert len(by_turns(clips, 2)) == 2


def write_picture(path: Path, level: int) -> None:
    random = np.random.default_rng(level)
    cv2.imwrite(str(path), random.integers(0, 256, (120, 200, 3), np.uint8))


def test_a_folder_of_pictures_becomes_clips_with_cuts_and_turns(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        write_picture(folder / f"{number}.png", number)
    (made,) = find_clips(settings, folder, 4 * PART_S)
    frames = list(made.play())
    assert [(round(f.at_s, 2), f.change) for f in frames if f.change] == [
        (PART_S, "cut"),
        (2 * PART_S, "turn"),
        (3 * PART_S, "cut"),
    ]
    assert frames[0].image.shape[1::-1] == SIZE
    # The same command gives the same clip.
    again = next(iter(made.play()))
    assert np.array_equal(again.image, frames[0].image)


def test_a_turn_passes_from_one_view_to_the_other() -> None:
    left, right = np.zeros((SIZE[1], SIZE[0], 3), np.uint8), np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    means = [float(turn_at(left, right, share).mean()) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert means[0] == 0
    assert means[2] == pytest.approx(100)
    assert means[-1] == 200
    assert means == sorted(means)


def test_a_turn_takes_its_time(tmp_path: Path) -> None:
    for number, level in enumerate((20, 120, 220)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((120, 200, 3), level, np.uint8))
    paths = sorted(tmp_path.glob("*.png"))
    frames = list(made_frames(paths, 2.0, RATE, 0))
    means = [float(image.mean()) for _, image, _ in frames]
    cut, turn = (n for n, (_, _, change) in enumerate(frames) if change)
    assert means[cut] - means[cut - 1] > 90
    # In the middle of the turn half of the view is still the old one.
    assert means[turn + round(TURN_S * RATE / 2)] == pytest.approx(170, abs=15)
    assert means[turn + round(TURN_S * RATE) + 1] == pytest.approx(220, abs=5)


def test_a_manifest_with_neither_scenes_nor_harmless_media_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    write_picture(tmp_path / "fire.png", 1)
    manifest = tmp_path / "media.csv"
    manifest.write_text("file,label\nfire.png,fire\n")
    with pytest.raises(CommandError, match="neither scene changes nor two harmless"):
        find_clips(settings, manifest, 60)


def test_a_manifest_with_scene_changes_is_taken_as_it_is(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "walk.mp4").write_bytes(b"")
    manifest = tmp_path / "media.csv"
    manifest.write_text("file,label,start_s,end_s\nwalk.mp4,scene,3,3\nwalk.mp4,safe,0,9\n")
    (found,) = find_clips(settings, manifest, 60)
    assert found.name == "walk.mp4"
