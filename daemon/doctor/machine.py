"""Probes of the machine: processor, heat, memory, disks, clock, drivers and libraries.

Reading and judging are kept apart: `assess_...` takes facts and gives findings.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import daemon
from common.memory import available_bytes, gigabytes
from common.processor_heat import HOT_C, hottest_c
from daemon.config.settings import Settings
from daemon.doctor.findings import Finding
from daemon.journal.paths import bytes_free
from speech.playback.device_stream import REAL_TIME_PRIORITY

CPU = Path("/sys/devices/system/cpu")
NEEDS_BYTES = 700_000_000
"""Memory of a process with a ViT-B-32, measured with OpenVINO on AVX2."""
LEAST_BYTES = 300_000_000
"""Memory of a process with the starter."""
LITTLE_DISK, NO_DISK = 1_000_000_000, 20_000_000
"""Free bytes of a disk below which it counts as nearly full, and as full."""
INTEL = "0x8086"
"""The PCI vendor id of Intel."""
# Name, shared library, Debian package, and the state if it is missing.
_LIBRARIES = (
    ("espeak-ng", "libespeak-ng.so.1", "espeak-ng", "fail"),
    ("portaudio", "libportaudio.so.2", "libportaudio2", "warn"),
)


def processor(_: Settings) -> Iterator[Finding]:
    """The processor's instructions and its limits of power and heat."""
    flags = set[str]()
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            # One processor is enough: all of them have the same flags.
            if line.startswith("flags"):
                flags = set(line.partition(":")[2].split())
                break
    # The cores that this process may use; a service can be pinned to a few.
    yield assess_flags(flags, len(os.sched_getaffinity(0)))
    yield from assess_governor(
        *(
            _all(f"cpufreq/{name}")
            for name in ("scaling_driver", "scaling_governor", "energy_performance_preference")
        )
    )
    yield from assess_heat(_throttled(), hottest_c())


def assess_flags(flags: set[str], cores: int) -> Finding:
    """Judge the processor's vector instructions, which decide the detector's speed."""
    name, many = "processor", f"{cores} {'core' if cores == 1 else 'cores'}"
    if not flags:
        return Finding(name, "ok", f"{many}; its instructions are not listed here")
    if "avx2" not in flags:
        todo = 'expect a few pictures a second; pipeline.device = "GPU" where there is one'
        return Finding(name, "warn", f"{many} without AVX2: several times slower", todo)
    vnni = sorted(flags & {"avx_vnni", "avx512_vnni", "amx_int8"})
    if vnni:
        return Finding(name, "ok", f"{many} with AVX2 and {', '.join(vnni)}: int8 models are worth it")
    return Finding(name, "ok", f"{many} with AVX2, without VNNI: int8 models gain little")


def assess_governor(drivers: set[str], governors: set[str], preferences: set[str]) -> Iterator[Finding]:
    """Judge whether the clock is kept low.

    With intel_pstate the governor `powersave` does not limit the clock; the energy preference `power` does.
    """
    todo = "sudo cpupower frequency-set -g performance, or the power profile of the desktop or the firmware"
    # Both drivers choose the clock by themselves: their governor `powersave` is the normal one.
    if governors & {"powersave"} and not drivers & {"intel_pstate", "amd-pstate-epp"}:
        yield Finding("processor clock", "warn", "the governor `powersave` keeps it at its lowest", todo)
    elif preferences & {"power"}:
        yield Finding("processor clock", "warn", "the energy preference `power` slows it down", todo)
    elif governors:
        yield Finding("processor clock", "ok", ", ".join(sorted(governors | preferences)))


def assess_heat(throttled: int, celsius: float | None) -> Iterator[Finding]:
    """Judge whether heat slows the processor down."""
    todo = "clean the fan, give it air; a slower capture.device_fps heats less"
    if celsius is not None and celsius >= HOT_C:
        yield Finding("heat", "warn", f"{celsius:.0f} °C", todo)
    elif throttled:
        yield Finding("heat", "warn", f"it was slowed down {throttled} times since the machine started", todo)
    elif celsius is not None:
        yield Finding("heat", "ok", f"{celsius:.0f} °C, never slowed down")


def memory(_: Settings) -> Iterator[Finding]:
    """The memory available for models."""
    yield assess_memory(available_bytes())


def assess_memory(free: int) -> Finding:
    """Free memory, in bytes, against the detector's need; the describer has a probe of its own."""
    todo = 'close what is not needed, or add memory; pipeline.model = "starter" takes the least'
    if free < LEAST_BYTES:
        return Finding(
            "memory", "fail", f"{gigabytes(free)} free; even the starter takes {gigabytes(LEAST_BYTES)}", todo
        )
    if free < NEEDS_BYTES:
        return Finding("memory", "warn", f"{gigabytes(free)} free; large models do not fit", todo)
    return Finding("memory", "ok", f"{gigabytes(free)} free")


def disks(settings: Settings) -> Iterator[Finding]:
    """Free room in each folder that is written to."""
    for name in ("state", "cache", "models"):
        folder: Path = getattr(settings.paths, name)
        place = next(path for path in (folder, *folder.parents) if path.exists())
        with suppress(OSError):
            yield assess_disk(name, folder, bytes_free(place))


def assess_disk(name: str, folder: Path, free: int) -> Finding:
    todo = f"make room, or set paths.{name} to another disk"
    if free < NO_DISK:
        return Finding(f"{name} disk", "fail", f"full: {free / 1e6:.0f} MB free at {folder}", todo)
    if free < LITTLE_DISK:
        return Finding(f"{name} disk", "warn", f"{gigabytes(free)} free at {folder}", todo)
    return Finding(f"{name} disk", "ok", f"{gigabytes(free)} free")


