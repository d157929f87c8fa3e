"""Which precision the starter computes in."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from pipeline.models.precision import Precision
from pipeline.models.starter.agreement import agreement
from pipeline.models.starter.model import StarterModel
from pipeline.models.starter.precision import LEAST_COSINE, load_on_cpu
from tests.pipeline.models.starter.files import starter_folder

F32, BF16, INT8 = Precision.F32, Precision.BF16, Precision.INT8


def adds_products_exactly() -> bool:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & set(flags))


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
    if not adds_products_exactly():
        pytest.skip("NO VNNI ON THIS PROCESSOR: 8 bits are not exact here, and not used")
    exact, small = (StarterModel(starter_folder(), cache_dir=tmp_path, precision=one) for one in (F32, INT8))
    assert LEAST_COSINE < agreement(small, exact) < 0.9999
    # Lessons and calibrations serve both: their decisions are alike.
    assert small.fingerprint == exact.fingerprint
    # Neither replaces the other's graph.
    folders = tmp_path / "graphs", tmp_path / "graphs" / "int8"
    in_32, in_8 = ({file.name for file in folder.glob("*.graph")} for folder in folders)
    assert len(in_32) == len(in_8) > 0
    assert not in_32 & in_8
