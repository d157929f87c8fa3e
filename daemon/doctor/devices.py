"""Probes of the components: models on each device, voice, loudspeaker, camera, describer, and rights."""

from __future__ import annotations

import getpass
import grp
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from common.install_hint import install_hint
from common.memory import available_bytes, gigabytes
from daemon.config.settings import Settings
from daemon.control.paths import client_sockets
from daemon.doctor.findings import Finding, Probe, State
from daemon.doctor.isolated import DeviceTestFailed, Facts, run_isolated
from daemon.doctor.running_daemon import RunningDaemon, assess_rate, rate_of
from daemon.paths import NAME
from daemon.wiring.describer import slow_describers, slow_reason
from daemon.wiring.models import choose_model, read_current_trial, turned_down_models
from daemon.wiring.sources import DEMO, choose_source
from daemon.wiring.store import open_calibrations, open_store
from pipeline.calibration.repository import NOT_MEASURED
from pipeline.description.base import DescribeError
from pipeline.description.factory import UnusableError, choose
from pipeline.description.speed import speed_cure
from pipeline.description.vlm.job import GenerateError, ModelLoadError, ModelSpec
from pipeline.models.loader import AUTO, STARTER
from pipeline.selection.trial import cure
from pipeline.store.catalogue.vlms import known_models
from pipeline.store.errors import StoreError

NOBODY = RunningDaemon()
SERVER_S = 30.0
"""Seconds that a describer's server may take to answer."""
_TESTS = "daemon.doctor.device_test"
_SAME_COSINE = 0.99
"""Embeddings of the same picture on two devices differ by rounding, not by more."""
_NODES = (
    ("camera", "video[0-9]*", "video"),
    ("sound", "snd/controlC*", "audio"),
    ("GPU", "dri/renderD*", "render"),
    ("NPU", "accel/accel*", "render"),
)


def folders(settings: Settings) -> Iterator[Finding]:
    """Whether the state and cache folders are writable, or can be created."""
    for name in ("state", "cache"):
        folder = getattr(settings.paths, name)
        if _writable(folder):
            yield Finding(f"{name} folder", "ok", str(folder))
        else:
            todo = f"give {getpass.getuser()} the right to write there, or set paths.{name}"
            yield Finding(f"{name} folder", "fail", f"{folder} cannot be written", todo)


def _writable(folder: Path) -> bool:
    # The folder may not exist yet; its nearest existing parent decides whether it can be made.
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def store(settings: Settings) -> Iterator[Finding]:
    """Whether the configured model is in the store and whole; the models that `auto` passed over, and why."""
    name, models = settings.pipeline.model, open_store(settings)
    turned_down: Mapping[str, str] = {}
    try:
        choice = choose_model(settings)
        name = choice.name
        if settings.pipeline.model == AUTO:
            # With those behind the chosen one in the list, which were not considered now but tried before.
            turned_down = {**turned_down_models(settings), **choice.turned_down}
        harm = [str(finding) for finding in models.verify(name)]
    except StoreError as error:
        harm = [str(error)]
    if harm:
        pull = "starter" if name == AUTO else name
        yield Finding("model store", "fail", harm[0], f"watchword models pull {pull}")
    else:
        yield Finding("model store", "ok", f"{name} in {models.root}")
        yield from _basis(settings, name)
    for other, reason in turned_down.items():
        yield Finding(f"model {other}", "warn", f"turned down by auto: {reason}", cure(other, reason))


def _basis(settings: Settings, name: str) -> Iterator[Finding]:
    """The basis of the model's calibration, if it is not labels."""
    if name == STARTER or open_calibrations(settings).known(name):
        return
    trial = read_current_trial(settings, name)
    speed = f"; {trial.speed}" if trial else ""
    todo = f"watchword models fit {name} --labelled MANIFEST.csv, or watchword calibrate SOURCE"
    yield Finding("model basis", "ok", f"{NOT_MEASURED}; the starter votes beside it{speed}", todo)


