"""Runs every probe of the doctor; each finding names its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from daemon.config.settings import Loaded, Settings
from daemon.doctor import files, machine, network, running_daemon
from daemon.doctor.devices import all_probes
from daemon.doctor.findings import Finding, Probe
from daemon.doctor.reading import reading
from daemon.doctor.running_daemon import RunningDaemon
from daemon.doctor.systemd_units import service


def probes(loaded: Loaded, running: RunningDaemon) -> Iterator[Probe]:
    """Every probe, in the order of the report."""
    # First: if a daemon runs, it holds the camera and the loudspeaker, and is asked instead.
    yield lambda _: running_daemon.daemon(running)
    yield from all_probes(running)
    yield reading
    yield from (machine.libraries, machine.processor, machine.accelerators)
    yield from (machine.memory, machine.disks, machine.clock, machine.real_time)
    yield lambda _: files.configuration(loaded.files)
    yield from (files.overrides, files.journal, service)
    yield files.hazards
    yield lambda settings: network.web(settings.web)
    yield network.mqtt


def examine(settings: Settings, probes: Iterable[Probe]) -> Iterator[Finding]:
    """Yield the findings of each probe as soon as they are known. A probe that fails is a finding too."""
    for probe in probes:
        try:
            yield from probe(settings)
        # A probe that fails must not hide what the others find.
        except Exception as error:
            name = getattr(probe, "__name__", type(probe).__name__)
            yield Finding(
                name, "warn", f"could not be looked at: {type(error).__name__}: {error}", "report it"
            )
