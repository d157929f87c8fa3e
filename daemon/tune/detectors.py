"""Measures every image-text model on every device, each in a child process with a timeout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from daemon.config.settings import Settings
from daemon.doctor.isolated import DeviceTestFailed, Facts, run_isolated
from daemon.tune.figures import CameraSize, DetectorFigures, kind_of
from daemon.tune.pairing import eligible
from pipeline.models.loader import AUTO, STARTER
from pipeline.models.precision import Precision

MODULE = "daemon.tune.device_trials"
LOOK_S = 60.0
"""Seconds for a look at the devices: a driver can hang already there."""
TRIAL_S = 180.0
"""Seconds for a model on a device: a GPU or NPU may compile it for a minute or two at the first time."""
LEAST_COSINE = 0.99
"""Cosine between the embeddings of a device and those of the CPU in 32 bits. A smaller one is more than
rounding.
"""

RunTrial = Callable[[str, Settings, float], Facts]
"""Runs one of `device_trials.TRIALS`. Raises DeviceTestFailed."""
Note = Callable[[str], None]
"""Takes the present step, for a person who waits."""


def run_trial(name: str, settings: Settings, timeout_s: float) -> Facts:
    """`RunTrial` in a child process."""
    return run_isolated(name, settings, timeout_s, module=MODULE)


@dataclass(frozen=True, slots=True)
class Machine:
    """The devices and models to measure."""

    devices: Mapping[str, str]
    """Full names of OpenVINO's devices by their short names."""
    models: Mapping[str, Sequence[str]]
    """The CPU's precisions for each model, preferred models first."""
    problem: str = ""
    """Why the devices could not be listed; then only the CPU counts."""


def look(settings: Settings, run: RunTrial = run_trial) -> Machine:
    """List devices and models; a driver that hangs here costs the devices besides the CPU."""
    try:
        facts = run("devices", settings, LOOK_S)
    except DeviceTestFailed as error:
        named = {settings.pipeline.model} - {AUTO, STARTER}
        return Machine({"CPU": ""}, dict.fromkeys((*named, STARTER), (AUTO,)), str(error))
    return Machine(facts["devices"], facts["models"])


def measure_detectors(
    settings: Settings, machine: Machine, cores: int, note: Note, run: RunTrial = run_trial
) -> Iterator[DetectorFigures]:
    """Yield each row as soon as it is known; last, other numbers of threads for the model to be taken."""
    rows: list[DetectorFigures] = []
    for model, precisions in machine.models.items():
        for row in _model(settings, model, precisions, machine, note, run):
            rows.append(row)
            yield row
    on_cpu = [row for row in eligible(rows) if kind_of(row.device) == "CPU"]
    if on_cpu:
        best = min(on_cpu, key=lambda row: row.ms)
        for threads in fewer_threads(cores):
            note(f"{best.model} on the CPU with {threads} threads")
            yield _row(_with(settings, best.model, "CPU", best.precision, threads), run, None)


def fewer_threads(cores: int) -> tuple[int, ...]:
    """The numbers of threads to try besides OpenVINO's own choice: halves, down to one."""
    tried: list[int] = []
    while cores > 1:
        cores //= 2
        tried.append(cores)
    return tuple(tried)


def _model(
    settings: Settings, model: str, precisions: Sequence[str], machine: Machine, note: Note, run: RunTrial
) -> Iterator[DetectorFigures]:
    reference: Facts | None = None
    turned_down = partial(_turned_down, settings, model, note, run)
    # The CPU first: its answers are the reference for the others.
    cpu = [("CPU", precision) for precision in precisions]
    others = [(device, AUTO) for device in machine.devices if kind_of(device) != "CPU"]
    for device, precision in (*cpu, *others):
        note(f"{model} on {device}" + ("" if precision == AUTO else f" in {precision}"))
        facts = _facts(_with(settings, model, device, precision), run)
        reference = reference or (None if isinstance(facts, str) else facts)
        row = _figures(model, device, precision, 0, facts, reference)
        yield row if row.refused else replace(row, refused=turned_down(device, precision))


def _turned_down(
    settings: Settings, model: str, note: Note, run: RunTrial, device: str, precision: str
) -> str:
    """Why `auto` would not take the model there; empty if it would, or if the user named the model."""
    if settings.pipeline.model != AUTO:
        return ""
    note(f"{model} on harmless views")
    try:
        return str(run("judged", _with(settings, model, device, precision), TRIAL_S)["turned_down"])
    except DeviceTestFailed as error:
        return str(error)


def _with(settings: Settings, model: str, device: str, precision: str, threads: int = 0) -> Settings:
    """The settings of one row."""
    known = precision if precision in tuple(Precision) else AUTO
    changed = {"model": model, "device": device, "precision": known, "threads": threads}
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update=changed)})


def _facts(settings: Settings, run: RunTrial) -> Facts | str:
    """The facts, or why there are none."""
    try:
        return run("speed", settings, TRIAL_S)
    except DeviceTestFailed as error:
        return str(error)


def _row(settings: Settings, run: RunTrial, reference: Facts | None) -> DetectorFigures:
    wanted = settings.pipeline
    facts = _facts(settings, run)
    return _figures(wanted.model, wanted.device, wanted.precision, wanted.threads, facts, reference)


def _figures(
    model: str, device: str, precision: str, threads: int, facts: Facts | str, reference: Facts | None
) -> DetectorFigures:
    bare = DetectorFigures(model=model, device=device, precision=precision, threads=threads)
    if isinstance(facts, str):
        return replace(bare, refused=facts)
    return replace(
        bare,
        precision=facts["precision"],
        ms=facts["ms"],
        p95_ms=facts["p95_ms"],
        cpu_ms=facts["cpu_ms"],
        load_s=facts["load_s"],
        outdated=tuple(facts["outdated"]),
        refused=_wrong(device, facts, reference),
    )


def _wrong(device: str, facts: Facts, reference: Facts | None) -> str:
    """Why the numbers of a device are not to be believed; empty if they are."""
    if kind_of(facts["device"]) != kind_of(device):
        # The loader tests a device too; its warning tells what was wrong.
        about = [line for line in facts["warnings"] if device in line]
        return about[0] if about else f"it runs on {facts['device']} instead"
    # The precisions of the CPU were compared with the reference pictures of the model by its loader.
    if reference is None or kind_of(device) == "CPU":
        return ""
    pairs = zip(facts["embeddings"], reference["embeddings"], strict=True)
    worst = min(float(np.dot(ours, theirs)) for ours, theirs in pairs)
    # Not "<": a NaN must not pass.
    return "" if worst >= LEAST_COSINE else f"it computes wrong numbers: cosine {worst:.3f} to the CPU"


def measure_decoding(settings: Settings, run: RunTrial = run_trial) -> tuple[CameraSize, ...]:
    """The time to decode a camera's pictures of each size; empty if it cannot be measured."""
    try:
        facts = run("decoding", settings, LOOK_S)
    except DeviceTestFailed:
        return ()
    return tuple(CameraSize(*size) for size in facts["sizes"])