def devices(settings: Settings) -> Iterator[Finding]:
    """Whether the model gives the same results on each OpenVINO device as on the processor."""
    # Lazy: `--help` and the other commands must not wait for it.
    import openvino

    wanted = settings.pipeline.device.replace(" ", "")
    as_it_runs = _on_device(settings, {"device": "CPU"})
    yield assess("CPU", as_it_runs, as_it_runs, wanted)
    named = [] if wanted.lower() == "best" else wanted.split(",")
    # Named ones too: a device that is configured and missing is the finding that matters.
    others = [one for one in dict.fromkeys([*openvino.Core().available_devices, *named]) if one != "CPU"]
    # The others compute in floats; 8 bits differ from these by more than a device may.
    exact = _on_device(settings, {"device": "CPU", "precision": "f32"}) if others else as_it_runs
    for device in others:
        yield assess(device, _on_device(settings, {"device": device}), exact, wanted.partition(",")[0])


def _on_device(settings: Settings, changed: dict[str, str]) -> Facts | DeviceTestFailed:
    pipeline = settings.pipeline.model_copy(update=changed)
    try:
        # A GPU or NPU may compile the model for a minute or two when it does so first.
        return run_isolated("model", settings.model_copy(update={"pipeline": pipeline}), 180, module=_TESTS)
    except DeviceTestFailed as error:
        return error


def assess(
    device: str, facts: Facts | DeviceTestFailed, reference: Facts | DeviceTestFailed, wanted: str
) -> Finding:
    name = f"model on {device}"
    bad: State = "fail" if device == wanted else "warn"
    if isinstance(facts, DeviceTestFailed):
        return Finding(name, bad, str(facts), "" if device == "CPU" else 'pipeline.device = "CPU"')
    if facts["device"].partition(".")[0] != device.partition(".")[0]:
        return Finding(name, bad, f"it runs on {facts['device']} instead", 'pipeline.device = "CPU"')
    if isinstance(reference, dict) and _cosine(facts, reference) < _SAME_COSINE:
        return Finding(name, bad, "it sees something else there than on the CPU", 'pipeline.device = "CPU"')
    return Finding(name, "ok", f"{facts['model']} in {facts['precision']}, {facts['ms']:.0f} ms a picture")


def _cosine(a: Facts, b: Facts) -> float:
    # The encoder's embeddings have length 1, so their dot product is the cosine.
    return float(np.dot(a["embedding"], b["embedding"]))


def voice(settings: Settings) -> Iterator[Finding]:
    """Whether a word can be turned into sound."""
    try:
        facts = run_isolated("voice", settings, module=_TESTS)
    except DeviceTestFailed as error:
        yield Finding("voice", "fail", str(error), "apt-get install espeak-ng")
        return
    if facts["seconds"] > 0:
        yield Finding("voice", "ok", f"{facts['engine']}, {settings.speech.language}")
    else:
        yield Finding("voice", "fail", "it makes no sound", "set speech.voice to one of `espeak-ng --voices`")


def natural_voice(settings: Settings) -> Iterator[Finding]:
    """The voice for everything but alerts, if `speech.engine` is not espeak."""
    if settings.speech.engine == "espeak":
        return
    try:
        facts = run_isolated("natural", settings, module=_TESTS)
    except DeviceTestFailed as error:
        todo = f"watchword models pull {settings.speech.piper_voice}; {install_hint('piper')}"
        yield Finding("natural voice", "warn", f"{error}; espeak-ng speaks instead", todo)
        return
    other = facts["language"] != settings.speech.language
    says = f"{facts['name']}, {facts['language']}"
    todo = "set speech.piper_voice to one of that language" if other else ""
    yield Finding("natural voice", "warn" if other else "ok", says, todo)


