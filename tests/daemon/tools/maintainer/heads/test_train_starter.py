"""The trainer runs to its end on a small set of drawn pictures, and does so twice alike."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from daemon.tools.maintainer.heads.head_folds import HAZARDS
from daemon.tools.maintainer.heads.train_starter import CALIBRATION_FILE, main
from pipeline.models.starter.heads import HEADS_FILE, read_heads
from pipeline.models.starter.input_ranges import RANGES_FILE, read_input_ranges
from tests.pipeline.models.starter.files import starter_folder

pytest.importorskip("torch")
PARTS = ("0", "1", "locked")
EACH = 1
"""Pictures a source and label."""


@pytest.fixture
def training_set(tmp_path: Path) -> Path:
    """A plain colour with noise for each hazard, and grey for harmless; a source a part."""
    random = np.random.default_rng(5)
    rows = []
    (tmp_path / "images").mkdir()
    for column, label in enumerate((*HAZARDS, "safe")):
        colour = random.integers(0, 256, 3) if label != "safe" else np.array([127, 127, 127])
        for part in PARTS:
            for number in range(EACH):
                noise = random.normal(0, 25, (60, 80 + 40 * number, 3))
                file = f"images/{column}_{part}_{number}.png"
                cv2.imwrite(str(tmp_path / file), np.clip(colour + noise, 0, 255).astype(np.uint8))
                rows.append((file, label, "", f"source {part}", "unknown"))
    _write(tmp_path / "images.csv", ("file", "labels", "uncertain", "source", "licence"), rows)
    _write(tmp_path / "videos.csv", ("file", "label", "start_s", "end_s", "source", "licence"), [])
    _write(tmp_path / "splits.csv", ("source", "part"), [(f"source {part}", part) for part in PARTS])
    return tmp_path


def _write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


@pytest.mark.slow
@pytest.mark.release
def test_two_runs_give_the_same_bytes_and_figures_of_both_kinds(
    training_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [training_set / name for name in ("first", "second")]
    for out in outs:
        out.mkdir()
        arguments = ["--model", str(starter_folder()), "--splits", str(training_set / "splits.csv")]
        arguments += ["--folds", "0,1", "--locked", "--out", str(out), "--fold-heads", str(out / "folds")]
        arguments += ["--features", str(out / "features.npz")]
        assert main([str(training_set), *arguments]) == 0
    first, second = outs
    for name in (HEADS_FILE.name, RANGES_FILE.name, CALIBRATION_FILE, "folds/0.npz", "folds/1.npz"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert read_heads(first / HEADS_FILE.name).hazards == HAZARDS
    assert read_input_ranges(first / RANGES_FILE.name).keys() == read_input_ranges().keys()
    assert read_heads(first / "folds/0.npz").hidden_weight.shape == (1024, 1280)
    printed = capsys.readouterr().out.splitlines()
    assert "folds" in printed[0] and "locked" in printed[0]
    assert printed[1].startswith("any-hazard AUC")
    document = training_set / "d.md"
    document.write_text("before\n<!-- left out -->\n<!-- end -->\nafter\n")
    arguments = ["--model", str(starter_folder()), "--splits", str(training_set / "splits.csv")]
    arguments += ["--folds", "0,1", "--cross-validate", "--document", str(document)]
    arguments += ["--features", str(second / "features.npz")]
    assert main([str(training_set), *arguments]) == 0
    text = document.read_text()
    assert text.startswith("before\n<!-- left out -->\n```\nany hazard against safe: AUC")
    assert f"false alarms on {2 * EACH} safe pictures" in text, "the locked source takes no part"
    assert text.endswith("```\n<!-- end -->\nafter\n")
