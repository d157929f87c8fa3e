"""Laws of the project as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from daemon.cli.main import COMMANDS
from daemon.tools.maintainer.config_template import render

ROOT = Path(__file__).parents[1]
ROOMS = ("capture", "pipeline", "speech", "daemon")
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
HEAVY = ("torch", "torchvision", "open_clip", "transformers", "optimum", "nncf")


def test_imports_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stdout


def test_the_configuration_file_is_up_to_date() -> None:
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == render(), "run script/config_template"


def test_nobody_else_provides_our_packages() -> None:
    providers = packages_distributions()
    assert {name: providers[name] for name in ROOMS if set(providers.get(name, ())) - {"watchword"}} == {}


def test_running_needs_no_torch() -> None:
    modules = ["daemon.cli.main", "daemon.wiring.app", *(command.module for command in COMMANDS.values())]
    code = f"import sys, {', '.join(modules)}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_commands_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
    commands = set(re.findall(r"\bwatchword ([a-z-]+)\b", code))
    assert commands - set(COMMANDS) == set()
    assert {
        name for name in re.findall(r"\bscript/(\w+)", code) if not (ROOT / "script" / name).is_file()
    } == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_link_to_files_that_exist(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize(
    "script", [*sorted((ROOT / "script").iterdir()), ROOT / ".ci/run"], ids=lambda p: p.name
)
def test_scripts_can_be_run(script: Path) -> None:
    assert script.suffix == ".sh" or script.stat().st_mode & 0o111  # *.sh is sourced by the others
    subprocess.run(["bash", "-n", script], check=True, timeout=10)