def loudspeaker(settings: Settings, running: RunningDaemon = NOBODY) -> Iterator[Finding]:
    """Whether there is a loudspeaker; without one, speech is written to a file. A daemon may hold it."""
    if settings.speech.volume == 0:
        yield Finding(
            "volume", "warn", "speech.volume is 0: no warning is heard", "set speech.volume above 0"
        )
    if running:
        outlet = str(running.later.get("outlet"))
        state: State = "ok" if outlet in ("loudspeaker", "another instance") else "warn"
        todo = "" if state == "ok" else "plug one in; `aplay -l` lists what there is"
        yield Finding("loudspeaker", state, f"the daemon speaks into: {outlet}", todo)
        return
    if other := settings.control.forward_to:
        # The socket and not systemd: the instance may have been started by hand.
        there = any((folder / f"{other}.sock").is_socket() for folder in _runtime_folders(settings))
        unit = "watchword" if other == NAME else f"watchword@{other}"
        todo = "" if there else f"systemctl start {unit}"
        says = f"{other} speaks for this one" + ("" if there else ", but does not run")
        yield Finding("loudspeaker", "ok" if there else "warn", says, todo)
        return
    try:
        yield Finding("loudspeaker", "ok", run_isolated("loudspeaker", settings, module=_TESTS)["device"])
    except DeviceTestFailed as error:
        todo = "plug one in, or set speech.device; until then speech goes into a file"
        yield Finding("loudspeaker", "warn", str(error), todo)


def camera(settings: Settings, running: RunningDaemon = NOBODY) -> Iterator[Finding]:
    """Whether the source delivers pictures and each is assessed. A daemon that holds the camera is asked."""
    if running:
        yield Finding("camera", "ok", f"{running.later.get('source')}, held by the daemon")
        yield rate_of(running, settings.capture.device_fps)
        return
    # The demo clip would pass every test, and no camera would have been tested.
    if settings.capture.source == "auto" and choose_source(settings) == DEMO:
        todo = "plug one in, or set capture.source; until then a service waits, and `run` shows the demo clip"
        yield Finding("camera", "warn", "there is none", todo)
        return
    try:
        facts = run_isolated("camera", settings, module=_TESTS)
        yield Finding("camera", "ok", f"{facts['source']}, {facts['width']} x {facts['height']}")
    except DeviceTestFailed as error:
        yield Finding("camera", "fail", str(error), "set capture.source")
        return
    try:
        facts = run_isolated("rate", settings, 180, module=_TESTS)
        yield assess_rate(
            facts["source"],
            facts["frames"],
            facts["skipped"],
            facts["fps"],
            device_fps=settings.capture.device_fps,
        )
    except DeviceTestFailed as error:
        yield Finding(
            "camera rate", "fail", str(error), "watchword models pull starter, or set pipeline.device"
        )


def describer(settings: Settings, running: RunningDaemon = NOBODY) -> Iterator[Finding]:
    """The describer, and whether its model fits into memory."""
    # The state of a running describer is known. A server's answers are tested in any case.
    if running and running.later.get("describer") and not settings.describe.server_url:
        yield Finding("describer", "ok", str(running.later["describer"]))
        return
    wanted = settings.describe
    if wanted.backend in ("off", "tags"):
        yield Finding("describer", "ok", wanted.backend)
        return
    models = open_store(settings)
    language, cache = settings.speech.language, settings.paths.cache
    try:
        choice = choose(
            wanted, language, models.path, cache, available_bytes, lambda name: slow_reason(settings, name)
        )
    except UnusableError as error:
        yield Finding("describer", "warn", f"{error}; templates are spoken instead", "set describe.model")
    except DescribeError as error:
        yield Finding("describer", "fail", str(error), "mend [describe]")
    else:
        if choice is not None and choice.spec.url:
            yield _server(choice.spec)
            return
        yield _described(choice.spec.model if choice else None, choice.memory_bytes if choice else 0)
        if wanted.model == AUTO:
            for name, reason in slow_describers(settings).items():
                yield Finding(f"model {name}", "warn", f"turned down by auto: {reason}", speed_cure(name))


def _server(spec: ModelSpec) -> Finding:
    """Whether the describer's server answers a question about a picture."""
    # Lazy: only a describer on a server needs it.
    from pipeline.description.vlm.backends.openai_server import try_server

    where = "see describe.server_url and describe.model; until then templates are spoken"
    try:
        said = try_server(spec, SERVER_S)
    except (GenerateError, ModelLoadError) as error:
        return Finding("describer", "warn", str(error), where)
    # The test picture is red: a server with a text-only model answers, but about something else.
    if "red" not in said.lower():
        doubt = f"{spec.model} said {said[:60]!r} of a red picture: it may not see pictures"
        return Finding("describer", "warn", doubt, "name a model that reads pictures in describe.model")
    return Finding("describer", "ok", f"{spec.model} on a server, which sees pictures")


