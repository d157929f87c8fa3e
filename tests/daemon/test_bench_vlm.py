"""The bench of describers, and the work beside which the danger lane is measured."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from daemon.bench import vlm
from daemon.bench.load import LoadError, arithmetic_load, language_load
from daemon.settings import Settings, defaults
from pipeline.settings import DescribeSettings
from tests.pipeline.describe_made import LONGEST_S, tiny


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
    figures = {figure.name: figure.value for figure in vlm.measure(settings(tmp_path, str(both)), 2)}
    for backend in ("openvino", "transformers"):
        for name in ("load_cold_s", "load_warm_s", "first_token_ms", "first_sentence_ms", "tokens_per_s"):
            assert figures[f"vlm.both.{backend}.{name}"]
        assert figures[f"vlm.both.{backend}.memory_mb"]
        assert figures[f"vlm.both.{backend}.cancel_ms_p95"]
    assert figures["vlm.both.openvino_over_transformers"]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def test_the_busy_work_runs_only_while_it_is_let() -> None:
    with arithmetic_load(1) as load:
        (pid,) = load.pids
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        assert os.getsid(pid) == pid
        assert state(pid) == "T"
        with load.working():
            assert state(pid) != "T"
        assert state(pid) == "T"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_language_model_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="ascii")
    with pytest.raises(LoadError):
        language_load(blocked / "models")
