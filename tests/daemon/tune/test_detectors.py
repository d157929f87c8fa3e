"""Rows of detectors from devices that work, hang, crash, fall back or compute something else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from daemon.config.settings import Settings, defaults
from daemon.doctor.isolated import DeviceTestFailed, Facts, run_isolated
from daemon.tune.detectors import Machine, fewer_threads, look, measure_decoding, measure_detectors
from daemon.tune.figures import DetectorFigures
from tests.capture.scripted import eventually

WORKING = "tests.daemon.tune.failing_drivers"
Answer = Facts | str


class FakeDevices:
    """Answers trials by device and precision; a text is a failure."""

    def __init__(self, answers: Mapping[tuple[str, str], Answer], turned_down: str = "") -> None:
        self.asked: list[tuple[str, str, str, int]] = []
        self._answers = answers
        self._turned_down = turned_down

    def __call__(self, name: str, settings: Settings, timeout_s: float) -> Facts:
        assert timeout_s <= 300
        wanted = settings.pipeline
        self.asked.append((name, wanted.device, wanted.precision, wanted.threads))
        if name == "judged":
            return {"turned_down": self._turned_down}
        answer = self._answers[wanted.device, wanted.precision]
        if isinstance(answer, str):
            raise DeviceTestFailed(answer)
        return answer


def facts(device: str, ms: float = 10.0, precision: str = "float", **more: object) -> Facts:
    return {
        "device": device,
        "precision": precision,
        "load_s": 1.0,
        "embeddings": [[1.0, 0.0], [0.0, 1.0]],
        "outdated": [],
        "warnings": [],
        "ms": ms,
        "p95_ms": ms + 1,
        "cpu_ms": 2 * ms,
        **more,
    }


def rows(
    answers: Mapping[tuple[str, str], Answer], model: str = "starter", turned_down: str = "", cores: int = 1
) -> list[DetectorFigures]:
    settings = defaults({"HOME": "/nowhere"})
    settings = settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"model": model})})
    devices = dict.fromkeys(device for device, _ in answers)
    precisions = [precision for device, precision in answers if device == "CPU"]
    machine = Machine(
        devices=dict.fromkeys(devices, ""), models={"clip" if model == "auto" else model: precisions}
    )
    fakes = FakeDevices(answers, turned_down)
    return list(measure_detectors(settings, machine, cores, lambda _: None, fakes))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("no answer within 180 s", "no answer within 180 s"),
        ("the driver crashed (SIGSEGV)", "the driver crashed (SIGSEGV)"),
        (facts("CPU"), "it runs on CPU instead"),
        (
            facts(
                "CPU", warnings=["something else", "the starter on GPU computes something else: cosine 0.2"]
            ),
            "the starter on GPU computes something else: cosine 0.2",
        ),
        (
            facts("GPU.0", embeddings=[[1.0, 0.0], [1.0, 0.0]]),
            "it computes wrong numbers: cosine 0.000 to the CPU",
        ),
        (
            facts("GPU", embeddings=[[float("nan"), 0.0], [0.0, 1.0]]),
            "it computes wrong numbers: cosine nan to the CPU",
        ),
        (facts("GPU.0"), ""),
    ],
)
def test_a_device_costs_at_most_its_own_row(answer: Answer, reason: str) -> None:
    cpu, gpu = rows({("CPU", "auto"): facts("CPU"), ("GPU", "auto"): answer})
    assert (cpu.refused, cpu.ms, cpu.cpu_ms) == ("", 10.0, 20.0)
    assert (gpu.device, gpu.refused) == ("GPU", reason)


def test_every_precision_of_the_cpu_has_a_row() -> None:
    answers: dict[tuple[str, str], Answer] = {
        ("CPU", "f32"): facts("CPU", 30, "f32"),
        ("CPU", "bf16"): "clip: no device here computes this model right",
        # Its embeddings differ: the loader has compared 8 bits with limits of their own.
        ("CPU", "int8"): facts("CPU", 9, "int8", embeddings=[[0.9, 0.1], [0.1, 0.9]]),
    }
    found = rows(answers, model="clip")
    assert [(row.precision, row.refused) for row in found] == [
        ("f32", ""),
        ("bf16", "clip: no device here computes this model right"),
        ("int8", ""),
    ]


def test_a_model_that_auto_would_turn_down_is_refused_with_the_reason() -> None:
    answers: dict[tuple[str, str], Answer] = {("CPU", "f32"): facts("CPU", 30, "f32")}
    worse = "worse than the starter on harmless views"
    assert [row.refused for row in rows(answers, model="auto", turned_down=worse)] == [worse]
    # A model that the user named is theirs to judge.
    assert [row.refused for row in rows(answers, model="clip", turned_down=worse)] == [""]


def test_fewer_threads_are_tried_for_the_cpu_only() -> None:
    assert fewer_threads(1) == ()
    assert fewer_threads(2) == (1,)
    assert fewer_threads(12) == (6, 3, 1)
    found = rows({("CPU", "auto"): facts("CPU")}, cores=4)
    assert [row.threads for row in found] == [0, 2, 1]
    broken = rows({("CPU", "auto"): "no answer within 180 s"}, cores=4)
    assert [row.refused for row in broken] == ["no answer within 180 s"]


@pytest.fixture
def settings(tmp_path: Path, models: Path) -> Settings:
    base = defaults({"HOME": str(tmp_path)})
    return base.model_copy(update={"paths": base.paths.model_copy(update={"models": models})})


def test_a_driver_that_hangs_on_the_list_of_devices_leaves_the_cpu(settings: Settings) -> None:
    def run(_name: str, settings: Settings, _timeout_s: float) -> Facts:
        return run_isolated("hang", settings, 0.5, module=WORKING)

    machine = look(settings, run)
    assert (list(machine.devices), list(machine.models)) == (["CPU"], ["starter"])
    assert machine.problem == "no answer within 0.5 s"


def test_a_driver_that_hangs_in_a_call_is_given_up_with_all_it_started(
    settings: Settings, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"paths": settings.paths.model_copy(update={"state": tmp_path})})
    began_s = time.monotonic()
    with pytest.raises(DeviceTestFailed, match="no answer within 6 s"):
        run_isolated("hang", settings, 6.0, module=WORKING)
    assert time.monotonic() - began_s < 20
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        # The kernel ends a killed process only when that gets a processor again.
        assert eventually(partial(has_ended, pid)), f"{pid} runs on"


def has_ended(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_a_driver_that_crashes_is_named_as_such(settings: Settings) -> None:
    with pytest.raises(DeviceTestFailed, match=r"the driver crashed \(SIGSEGV\)"):
        run_isolated("crash", settings, 60.0, module=WORKING)


def test_the_real_trials_measure_the_starter_on_the_cpu(settings: Settings) -> None:
    machine = look(settings)
    assert machine.problem == "" and "CPU" in machine.devices
    assert list(machine.models)[-1] == "starter"
    only = Machine({"CPU": machine.devices["CPU"]}, {"starter": machine.models["starter"]})
    rows = list(measure_detectors(settings, only, 1, lambda _: None))
    # 8 bits too, if this processor computes them right.
    assert [row.precision for row in rows] in (["f32"], ["f32", "int8"])
    for row in rows:
        assert (row.model, row.device, row.refused) == ("starter", "CPU", "")
        assert 0 < row.ms <= row.p95_ms
        assert row.cpu_ms > 0
    sizes = measure_decoding(settings)
    assert [(size.width, size.height) for size in sizes] == [(640, 480), (1280, 720)]
    assert 0 < sizes[0].decode_ms < sizes[1].decode_ms