def _described(model: str | None, room: int) -> Finding:
    if model is None:
        default = next(entry.name for entry in known_models().values() if entry.default)
        says = "no model is in the store that fits into memory and is fast enough: templates are spoken"
        return Finding("describer", "ok", says, f"watchword models pull {default}")
    return Finding("describer", "ok", f"{model}, which may take {gigabytes(room)}")


@dataclass(frozen=True, slots=True)
class Input:
    """A device with keys or buttons."""

    path: str
    name: str
    usable: bool


def keys(settings: Settings, running: RunningDaemon = NOBODY) -> Iterator[Finding]:
    """The input device of `keys.device`, if one is configured."""
    wanted = settings.keys.device
    if running and running.later.get("keys"):
        said = str(running.later["keys"])
        yield Finding("keys", "ok" if said.startswith("listening") else "warn", said, _keys_todo(said))
    elif wanted:
        yield assess_keys(wanted, _inputs())


def _keys_todo(said: str) -> str:
    return "" if said.startswith("listening") else "plug it in, or pair it; see keys.device"


def assess_keys(wanted: str, inputs: Sequence[Input]) -> Finding:
    """`wanted`: a path, or a part of a name."""
    # Names below /dev/input/by-id are symbolic links to eventN.
    path = os.path.realpath(wanted) if wanted.startswith("/") else ""
    found = [i for i in inputs if (i.path == path if path else wanted.lower() in i.name.lower())]
    if not found:
        names = ", ".join(sorted({i.name for i in inputs if i.name})) or "none"
        return Finding(
            "keys", "warn", f"no device is {wanted!r}; there are: {names}", "plug it in, or set keys.device"
        )
    if not any(i.usable for i in found):
        todo = f"sudo usermod -aG input {getpass.getuser()}, then log in again"
        return Finding("keys", "warn", f"{found[0].name} may not be read", todo)
    return Finding("keys", "ok", found[0].name)


def _inputs() -> list[Input]:
    found: list[Input] = []
    for path in sorted(Path("/dev/input").glob("event*")):
        # A device can vanish while the folder is read.
        with suppress(OSError):
            name = Path("/sys/class/input", path.name, "device/name").read_text().strip()
            found.append(Input(str(path), name, os.access(path, os.R_OK)))
    return found


def rights(_: Settings) -> Iterator[Finding]:
    """Whether the existing devices may be used."""
    # What matters is whether the device file can be opened; the group is only the usual remedy.
    for what, pattern, group in _NODES:
        nodes = sorted(Path("/dev").glob(pattern))
        closed = [node for node in nodes if not os.access(node, os.R_OK | os.W_OK)]
        if closed:
            todo = f"sudo usermod -aG {_group_of(closed[0], group)} {getpass.getuser()}, then log in again"
            yield Finding(f"{what} rights", "warn", f"{closed[0]} may not be used", todo)
        elif nodes:
            yield Finding(f"{what} rights", "ok", str(nodes[0]))


def _runtime_folders(settings: Settings) -> Iterator[Path]:
    yield from (path.parent for path in client_sockets(os.environ))
    yield settings.paths.state


def _group_of(node: Path, usual: str) -> str:
    try:
        return grp.getgrgid(node.stat().st_gid).gr_name
    # A group without a name, as in a container.
    except (KeyError, OSError):
        return usual


def python(_: Settings) -> Iterator[Finding]:
    """The interpreter and the installation."""
    yield Finding("python", "ok", f"{sys.version.split()[0]}, {sys.prefix}")


def all_probes(running: RunningDaemon) -> tuple[Probe, ...]:
    """Every probe of this module."""
    asked = (partial(probe, running=running) for probe in (loudspeaker, camera, describer, keys))
    return (python, folders, store, devices, voice, natural_voice, *asked, rights)
