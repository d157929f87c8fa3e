"""A service starts with the last good configuration; by hand, or without one, the mistakes are told."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.config.last_good import LAST_GOOD
from daemon.config.start_policy import StartPolicy
from daemon.errors import ConfigError

GOOD = '[speech]\nrate_wpm = 200\n[capture]\nsource = "rtsp://me:secret@host/1"\n'
BAD = "[speech]\nrate_wpm = fast\nvolum = 1\n"


class Machine:
    """One configuration file, one state folder."""

    def __init__(self, home: Path) -> None:
        self.config = home / "config.toml"
        self.state = home / ".local/state/watchword"
        self.env = {"HOME": str(home)}
        self.overrides = self.state / "overrides.toml"

    def write(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")

    def policy(
        self, *, service: bool = True, config: Path | None = None, env: Mapping[str, str] | None = None
    ) -> StartPolicy:
        return StartPolicy(config or self.config, {**self.env, **(env or {})}, {}, service=service)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_service_starts_with_what_held_last_and_knows_why(machine: Machine) -> None:
    machine.write(GOOD)
    machine.state.mkdir(parents=True)
    machine.overrides.write_text("[speech]\nvolume = 0.5\n")
    machine.policy().load()
    machine.write(BAD)
    loaded = machine.policy(env={"WATCHWORD_SPEECH__PITCH": "40"}).load()
    speech = loaded.settings.speech
    assert (speech.rate_wpm, speech.volume, speech.pitch) == (200, 0.5, 40)
    assert [mistake.partition(": ")[0] for mistake in loaded.refused] == [
        f"{machine.config}:2",
        f"{machine.config}:3",
    ]
    assert loaded.origins["speech", "rate_wpm"].where(("speech", "rate_wpm")).startswith(str(machine.state))


@pytest.mark.parametrize(
    "damage",
    [
        lambda m: m.write("\x00" * 9),
        lambda m: m.config.unlink(),
        lambda m: m.config.write_bytes(GOOD.encode("utf-16")),
        lambda m: m.write("paths = 3\n"),
        lambda m: m.write('[hazards.ufo]\nsay_en = "UFO"\n'),
        lambda m: m.overrides.write_text("[speech]\nspeed = 1\n"),
    ],
    ids=["zeros", "gone", "encoding", "folders", "hazard", "overrides"],
)
def test_any_mistake_in_a_file_can_be_stood_in_for(machine: Machine, damage: object) -> None:
    machine.write(GOOD)
    machine.policy().load()
    assert callable(damage)
    damage(machine)
    loaded = machine.policy().load()
    assert loaded.settings.speech.rate_wpm == 200
    assert loaded.refused


def test_a_reload_tells_of_mistakes_and_a_good_one_is_kept(machine: Machine) -> None:
    machine.write(GOOD)
    machine.policy().load()
    machine.write(BAD)
    policy = machine.policy()
    assert policy.load().refused
    with pytest.raises(ConfigError, match="should be a whole number"):
        policy.load()
    machine.write("[speech]\nrate_wpm = 210\n")
    assert not policy.load().refused
    machine.write(BAD)
    assert machine.policy().load().settings.speech.rate_wpm == 210


def test_without_a_copy_or_by_hand_every_mistake_is_told(machine: Machine) -> None:
    machine.write(BAD)
    with pytest.raises(ConfigError) as first:
        machine.policy().load()
    assert len(first.value.problems) == 2
    machine.write(GOOD)
    machine.policy().load()
    machine.write(BAD)
    with pytest.raises(ConfigError):
        machine.policy(service=False).load()


def test_a_trial_with_another_file_or_variable_is_no_stand_in(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "trial.toml"
    other.write_text("[speech]\nrate_wpm = 300\n")
    machine.policy(service=False, config=other).load()
    machine.write(BAD)
    with pytest.raises(ConfigError):
        machine.policy().load()
    machine.write(GOOD)
    machine.policy().load()
    with pytest.raises(ConfigError, match="WATCHWORD_SPEECH__RATE"):
        machine.policy(env={"WATCHWORD_SPEECH__RATE": "1"}).load()


def test_the_copy_is_private_and_a_folder_that_cannot_be_written_does_not_matter(machine: Machine) -> None:
    machine.write(GOOD)
    machine.policy().load()
    copy = machine.state / LAST_GOOD
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    before = copy.stat().st_mtime_ns
    machine.policy().load()
    assert copy.stat().st_mtime_ns == before, "an unchanged copy is not written again"
    copy.unlink()
    copy.mkdir()
    assert machine.policy().load().settings.speech.rate_wpm == 200
