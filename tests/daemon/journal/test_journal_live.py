"""The journal through the real daemon on the street clip, by the command line; one start for all of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.control.commands import JournalCommand, SnapshotCommand, WhyCommand
from daemon.journal.paths import JournalPaths
from tests.daemon.journal.writing import until
from tests.daemon.living import Living

CONFIG = """
[capture]
loop = true
[journal]
black_box_after_s = 0.5
black_box_every_s = 2
pictures = "pixelated"
leave_free_mb = 0
[watch]
cooldown_s = 1
remind_s = 2
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def watchword(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in the daemon's environment; its exit code and what it wrote."""

    def run(living: Living, command: str, *args: str) -> tuple[int, str]:
        for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
            monkeypatch.delenv(name)
        for name, value in living.env.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main.main(["--config", str(living.config), command, *args])
        written = capsys.readouterr()
        return code, written.out + written.err

    return run


def test_what_happened_is_found_explained_repeated_taken_along_and_forgotten(
    tmp_path: Path, models: Path, watchword: Run
) -> None:
    with Living(tmp_path, models, "demo", CONFIG) as living:
        alert = living.await_event("alert")
        living.await_event("speak", cause=alert["id"])
        living.until(lambda: bool(_boxed(living)), 30, "a black box")
        _by_the_socket(living)
        _by_the_command_line(living, watchword, tmp_path)
        code, told = watchword(living, "journal", "purge", "--all")
        assert (code, "--yes" in told) == (2, True)  # nobody is there to be asked
        code, told = watchword(living, "journal", "purge", "--all", "--yes")
        assert code == 0
        assert re.search(r"forgotten: \d+ events", told)
        later = living.heard
        living.await_event("alert", later)
        living.until(lambda: bool(_boxed(living)), 30, "another black box")
        living.process.kill()
        living.process.wait(10)
        _without_the_daemon(living, watchword)


def _boxed(living: Living) -> list[int]:
    page = living.ask(JournalCommand(kinds=("alert",)))
    return [event["row"] for event in page["events"] if event["black_box"]]


def _by_the_socket(living: Living) -> None:
    first = living.ask(JournalCommand(kinds=("alert",)))["events"][-1]
    assert first["snapshot"]
    assert first["run"]
    assert living.ask(SnapshotCommand(row=first["row"]))["pixelated"]
    assert living.status()["journal"]["disk"] == "ok"
    assert living.status()["components"]["disk"]["reason"] == "ok"
    why = living.ask(WhyCommand(event=f"#{first['row']}"))
    assert first["hazard"] in why["text"]
    assert why["steps"][0]["row"] == first["row"]


def _by_the_command_line(living: Living, watchword: Run, tmp_path: Path) -> None:
    code, told = watchword(living, "journal", "--kind", "alert", "--since", "1h", "--json")
    alerts = [json.loads(line) for line in told.splitlines()]
    assert code == 0
    assert {alert["kind"] for alert in alerts} == {"alert"}
    assert re.search(r"#\d+ .* alert .*\[picture", watchword(living, "journal")[1])
    code, told = watchword(living, "why", alerts[0]["id"])
    assert (code, "its threshold is" in told, "was over that for" in told) == (0, True, True)
    code, told = watchword(living, "why", "dangerous_animal")
    assert (code, "dangerous_animal reached" in told) == (0, True)
    assert watchword(living, "why", "dragon")[0] == 1
    boxed = next(alert for alert in alerts if alert["black_box"])
    code, told = watchword(living, "replay", "--journal", f"#{boxed['row']}")
    assert (code, "repeated exactly" in told, f'"id":"{boxed["id"]}"' in told) == (0, True, True)
    code, told = watchword(living, "journal", "export", str(tmp_path / "out"), "--kind", "alert")
    assert code == 0
    lines = (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["evidence"]["thresholds"]
    assert (tmp_path / "out" / json.loads(lines[0])["picture"]).stat().st_size > 500


def _without_the_daemon(living: Living, watchword: Run) -> None:
    """After `kill -9`: straight from the files."""
    code, told = watchword(living, "journal", "--kind", "alert", "--json")
    alerts = [json.loads(line) for line in told.splitlines()]
    assert code == 0
    assert alerts
    heard = {event["id"] for event in living.events if event["kind"] == "alert"}
    assert {alert["id"] for alert in alerts} <= heard
    assert "its threshold is" in watchword(living, "why", f"#{alerts[-1]['row']}")[1]
    code, told = watchword(living, "why", "dangerous_animal")
    assert (code, "dangerous_animal reached" in told) == (0, True)
    boxed = next(alert for alert in alerts if alert["black_box"])
    assert "repeated exactly" in watchword(living, "replay", "--journal", boxed["id"])[1]
    code, told = watchword(living, "journal", "purge", "--before", "0s", "--yes")
    assert code == 0
    until(
        lambda: not list(JournalPaths.in_state(living.folder / ".local/state/watchword").pictures.iterdir())
    )
    assert watchword(living, "journal")[1] == "nothing like that was kept\n"
