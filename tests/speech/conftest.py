"""A loudspeaker for every test that wants one: a private PulseAudio."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemon.bench.loudspeaker import PrivatePulse, available


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePulse]:
    """A running sound server that ALSA's `default` leads to."""
    if not available():
        pytest.skip("needs Debian's packages pulseaudio and libasound2-plugins")
    server = PrivatePulse(tmp_path_factory.mktemp("pulse"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALSA_CONFIG_PATH", str(server.alsa_config))
        server.start()
        yield server
        server.kill()
