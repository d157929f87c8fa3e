"""Which precision the starter computes in."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from capture.frame import Image
from capture.test_image import draw_test_image
from pipeline.models.precision import Precision
from pipeline.models.starter.agreement import agreement
from pipeline.models.starter.model import StarterModel
from pipeline.models.starter.precision import LEAST_COSINE, load_on_cpu
from tests.pipeline.models.starter.files import require_exact_products, starter_folder

F32, BF16, INT8 = Precision.F32, Precision.BF16, Precision.INT8


def test_the_choice_is_measured_once_and_remembered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        chosen = load_on_cpu(starter_folder(), 0, tmp_path).precision
    assert f"model starter computes in {chosen} here (f32 " in caplog.text
    (file,) = tmp_path.glob("precision-*.json")
    assert json.loads(file.read_text())["precision"] == chosen
    # What is written there is believed, not measured again.
    other = INT8 if chosen is F32 else F32
    file.write_text(json.dumps({"precision": other}))
    caplog.clear()
    assert load_on_cpu(starter_folder(), 0, tmp_path).precision is other
    assert "computes in" not in caplog.text
    file.write_text("{")
    assert load_on_cpu(starter_folder(), 0, tmp_path).precision is chosen
    assert "is broken" in caplog.text


@pytest.mark.parametrize(("wanted", "taken"), [(F32, F32), (INT8, INT8), (BF16, F32)])
def test_a_precision_of_the_settings_is_taken(tmp_path: Path, wanted: Precision, taken: Precision) -> None:
    assert load_on_cpu(starter_folder(), 0, tmp_path, wanted).precision is taken
    assert not list(tmp_path.glob("precision-*.json"))


def test_8_bits_see_the_same_where_products_are_added_exactly(tmp_path: Path) -> None:
    require_exact_products()
    exact, small = (StarterModel(starter_folder(), cache_dir=tmp_path, precision=one) for one in (F32, INT8))
    assert LEAST_COSINE < agreement(small, exact) < 0.9999
    # Lessons and calibrations serve both: their decisions are alike.
    assert small.fingerprint == exact.fingerprint
    # Neither replaces the other's file.
    in_32, in_8 = (sorted(tmp_path.glob(f"graphs/*.{kind}")) for kind in ("graph", "network"))
    assert len(in_32) == len(in_8) > 0


def picture() -> Image:
    return draw_test_image(1280, 720)


def test_the_compiled_network_comes_from_its_file_with_the_same_result(tmp_path: Path) -> None:
    first = StarterModel(starter_folder(), cache_dir=tmp_path, precision=INT8).encode(picture())
    (file,) = tmp_path.glob("graphs/*.network")
    before = file.stat()
    again = StarterModel(starter_folder(), cache_dir=tmp_path, precision=INT8).encode(picture())
    assert (again.evidence == first.evidence).all()
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("left", [0, 10, 100, 1_000_000])
def test_an_incomplete_or_changed_file_is_written_again(tmp_path: Path, left: int) -> None:
    first = StarterModel(starter_folder(), cache_dir=tmp_path, precision=INT8).encode(picture())
    (file,) = tmp_path.glob("graphs/*.network")
    whole = file.read_bytes()
    file.write_bytes(whole[:left] if left < 1_000_000 else whole[:left] + b"?" + whole[left + 1 :])
    again = StarterModel(starter_folder(), cache_dir=tmp_path, precision=INT8).encode(picture())
    assert (again.evidence == first.evidence).all()
    assert len(file.read_bytes()) == len(whole)


def test_another_file_of_the_same_shape_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "graphs"
    folder.mkdir()
    earlier = folder / "starter-347x195-0.network"
    earlier.write_bytes(b"x")
    StarterModel(starter_folder(), cache_dir=tmp_path, precision=INT8)
    assert not earlier.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_disk_that_takes_no_file_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "graphs").write_bytes(b"a file where the folder should be")
    model = StarterModel(starter_folder(), cache_dir=tmp_path, precision=INT8)
    assert model.encode(picture()).embedding.shape == (1280,)
    assert "compiled anew at each start" in caplog.text
