"""Each source is judged by a fit to the others, here of a model that knows colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from daemon.cli.main import main
from daemon.config.settings import load
from daemon.tools.cross_validate import WAYS, Fitted, Medium, cross_validate, dataset_of, deal
from daemon.tools.report_lines import readable
from pipeline.evaluation.dataset import LabelledClip, LabelledPicture, Span, read_dataset
from tests.fakes import ColourModel

SOURCES = 12
COLOURS = {"fire": (20, 60, 230), "safe": (180, 150, 140)}


def picture(source: str, *labels: str) -> LabelledPicture:
    return LabelledPicture(Path(f"{source}-{'-'.join(labels)}.png"), labels, source)


def test_a_source_is_in_one_fold_and_its_labels_are_spread() -> None:
    media = [picture(f"s{number}", label) for number in range(10) for label in ("fire", "safe")]
    clips = [LabelledClip(Path("c.mp4"), (Span("dog", 0, 1), Span("ignore", 1, 2)), "s3")]
    every: list[Medium] = [*media, *clips]
    folds = deal(every)
    assert {len(set(folds[[one.source == f"s{n}" for one in every]])) for n in range(10)} == {1}
    assert sorted(set(folds.tolist())) == [0, 1, 2, 3, 4]
    assert all(sum(folds[:20] == fold) == 4 for fold in range(5))
    assert dataset_of(every).clips == tuple(clips)


@pytest.fixture
def manifest(tmp_path: Path, models: Path, warm_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drawn fire and a drawn wall from each source."""
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path / "state"))
    monkeypatch.setenv("WATCHWORD_PATHS__CACHE", str(warm_cache))
    monkeypatch.chdir(tmp_path)
    random, rows = np.random.default_rng(3), ["file,label,source,start_s,end_s"]
    for source in range(SOURCES):
        for label, colour in COLOURS.items():
            noise = random.normal(0, 12, (80, 100, 3)) + random.normal(0, 10, 3)
            name = f"{label}{source}.png"
            cv2.imwrite(name, np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))
            rows.append(f"{name},{label},source {source},,")
    path = tmp_path / "m.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("way", WAYS)
def test_figures_are_of_sources_left_out(tmp_path: Path, manifest: Path, way: Fitted) -> None:
    settings = load(None, {"HOME": str(tmp_path)}, {"paths.state": str(tmp_path / "state")}).settings
    dataset = read_dataset(manifest, settings.hazards.keys())
    report = cross_validate(settings, dataset, way, ColourModel())
    made = report["cross_validation"]
    assert (made["fitted"], made["folds"], made["sources"]) == (way, 5, SOURCES)
    assert made["hazards"]["fire"] == {"fitted_in": 5, "reason": None}
    assert made["hazards"]["dog"]["fitted_in"] == 0
    assert "at least 3 are needed" in made["hazards"]["dog"]["reason"]
    assert report["any_hazard"]["auc"] > 0.95
    sources = report["sources"].values()
    assert sum(one["named"] for one in sources) >= SOURCES - 2
    assert sum(one["false_alarms"] for one in sources) <= 2
    printed = "\n".join(readable(report))
    fit = {"calibration": "lines", "heads": "heads"}[way]
    assert f"each source judged by {fit} fitted to the others" in printed
    assert "dog" in printed and "AUC: as shipped" in printed
    kept = [path for folder in ("calibration", "heads") for path in Path("state", folder).glob("*")]
    assert not kept, "nothing is kept"


@pytest.mark.slow
@pytest.mark.release
def test_what_cannot_be_cross_validated_is_said(
    manifest: Path, short_street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = manifest.with_name("one.csv")
    one.write_text("file,label,source\nfire0.png,fire,a\nsafe0.png,safe,a\n")
    assert main(["evaluate", str(one), "--cross-validate"]) == 1
    assert "needs two sources at least" in capsys.readouterr().err
    assert main(["evaluate", str(manifest), "--cross-validate", "--html", "o.html"]) == 2
    assert "--cross-validate out" in capsys.readouterr().err
    few = manifest.with_name("few.csv")
    few.write_text(
        "file,label,start_s,end_s\nfire0.png,fire,,\nsafe0.png,safe,,\n"
        f"{short_street.name},safe,0,2\n{short_street.name},vehicle,2,4\n"
    )
    few.with_name(short_street.name).symlink_to(short_street)
    assert main(["evaluate", str(few), "--cross-validate", "heads"]) == 1
    assert "at least 8 are needed" in capsys.readouterr().err
    assert main(["evaluate", str(few), "--cross-validate"]) == 0
    printed = capsys.readouterr().out
    assert "no file states its source" in printed
    assert "clips, as shipped: " in printed
    assert "clips, fitted: " in printed
