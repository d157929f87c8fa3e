"""The bench of describers, and the work beside which the danger lane is measured."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from daemon.bench import tables, vlm, vlm_beside
from daemon.bench.harness import Figure, at_most, unmeasured
from daemon.cli import bench
from daemon.config.settings import Settings, defaults
from daemon.wiring.detector import build_detector
from pipeline.settings import DescribeSettings
from tests.pipeline.description.vlm.made import LONGEST_S, tiny

# The describers would starve at idle priority beside other tests.
pytestmark = pytest.mark.usefixtures("usual_priorities")


def settings(folder: Path, model: str = "auto") -> Settings:
    """An empty store, everything below a folder."""
    plain = defaults({"HOME": str(folder)})
    return plain.model_copy(update={"describe": DescribeSettings(model=model, image_side=112, max_tokens=20)})


def test_without_a_model_the_figure_says_what_to_do(tmp_path: Path) -> None:
    (figure,) = vlm.measure(settings(tmp_path), 1)
    assert figure.value is None
    assert figure.met is None
    assert "models pull qwen3-vl-2b" in figure.note


def test_a_folder_without_a_model_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (figure,) = vlm.measure(settings(tmp_path, str(tmp_path / "empty")), 1)
    assert figure.value is None
    assert "no model" in figure.note


@pytest.mark.slow
@pytest.mark.prepare
@pytest.mark.timeout(LONGEST_S + 300)
def test_both_forms_of_a_model_are_measured_in_one_run(tmp_path: Path) -> None:
    both = tmp_path / "both"
    made = tiny("llava")
    shutil.copytree(made / "openvino", both)
    shutil.copy(made / "torch" / "model.safetensors", both)
    figures = {figure.name: figure.value for figure in vlm.measure(settings(tmp_path, str(both)), 1)}
    for backend in ("openvino", "transformers"):
        spoken = {"first_word_ms", "beside_first_word_ms"}
        beside = {name for name in tables.COLUMNS if name.startswith("beside")}
        for name in set(tables.COLUMNS) - spoken - beside:
            assert figures[f"vlm.both.{backend}.{name}"], name
        assert f"vlm.both.{backend}.first_word_ms" in figures
    assert figures["vlm.both.openvino_over_transformers"]
    assert "vlm.both.openvino-npu.load_cold_s" in figures


def test_the_lane_beside_a_describer_is_measured_at_a_cameras_pace(tmp_path: Path, models: Path) -> None:
    plain = settings(tmp_path)
    wanted = plain.model_copy(
        update={
            "paths": plain.paths.model_copy(update={"models": models}),
            "pipeline": plain.pipeline.model_copy(update={"model": "starter"}),
        }
    )
    lane = vlm_beside.PacedLane(build_detector(wanted), alone_s=0.5)
    assert 0 < len(lane.alone_ms) <= 20
    with lane.running():
        time.sleep(0.5)
    found = {figure.name: figure for figure in lane.figures("vlm.m.b")}
    assert found["vlm.m.b.beside_frame_ms_p99"].value
    assert "alone p99" in found["vlm.m.b.beside_frame_ms_p99"].note
    late = found["vlm.m.b.beside_late_frames"].value
    assert late is not None
    assert 0 <= late <= 1


def test_the_lane_leaves_frames_out_as_the_budget_says(tmp_path: Path, models: Path) -> None:
    plain = settings(tmp_path)
    paths = plain.paths.model_copy(update={"models": models})
    pipeline = plain.pipeline.model_copy(update={"model": "starter", "max_fps": 12.5})
    wanted = plain.model_copy(update={"paths": paths, "pipeline": pipeline})
    lane = vlm_beside.PacedLane(build_detector(wanted), 0.0, vlm_beside.describer_budget(wanted))
    with lane.running():
        time.sleep(1.0)
    # 25 frames come in a second; half of them are wanted, and the first one in any case.
    assert 1 <= lane.frames <= 14


def test_a_device_that_is_not_there_has_a_row_that_says_so() -> None:
    missing = unmeasured("vlm.m.openvino-npu.load_cold_s", "s", None, "not there: no NPU")
    table = tables.describers([*measured("m", "openvino"), missing])
    assert table is not None
    assert table.rows[1][:3] == ("m", "openvino-npu", "not there")


def measured(model: str, backend: str) -> list[Figure]:
    return [Figure(f"vlm.{model}.{backend}.{what}", 10.0 + n, "ms") for n, what in enumerate(tables.COLUMNS)]


def test_describers_stand_side_by_side_in_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = [
        *measured("qwen2.5-vl-3b", "openvino"),
        *measured("qwen2.5-vl-3b", "transformers")[:4],
        Figure("vlm.qwen2.5-vl-3b.openvino_over_transformers", 2.5, "ratio"),
        unmeasured("vlm.tiny-llava", "s", None, "too large"),
        Figure("speech.call_us_p95", 90.0, "us", at_most(100), note="a | b"),
    ]
    page = tmp_path / "figures.md"
    assert bench.run(figures, tmp_path / "f.json", False, page) == 0
    side_by_side, all_of_them = page.read_text(encoding="utf-8").split("\n\n")
    head, rule, *rows = side_by_side.splitlines()
    assert head.startswith("| model | backend | load cold | load warm | first token |")
    assert [row.count("|") for row in rows] == [rule.count("|")] * 2
    assert rows[0].startswith("| qwen2.5-vl-3b | openvino | 10 ms | 11 ms |")
    assert rows[0].endswith("| 2.5 ratio |")
    assert rows[1].startswith("| qwen2.5-vl-3b | transformers | 10 ms |")
    assert "| vlm.tiny-llava | not measured |  |  |  |  | too large |" in all_of_them
    assert "| speech.call_us_p95 | 90 us |  | <= 100 | yes | 1 | a / b |" in all_of_them
    assert "qwen2.5-vl-3b  transformers" in capsys.readouterr().out


def test_without_describers_there_is_no_table_of_them() -> None:
    assert tables.describers([Figure("speech.call_us_p95", 90.0, "us")]) is None
