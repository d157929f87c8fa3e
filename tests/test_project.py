"""Rules of the whole project: imports, packaging, scripts, and the files and commands that documents name."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from daemon.cli.main import COMMANDS
from daemon.config.settings import SCHEMA
from daemon.tools.maintainer.config_template import SCHEMA_LINE, render
from tests.imports import import_circles

ROOT = Path(__file__).parents[1]
PACKAGES = ("common", "capture", "pipeline", "speech", "daemon")
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
HEAVY = ("torch", "torchvision", "open_clip", "transformers", "optimum", "nncf")


def test_imports_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stdout


def test_packages_import_each_other_in_no_circle() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    checked = next(one for one in contracts if one["type"] == "acyclic_siblings")["ancestors"]
    assert import_circles(checked) == []


# Files of a package with a circle, by the kind of circle. `tree_1` stands for the name of the package.
CIRCLES = {
    "two modules": {"a.py": "import tree_1.b", "b.py": "from tree_1 import a"},
    "within a function": {"a.py": "def late():\n    import tree_1.b", "b.py": "import tree_1.a"},
    "two packages": {
        "p/__init__.py": "",
        "p/a.py": "import tree_1.q.b",
        "p/c.py": "",
        "q/__init__.py": "",
        "q/b.py": "import tree_1.p.c",
    },
    "two packages deep inside": {
        "r/__init__.py": "",
        "r/p/__init__.py": "",
        "r/p/a.py": "import tree_1.r.q.b",
        "r/p/c.py": "",
        "r/q/__init__.py": "",
        "r/q/b.py": "import tree_1.r.p.c",
    },
    "a package and its module": {"p/__init__.py": "import tree_1.p.a", "p/a.py": "import tree_1.p"},
}


@pytest.mark.parametrize("number, files", list(enumerate(CIRCLES.values())), ids=CIRCLES)
def test_every_kind_of_circle_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, files: dict[str, str]
) -> None:
    name = f"made_tree_{number}"  # another name each time: Python remembers the packages it has found
    for file, text in {"__init__.py": "", "straight.py": "", **files}.items():
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("tree_1", name), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert import_circles([name]) != []
    for file in files:
        (tmp_path / name / file).write_text("", encoding="utf-8")
    assert import_circles([name]) == []


def test_the_configuration_file_is_up_to_date() -> None:
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == render(), "run script/config_template"


def test_the_schema_for_editors_is_up_to_date_and_named_first() -> None:
    name = SCHEMA_LINE.removeprefix("#:schema ./")
    assert (ROOT / "config.toml").read_text(encoding="utf-8").splitlines()[0] == SCHEMA_LINE
    assert (ROOT / name).read_text(encoding="utf-8") == SCHEMA.to_json(), "run script/config_template"


WHEEL_FILES = """
from pathlib import Path
from setuptools import Distribution
wheel = Distribution({"script_name": "setup.py"})
wheel.parse_config_files(["pyproject.toml"])
wheel.include_package_data = False  # a list of sources left by an earlier installation would count too
build = wheel.get_command_obj("build_py")
build.ensure_finalized()
for file in build.get_outputs(include_bytecode=False):
    print(Path(file).relative_to(build.build_lib))
"""


def test_the_wheel_holds_what_runs_and_no_tools_of_the_maintainers() -> None:
    # In a process of its own: setuptools replaces distutils, which another test may have imported already.
    listed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WHEEL_FILES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    files = {Path(line) for line in listed.stdout.splitlines()}
    shipped = {
        file.relative_to(ROOT)
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if "maintainer" not in file.parts
    }
    assert {file for file in files if file.suffix == ".py"} == shipped
    data = ("daemon/bench/load.toml", "daemon/web/page/index.html", "pipeline/models/starter/heads.npz")
    assert set(map(Path, data)) <= files


def test_nobody_else_provides_our_packages() -> None:
    providers = packages_distributions()
    assert {name: providers[name] for name in PACKAGES if set(providers.get(name, ())) - {"watchword"}} == {}


def test_running_needs_no_torch() -> None:
    modules = [
        "daemon.cli.main",
        "daemon.wiring.detector",
        *(command.module for command in COMMANDS.values()),
    ]
    code = f"import sys, {', '.join(modules)}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_commands_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
    commands = set(re.findall(r"\bwatchword (?!watchword\b)([a-z-]+)\b", code))
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
