"""The doctor's decisions, facts in and findings out; and the doctor beside a daemon, whole."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.main import main
from daemon.config.sections import MqttSettings, WebSettings
from daemon.config.settings import Settings, defaults
from daemon.control.event_feed import EventFeed
from daemon.control.protocol import Request
from daemon.control.server import ControlServer
from daemon.doctor import devices, files, machine, network, running_daemon, systemd_units
from daemon.doctor.check import examine
from daemon.doctor.findings import Finding
from daemon.doctor.machine import INTEL, Node
from daemon.doctor.running_daemon import RunningDaemon, find_running
from daemon.doctor.systemd_units import UnitState
from daemon.errors import CommandError
from daemon.journal.paths import JournalPaths
from daemon.journal.store import JournalStore
from tests.daemon.mqtt.mosquitto import Mosquitto, free_port
from tests.pipeline.description.vlm.fake_server import running_server

STATUS: dict[str, Any] = {
    "version": "1", "pid": 7, "source": "/dev/video0", "uptime_s": 60.0, "fps": 9.6, "frames": 100,
    "skipped": 4, "outlet": "loudspeaker", "describer": "tags: ready", "danger_muted_s": 0.0, "lost": [],
    "components": {"camera": {"reason": "ok"}},
}  # fmt: skip


def states(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return defaults({"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("frames", "skipped", "state", "todo"),
    [(100, 0, "ok", ""), (100, 1, "fail", "capture.device_fps = 8"), (0, 0, "fail", "cable")],
)
def test_a_camera_whose_frames_are_not_all_assessed_fails(
    frames: int, skipped: int, state: str, todo: str
) -> None:
    finding = running_daemon.assess_rate("/dev/video0", frames, skipped, 9.6)
    assert finding.state == state
    assert todo in finding.todo


@pytest.mark.parametrize(
    ("source", "fps", "device_fps", "state", "todo"),
    [
        ("/dev/video0", 9.6, 10, "ok", ""),
        ("/dev/video0", 7.9, 10, "warn", "capture.device_width"),
        ("0", 7.9, 0, "ok", ""),
        ("0", 0.2, 0, "warn", "capture.device_width"),
        ("rtsp://***@camera/1", 0.2, 0, "warn", "more pictures"),
        ("rtsp://***@camera/1", 9.0, 30, "ok", ""),
        ("/var/pictures", 0.2, 30, "ok", ""),
        ("demo", 1.0, 30, "ok", ""),
    ],
)
def test_a_camera_that_delivers_too_little_is_told_of(
    source: str, fps: float, device_fps: int, state: str, todo: str
) -> None:
    finding = running_daemon.assess_rate(source, 1, 0, fps, device_fps=device_fps)
    assert finding.state == state
    assert todo in finding.todo
    assert bool(finding.todo) == (state != "ok")


def test_the_rate_of_a_daemon_is_held_against_the_setting() -> None:
    running = RunningDaemon(status=STATUS, later={**STATUS, "frames": 120})
    assert running_daemon.rate_of(running, 10).state == "ok"
    assert running_daemon.rate_of(running, 30).state == "warn"


def test_old_skips_are_told_from_present_ones() -> None:
    later = {**STATUS, "frames": 120}
    assert running_daemon.rate_of(RunningDaemon(status=STATUS, later=later)).state == "ok"
    assert running_daemon.rate_of(RunningDaemon(status=STATUS, later={**later, "skipped": 5})).state == "fail"


def test_a_daemon_tells_of_its_components_and_its_version() -> None:
    components = {"loudspeaker": {"reason": "lost", "detail": "unplugged"}, "camera": {"reason": "dark"}}
    sick = {**STATUS, "components": components, "lost": ["keys"], "danger_muted_s": 5.0}
    found = list(running_daemon.daemon(RunningDaemon(Path("/s"), "root", STATUS, sick), "2"))
    assert states(iter(found)) == {
        "daemon": "warn", "component loudspeaker": "warn", "component camera": "fail", "part keys": "warn",
        "danger": "warn",
    }  # fmt: skip
    assert all(finding.todo for finding in found)
    (fine,) = running_daemon.daemon(RunningDaemon(Path("/s"), "root", STATUS, STATUS), "1")
    assert fine.state == "ok"


def test_an_instance_is_mended_by_its_own_unit() -> None:
    sick = {**STATUS, "instance": "left", "lost": ["keys"], "components": {"voice": {"reason": "failed"}}}
    found = {f.name: f for f in running_daemon.daemon(RunningDaemon(Path("/s"), "root", STATUS, sick), "1")}
    assert "systemctl restart watchword@left" in found["component voice"].todo
    assert "journalctl -u watchword@left" in found["part keys"].todo


UNIT = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}


@pytest.mark.parametrize(
    ("facts", "version", "state", "todo"),
    [
        ({}, "1", "ok", ""),
        ({"ActiveState": "failed", "Result": "exit-code"}, "1", "fail", "journalctl --user -u watchword"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, "1", "fail", "journalctl"),
        ({"NeedDaemonReload": "yes"}, "1", "warn", "systemctl --user daemon-reload"),
        ({}, "0.9", "warn", "script/install"),
        ({"UnitFileState": "disabled"}, "1", "warn", "systemctl --user enable watchword"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "1", "warn", "systemctl --user start watchword"),
    ],
)
def test_a_unit_is_judged_by_what_systemd_says(
    facts: Mapping[str, str], version: str, state: str, todo: str
) -> None:
    finding = systemd_units.assess_unit(UnitState("watchword", "--user", {**UNIT, **facts}, version), "1")
    assert finding.state == state
    assert todo in finding.todo


SYSTEMCTL = """#!/bin/sh
[ "$1" = --user ] && exit 1
[ "$2" = watchword.service ] || { echo LoadState=not-found; exit; }
cat <<END
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NRestarts=2
ExecStart={ path=PROGRAM ; argv[]=PROGRAM run --config /etc/watchword/config.toml ; ignore_errors=no }
END
"""


def test_systemd_is_asked_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "watchword"
    program.write_text("#!/bin/sh\necho watchword 0.0.1\n")
    (tmp_path / "systemctl").write_text(SYSTEMCTL.replace("PROGRAM", str(program)))
    for file in (program, tmp_path / "systemctl"):
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (finding,) = systemd_units.assess_units(systemd_units.units(), "1")
    assert (finding.name, finding.state) == ("unit watchword", "warn")
    assert "version 0.0.1" in finding.says


INSTANCES = """#!/bin/sh
[ "$1" = --user ] && exit 1
case "$1 $*" in
  list-units*'watchword@*'*) echo 'watchword@left.service loaded active running Watchword for the camera left'
    echo 'watchword@right.service loaded failed failed Watchword for the camera right' ;;
  *watchword@left.service*) printf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\n' ;;
  *watchword@right.service*) printf 'LoadState=loaded\\nActiveState=failed\\nResult=exit-code\\n' ;;
  *watchword.service*) printf 'LoadState=loaded\\nActiveState=inactive\\nUnitFileState=disabled\\n' ;;
  *) echo LoadState=not-found ;;