def clock(_: Settings) -> Iterator[Finding]:
    """The wall clock: alerts do not depend on it, but the journal and TLS do."""
    output = ""
    # Without systemd there is no timedatectl; then only the dates are compared.
    if program := shutil.which("timedatectl"):
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(  # noqa: S603
                [program, "show", "-p", "NTPSynchronized", "--value"],
                capture_output=True, text=True, timeout=10, check=False,
            )  # fmt: skip
            output = done.stdout.strip()
    yield assess_clock(time.time(), Path(daemon.__file__).stat().st_mtime, output)


def assess_clock(now: float, installed: float, synchronised: str) -> Finding:
    """Judge the clock. `now` and `installed` (the time of the installation): Unix seconds.

    `synchronised`: "yes", "no", or empty if unknown. A correct clock is later than the installation.
    """
    stamp = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    todo = "sudo timedatectl set-ntp true, or set the clock; TLS and the journal's times need it"
    # A day of tolerance: dates in a wheel, which is a ZIP file, carry no time zone.
    if now < installed - 86400:
        return Finding("clock", "warn", f"{stamp} is before this was installed: it is wrong", todo)
    if synchronised == "no":
        return Finding("clock", "warn", f"{stamp}, not kept right by any time server", todo)
    return Finding("clock", "ok", stamp)


@dataclass(frozen=True, slots=True)
class Node:
    """A device file of a graphics or neural processor."""

    path: str
    vendor: str
    usable: bool
    """Whether we may open it."""


def accelerators(_: Settings) -> Iterator[Finding]:
    """Whether there is an accelerator that OpenVINO does not see because a driver is missing."""
    import openvino

    devices = openvino.Core().available_devices
    yield from assess_accelerators(
        # The device files and their entries in sysfs have different folders.
        _nodes("drm", "dri", "renderD*"),
        _nodes("accel", "accel", "accel*"),
        devices,
    )


def assess_accelerators(
    graphics: Sequence[Node], neural: Sequence[Node], devices: Sequence[str]
) -> Iterator[Finding]:
    seen = {device.partition(".")[0] for device in devices}
    for what, device, nodes, todo in (
        (
            "GPU driver", "GPU", graphics,
            "apt-get install intel-opencl-icd; a newer GPU needs Intel's own compute-runtime packages",
        ),
        (
            "NPU driver", "NPU", neural,
            "install Intel's linux-npu-driver packages (intel-level-zero-npu, intel-driver-compiler-npu, "
            "intel-fw-npu, level-zero); Debian 12 has none of them",
        ),
    ):  # fmt: skip
        # OpenVINO's GPU and NPU plugins support Intel's devices only.
        intel = [node for node in nodes if node.vendor == INTEL]
        if device in seen:
            yield Finding(what, "ok", ", ".join(d for d in devices if d.startswith(device)))
        elif any(node.usable for node in intel):
            yield Finding(what, "warn", f"{intel[0].path} is there, but OpenVINO sees no {device}", todo)
        elif nodes and not intel:
            yield Finding(what, "ok", f"{nodes[0].path} is not Intel's; the processor does the work")


def libraries(_: Settings) -> Iterator[Finding]:
    """System libraries that no Python package brings along."""
    missing = [entry for entry in _LIBRARIES if not _loads(entry[1])]
    for name, file, package, state in missing:
        yield Finding(
            name, "fail" if state == "fail" else "warn", f"{file} is missing", f"apt-get install {package}"
        )
    if not missing:
        yield Finding("libraries", "ok", ", ".join(entry[0] for entry in _LIBRARIES))


def real_time(_: Settings) -> Iterator[Finding]:
    """Whether the sound process may run at real-time priority."""
    yield assess_real_time(os.geteuid() == 0, resource.getrlimit(resource.RLIMIT_RTPRIO)[0])


def assess_real_time(root: bool, limit: int) -> Finding:
    if root or limit >= REAL_TIME_PRIORITY or limit == resource.RLIM_INFINITY:
        return Finding("real time", "ok", "sound may run in real time")
    todo = (
        f"echo '@audio - rtprio {REAL_TIME_PRIORITY}' | sudo tee /etc/security/limits.d/watchword.conf, then "
        "log in again; the system's service brings its own limits"
    )
    return Finding("real time", "warn", "speech may stutter under load when started by hand", todo)


def _all(name: str) -> set[str]:
    found = set[str]()
    # Each core has its own: one that is held low slows everything that runs on it.
    for file in CPU.glob(f"cpu[0-9]*/{name}"):
        with suppress(OSError):
            found.add(file.read_text().strip())
    return found


def _throttled() -> int:
    counts = [0]
    for file in CPU.glob("cpu[0-9]*/thermal_throttle/package_throttle_count"):
        with suppress(OSError, ValueError):
            counts.append(int(file.read_text()))
    # The counter belongs to the package; each of its cores repeats it.
    return max(counts)


def _nodes(kind: str, folder: str, pattern: str) -> list[Node]:
    nodes: list[Node] = []
    for path in sorted(Path("/dev", folder).glob(pattern)):
        vendor = ""
        with suppress(OSError):
            vendor = Path("/sys/class", kind, path.name, "device/vendor").read_text().strip()
        nodes.append(Node(str(path), vendor, os.access(path, os.R_OK | os.W_OK)))
    return nodes


def _loads(library: str) -> bool:
    try:
        # Loaded and not only found: a library can lack one of its own.
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
