"""The doctor, over real parts and over parts that fail."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import pytest

from capture.test_image import draw_test_image
from daemon.cli.main import main
from daemon.config.settings import Settings, defaults
from daemon.doctor import devices
from daemon.doctor.check import examine
from daemon.doctor.findings import Finding, Probe
from daemon.doctor.isolated import DeviceTestFailed, run_isolated


@pytest.fixture
def settings(tmp_path: Path, models: Path) -> Settings:
    base = defaults({"HOME": str(tmp_path)})
    return base.model_copy(update={"paths": base.paths.model_copy(update={"models": models})})


def _with(settings: Settings, section: str, **values: object) -> Settings:
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})


def _found(settings: Settings, *probes: Probe) -> list[Finding]:
    return list(examine(settings, probes))


@pytest.mark.slow
def test_a_machine_that_is_set_up_is_ready(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):  # a picture a second, which every machine sustains
        cv2.imwrite(str(tmp_path / f"pictures-{name}.jpg"), draw_test_image())
    code = main(["check", "--json", "--source", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    not_fine = [finding for finding in report["findings"] if finding["state"] == "fail"]
    assert not_fine == []
    assert {finding["name"] for finding in report["findings"] if finding["state"] == "ok"} >= {
        "settings",
        "state folder",
        "model store",
        "model on CPU",
        "voice",
        "camera",
        "camera rate",
        "libraries",
        "journal",
    }
    assert (code, report["fine"]) == (0, True)


def test_a_missing_model_is_vital_and_says_how_to_get_it(settings: Settings, tmp_path: Path) -> None:
    (finding,) = _found(_with(settings, "paths", models=tmp_path), devices.store)
    assert (finding.state, finding.todo) == ("fail", "watchword models pull starter")


def test_a_folder_that_cannot_be_is_vital(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    state, cache = _found(_with(settings, "paths", state=tmp_path / "file/state"), devices.folders)
    assert (state.state, cache.state) == ("fail", "ok")
    assert "paths.state" in state.todo


@pytest.mark.slow
def test_a_device_that_is_not_there_fails_only_where_it_is_wanted(settings: Settings) -> None:
    findings = _found(_with(settings, "pipeline", device="NPU"), devices.devices)
    states = {finding.name: finding.state for finding in findings}
    assert states["model on CPU"] == "ok"
    assert states["model on NPU"] == "fail"


@pytest.mark.parametrize(
    ("embedding", "wanted", "state"),
    [([0.0, 1.0], "GPU", "fail"), ([0.0, 1.0], "CPU", "warn"), ([1.0, 0.0], "GPU", "ok")],
)
def test_a_device_that_sees_something_else_is_not_trusted(
    embedding: list[float], wanted: str, state: str
) -> None:
    reference = {
        "model": "starter",
        "device": "GPU.0",
        "precision": "f32",
        "ms": 9.0,
        "embedding": [1.0, 0.0],
    }
    facts = {**reference, "embedding": embedding}
    assert devices.assess("GPU", facts, reference, wanted).state == state


def test_a_voice_that_does_not_exist_is_vital(settings: Settings) -> None:
    (finding,) = _found(_with(settings, "speech", voice="nobody-speaks-like-this"), devices.voice)
    assert finding.state == "fail"
    assert finding.todo


@pytest.mark.parametrize("source", ["/nowhere/clip.mp4", __file__])
def test_a_source_without_pictures_is_vital(settings: Settings, source: str) -> None:
    (finding,) = _found(_with(settings, "capture", source=source), devices.camera)
    assert finding.state == "fail"


def test_rights_are_judged_for_devices_that_are_there(settings: Settings) -> None:
    findings = _found(settings, devices.rights)
    assert all(finding.state == "ok" for finding in findings) or os.getuid() != 0


def test_a_trial_that_hangs_is_given_up(settings: Settings) -> None:
    with pytest.raises(DeviceTestFailed, match=r"no answer within 0\.01 s"):
        run_isolated("voice", settings, 0.01, module="daemon.doctor.device_test")


def test_the_golden_picture_is_the_same_everywhere() -> None:
    picture = draw_test_image()
    assert (picture.shape, picture.dtype.name) == ((480, 640, 3), "uint8")
    assert (picture == draw_test_image()).all()
    assert picture.std() > 40