esac
"""


def test_instances_are_units_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "systemctl").write_text(INSTANCES)
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {f.name: f for f in systemd_units.assess_units(systemd_units.units(), "1")}
    assert {name: finding.state for name, finding in found.items()} == {
        "unit watchword": "ok",
        "unit watchword@left": "ok",
        "unit watchword@right": "fail",
    }
    assert not found["unit watchword"].todo
    assert "systemctl restart watchword@right" in found["unit watchword@right"].todo


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"ActiveState": "inactive"}, "warn"),
        ({"ActiveState": "inactive", "UnitFileState": "disabled"}, "ok"),
        ({"ActiveState": "failed"}, "fail"),
        ({}, "ok"),
    ],
)
def test_beside_instances_the_unit_without_a_name_need_not_run(facts: Mapping[str, str], state: str) -> None:
    both = [UnitState("watchword", "", {**UNIT, **facts}, "1"), UnitState("watchword@left", "", UNIT, "1")]
    found = {f.name: f for f in systemd_units.assess_units(both, "1")}
    assert (found["unit watchword"].state, found["unit watchword@left"].state) == (state, "ok")
    assert "enable watchword" not in found["unit watchword"].todo
    assert "systemd" not in found


def test_two_services_at_one_camera_are_one_too_many() -> None:
    both = [UnitState("watchword", scope, UNIT, "1") for scope in ("", "--user")]
    assert states(systemd_units.assess_units(both, "1"))["systemd"] == "fail"
    assert states(systemd_units.assess_units([], "1")) == {"systemd": "ok"}


@pytest.mark.parametrize(
    ("flags", "state", "says"),
    [
        (set(), "ok", "not listed"), ({"sse4_2"}, "warn", "without AVX2"), ({"avx2"}, "ok", "gain little"),
        ({"avx2", "avx_vnni"}, "ok", "worth it"),
    ],
)  # fmt: skip
def test_what_the_processor_means(flags: set[str], state: str, says: str) -> None:
    finding = machine.assess_flags(flags, 2)
    assert finding.state == state
    assert says in finding.says


@pytest.mark.parametrize(
    ("drivers", "governors", "preferences", "expected"),
    [
        ({"acpi-cpufreq"}, {"powersave"}, set(), ["warn"]),
        ({"intel_pstate"}, {"powersave"}, {"balance_performance"}, ["ok"]),
        ({"intel_pstate"}, {"powersave"}, {"power"}, ["warn"]),
        ({"acpi-cpufreq"}, {"performance"}, set(), ["ok"]),
        (set(), set(), set(), []),
    ],
)
def test_a_clock_that_is_held_low_is_found(
    drivers: set[str], governors: set[str], preferences: set[str], expected: list[str]
) -> None:
    assert [f.state for f in machine.assess_governor(drivers, governors, preferences)] == expected


def test_heat_memory_disk_clock_and_real_time() -> None:
    assert [f.state for f in machine.assess_heat(0, 97.0)] == ["warn"]
    assert [f.state for f in machine.assess_heat(3, 50.0)] == ["warn"]
    assert [f.state for f in machine.assess_heat(0, None)] == []
    assert [machine.assess_memory(n).state for n in (10**8, 5 * 10**8, 10**9)] == ["fail", "warn", "ok"]
    disk = [machine.assess_disk("state", Path("/x"), n).state for n in (0, 10**8, 10**10)]
    assert disk == ["fail", "warn", "ok"]
    clock = [
        machine.assess_clock(*a).state for a in ((1e9, 1.7e9, ""), (1.8e9, 1.7e9, "no"), (1.8e9, 1.7e9, ""))
    ]
    assert clock == ["warn", "warn", "ok"]
    real_time = [machine.assess_real_time(*a).state for a in ((False, 0), (False, 5), (False, -1), (True, 0))]
    assert real_time == ["warn", "ok", "ok", "ok"]


def test_a_driver_is_missing_only_where_there_is_a_device_that_may_be_used() -> None:
    node = Node("/dev/dri/renderD128", INTEL, usable=True)
    (finding,) = machine.assess_accelerators([node], [], ["CPU"])
    assert (finding.state, "intel-opencl-icd" in finding.todo) == ("warn", True)
    assert states(machine.assess_accelerators([node], [], ["CPU", "GPU.0"])) == {"GPU driver": "ok"}
    hidden = Node("/dev/dri/renderD128", INTEL, usable=False)  # its rights are found elsewhere
    assert list(machine.assess_accelerators([hidden], [], ["CPU"])) == []
    other = Node("/dev/dri/renderD128", "0x10de", usable=True)
    assert states(machine.assess_accelerators([other], [], ["CPU"])) == {"GPU driver": "ok"}
    npu = Node("/dev/accel/accel0", INTEL, usable=True)
    found = states(machine.assess_accelerators([], [npu], ["CPU", "GPU"]))
    assert found == {"GPU driver": "ok", "NPU driver": "warn"}


@pytest.mark.parametrize(
    ("mode", "text", "state"),
    [
        (0o644, 'source = "rtsp://camera/1"', "ok"),
        (0o644, 'source = "rtsp://me:secret@camera/1"', "warn"),
        (0o640, 'source = "rtsp://me:secret@camera/1"', "ok"),
        (0o666, "", "warn"),
        (0o644, '# source = "rtsp://me:secret@camera/1"', "ok"),
    ],
)
def test_a_configuration_with_a_password_is_for_few(tmp_path: Path, mode: int, text: str, state: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[capture]\n{text}\n")
    file.chmod(mode)
    (finding,) = files.configuration([file])
    assert finding.state == state
    assert "secret" not in finding.says


def test_overrides_are_named(settings: Settings) -> None:
    file = settings.paths.state / "overrides.toml"
    assert states(files.overrides(settings)) == {"overrides": "ok"}
    file.parent.mkdir(parents=True)
    file.write_text("[speech]\nrate_wpm = 250\n")
    (finding,) = files.overrides(settings)
    assert "speech.rate_wpm" in finding.says


def test_a_journal_is_looked_through(settings: Settings) -> None:
    places = JournalPaths.in_state(settings.paths.state)
    assert states(files.journal(settings)) == {"journal": "ok"}
    store = JournalStore(places, "run", 0.0, {})
    store.close()
    (finding,) = files.journal(settings)
    assert finding.says.startswith("0 events")
    with sqlite3.connect(places.database) as link:
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(places.database.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    places.database.write_bytes(data)
    (finding,) = files.journal(settings)
    assert (finding.state, bool(finding.todo)) == ("warn", True)


def test_a_disk_without_room_keeps_nothing() -> None:
    assert [f.state for f in files.assess_room(10, 100, Path("/x"))] == ["warn"]
    assert list(files.assess_room(100, 10, Path("/x"))) == []


@pytest.mark.parametrize(
    ("web", "expected"),
    [
        ({}, []),
        ({"address": "::1"}, []),
        ({"address": "0.0.0.0"}, ["fail"]),
        ({"address": "192.168.1.5", "token_file": "/t"}, ["warn"]),
        ({"address": "192.168.1.5", "token_file": "/t", "certificate_file": "/c"}, ["ok"]),
        ({"address": "dead"}, ["fail"]),
    ],
)
def test_a_web_open_to_the_network_needs_a_token_and_tls(web: dict[str, Any], expected: list[str]) -> None:
    assert [f.state for f in network.assess_exposure(WebSettings(**web))] == expected


def test_a_port_that_somebody_else_has_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert running_daemon.listening("127.0.0.1", port)
        assert "python" in running_daemon.port_owner(port)
    wanted = WebSettings(port=port)
    assert network.assess_port(wanted, True, "process 7, nginx").state == "warn"
    assert network.assess_port(wanted, True, "process 7, watchword").state == "ok"
    assert network.assess_port(wanted, False, "").state == "ok"


def test_secrets_are_for_their_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    file = tmp_path / "secret"

    def judged(name: str, shortest: int = 1) -> Finding:
        return network.assess_secret(network.look_at("mqtt.password_file", name), shortest)

    assert judged(str(file)).state == "fail"
    file.write_text("hunter2\n")
    file.chmod(0o644)
    assert judged(str(file)).state == "warn"
    file.chmod(0o600)
    assert judged(str(file)).state == "ok"
    assert judged(str(file), 16).state == "fail"
    assert judged("mqtt").state == "ok"  # only the service sees it
    assert "hunter2" not in judged(str(file), 16).says


def test_a_broker_is_tried(settings: Settings, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path).start()
    try:
        there = MqttSettings(enabled=True, port=broker.port)
        assert states(network.mqtt(settings.model_copy(update={"mqtt": there}))) == {"mqtt": "ok"}
    finally:
        broker.stop()
    away = MqttSettings(enabled=True, port=free_port())
    assert states(network.mqtt(settings.model_copy(update={"mqtt": away}))) == {"mqtt": "warn"}


def test_a_describer_that_does_not_fit_is_no_secret(settings: Settings) -> None:
    def described(**wanted: Any) -> str:
        describe = settings.describe.model_copy(update=wanted)
        (finding,) = devices.describer(settings.model_copy(update={"describe": describe}))
        return finding.state

    assert described() == "ok"
    assert described(backend="off") == "ok"
    assert described(backend="openvino", model="/nowhere") == "warn"
    assert described(backend="openai") == "fail"
    assert described(backend="openai", model="m", server_url="http://127.0.0.1:9/v1") == "warn"


@pytest.mark.parametrize(
    ("behaviour", "state", "says"),
    [
        ("good", "ok", "sees pictures"),
        ("blind", "warn", "may not see pictures"),
        ("textonly", "warn", "reads no pictures"),
        ("nov1", "warn", "answered 404"),
    ],
)
def test_a_describers_server_is_asked(settings: Settings, behaviour: str, state: str, says: str) -> None:
    with running_server() as address:
        wanted = {"backend": "openai", "model": "m", "server_url": f"{address}/{behaviour}/v1"}
        describe = settings.describe.model_copy(update=wanted)
        (finding,) = devices.describer(settings.model_copy(update={"describe": describe}))
    assert (finding.state, says in finding.says) == (state, True), finding


@pytest.mark.parametrize(
    ("wanted", "state", "todo"),
    [
        ("headset", "ok", ""),
        ("Keypad", "warn", "usermod -aG input"),
        ("pedal", "warn", "keys.device"),
        ("/dev/input/event3", "ok", ""),
    ],
)
def test_keys_are_found_by_name_or_path(wanted: str, state: str, todo: str) -> None:
    inputs = [
        devices.Input("/dev/input/event3", "BT Headset (AVRCP)", usable=True),
        devices.Input("/dev/input/event4", "Some Keypad", usable=False),
    ]
    finding = devices.assess_keys(wanted, inputs)
    assert finding.state == state
    assert todo in finding.todo


def test_a_loudspeaker_of_another_instance_and_a_voice_that_is_missing(settings: Settings) -> None:
    forwarding = settings.control.model_copy(update={"forward_to": "nobody-here"})
    elsewhere = settings.model_copy(update={"control": forwarding})
    (finding,) = devices.loudspeaker(elsewhere)
    assert (finding.state, finding.todo) == ("warn", "systemctl start watchword@nobody-here")
    silent = settings.speech.model_copy(update={"volume": 0.0})
    finding, _ = devices.loudspeaker(elsewhere.model_copy(update={"speech": silent}))
    assert (finding.state, finding.says) == ("warn", "speech.volume is 0: no warning is heard")
    speech = settings.speech.model_copy(update={"engine": "piper", "piper_voice": "/nowhere/voice"})
    (finding,) = devices.natural_voice(settings.model_copy(update={"speech": speech}))
    assert (finding.state, "espeak-ng speaks instead" in finding.says) == ("warn", True)
    assert list(devices.natural_voice(settings)) == []


def test_a_probe_that_fails_itself_is_told_and_the_others_go_on(settings: Settings) -> None:
    def broken(_: Settings) -> Iterator[Finding]:
        raise RuntimeError("oh")

    found = list(examine(settings, [broken, files.overrides]))
    assert [finding.name for finding in found] == ["broken", "overrides"]
    assert (found[0].state, "oh" in found[0].says) == ("warn", True)


def test_sockets_that_are_stale_or_refuse_are_told_from_a_daemon(settings: Settings) -> None:
    folder = Path(tempfile.mkdtemp(prefix="watchword"))
    place = folder / "watchword"
    place.mkdir()
    env = {"XDG_RUNTIME_DIR": str(folder), "RUNTIME_DIRECTORY": str(place)}
    try:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(place / "watchword.sock"))
        running = find_running(settings, env, lambda _: None)
        assert (bool(running), running.stale) == (False, (place / "watchword.sock",))
        assert states(running_daemon.daemon(running))["daemon"] == "ok"

        def starting(_: Request) -> Mapping[str, Any]:
            raise CommandError("still starting; try again in a few seconds")

        server = ControlServer(place / "watchword.sock", starting, EventFeed())
        thread = threading.Thread(target=server.run)
        thread.start()
        running = find_running(settings, env, lambda _: None)
        server.close()
        thread.join(10)
        (finding,) = running_daemon.daemon(running)
        assert (finding.state, "still starting" in finding.says) == ("warn", True)

        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(place / "left.sock"))
        running = find_running(settings, env, lambda _: None)
        (*_, finding) = running_daemon.daemon(running)
        assert "--instance left" in finding.todo
    finally:
        shutil.rmtree(folder)


@pytest.mark.slow
def test_beside_a_daemon_its_devices_are_not_touched(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="watchword"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    frames = iter(range(100, 200, 20))
    server = ControlServer(
        folder / "watchword.sock", lambda _: {**STATUS, "frames": next(frames)}, EventFeed()
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        main(["check", "--json", "--source", "/dev/video-that-is-busy"])
    finally:
        server.close()
        thread.join(10)
        shutil.rmtree(folder)
    report = json.loads(capsys.readouterr().out)
    found = {finding["name"]: finding for finding in report["findings"]}
    assert (found["camera"]["state"], found["camera rate"]["state"]) == ("ok", "ok")
    assert found["loudspeaker"]["says"] == "the daemon speaks into: loudspeaker"
    assert all(f["todo"] for f in found.values() if f["state"] != "ok"), report
