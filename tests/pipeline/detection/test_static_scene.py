"""When a view counts as still, and for how long its encoding is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.frame import Image
from pipeline.detection.static_scene import CELLS, LASTING, LEAST_ROWS, MOVING, StaticSceneCheck, coarse_grid

FPS = 25.0
VIEWS = {"480p": (480, 854), "720p": (720, 1280), "portrait": (1280, 720), "4K": (2160, 3840)}


def scene(rows: int, columns: int, seed: int = 0) -> Image:
    """Blocks of grey between 40 and 215, so that noise is not clipped."""
    small = np.random.default_rng(seed).integers(40, 215, (9, 16, 3), dtype=np.uint8)
    wide = np.kron(small, np.ones((-(-rows // 9), -(-columns // 16), 1), np.uint8))
    return np.ascontiguousarray(wide[:rows, :columns])


def noisy(image: Image, seed: int, sigma: float = 2.0) -> Image:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def encoded_at(check: StaticSceneCheck, view: Image, seconds: float) -> list[float]:
    times = [number / FPS for number in range(round(seconds * FPS))]
    return [now for now in times if not check.is_still(view, now)]


@pytest.mark.parametrize("size", VIEWS.values(), ids=VIEWS)
def test_sensor_noise_is_no_change_and_one_cell_is(size: tuple[int, int]) -> None:
    view, check = scene(*size), StaticSceneCheck(2.0, 5.0)
    check.is_still(noisy(view, 0), 0.0)
    assert all(check.is_still(noisy(view, seed), seed / FPS) for seed in range(1, 4))
    changed, cell = view.copy(), size[1] // CELLS
    changed[-cell:, -cell:] = 255 - changed[-cell:, -cell:]
    assert not check.is_still(noisy(changed, 9), 0.4)


@given(rows=st.integers(1, 900), columns=st.integers(1, 900), grey=st.integers(0, 255))
def test_the_grid_of_any_picture_has_some_rows_and_keeps_its_grey(rows: int, columns: int, grey: int) -> None:
    grid = coarse_grid(np.full((rows, columns, 3), grey, np.uint8))
    assert min(columns, CELLS) <= grid.shape[1] or grid.shape[0] < 2 * LEAST_ROWS
    assert grid.shape[0] >= min(rows, LEAST_ROWS)
    assert (grid == grey).all()


@pytest.mark.parametrize("size", VIEWS.values(), ids=VIEWS)
def test_a_cell_is_the_mean_of_a_square(size: tuple[int, int]) -> None:
    grid = coarse_grid(scene(*size))
    side = size[1] // grid.shape[1]
    assert CELLS <= grid.shape[1] < 2 * CELLS
    assert side == size[0] // grid.shape[0]
    white = np.zeros((*size, 3), np.uint8)
    white[3 * side : 4 * side, 5 * side : 6 * side] = 255
    expected = np.zeros_like(grid)
    expected[3, 5] = 255
    assert (coarse_grid(white) == expected).all()


def test_a_lasting_view_is_encoded_ever_more_rarely_but_always_again() -> None:
    times = encoded_at(StaticSceneCheck(2.0, 0.5), scene(360, 640), 20)
    gaps = np.diff(times)
    assert gaps[:3] == pytest.approx([0.52, 1.0, 2.0], abs=1 / FPS)
    assert gaps.max() <= LASTING * 0.5 + 1.5 / FPS
    assert gaps[3:].min() >= LASTING * 0.5


def test_after_a_change_the_view_is_encoded_again_soon() -> None:
    check, view, other = StaticSceneCheck(2.0, 0.5), scene(360, 640), scene(360, 640, seed=1)
    encoded_at(check, view, 20)
    assert not check.is_still(other, 20.0)
    assert check.is_still(other, 20.4)
    assert not check.is_still(other, 20.6)


def test_a_source_that_starts_again_is_encoded_at_once() -> None:
    check, view = StaticSceneCheck(2.0, 0.5), scene(360, 640)
    encoded_at(check, view, 10)
    assert not check.is_still(view, 0.0)
    assert not check.is_still(view, 0.6), "and counts as a new view"


def test_zero_seconds_switch_it_off() -> None:
    assert len(encoded_at(StaticSceneCheck(2.0, 0.0), scene(360, 640), 1)) == FPS


def test_a_moving_view_is_encoded_every_time_and_rest_is_noticed_soon() -> None:
    check, views = StaticSceneCheck(2.0, 0.5), [scene(360, 640, seed) for seed in range(7)]
    moving = [check.is_still(views[number % 7], number / FPS) for number in range(100)]
    assert not any(moving)
    resting = [check.is_still(views[0], (100 + number) / FPS) for number in range(30)]
    assert resting.index(True) <= MOVING
    assert sum(resting) >= 20


def test_what_moved_before_a_comparison_is_no_reference() -> None:
    """Of every run of pictures the last one encoded is compared with, also after pictures left uncompared."""
    for length in range(1, 4 * MOVING):
        check, a, b = StaticSceneCheck(2.0, 5.0), scene(360, 640, 1), scene(360, 640, 2)
        for number in range(length):
            check.is_still(a if number % 2 else b, number / FPS)
        encoded = a if (length - 1) % 2 else b
        if check.is_still(a, length / FPS):
            assert encoded is a
