"""The man page and the files of packages say what the help says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.cli.main import COMMANDS
from daemon.cli.pages import man
from daemon.cli.pages.files import SHARE, pages
from daemon.cli.pages.reference import CommandReference, read_reference

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_files_of_the_repository_are_up_to_date(name: str) -> None:
    assert (ROOT / SHARE / name).read_text(encoding="utf-8") == pages()[name], "run script/command_pages"


def _options(command: CommandReference) -> set[str]:
    own = {flag for option in command.options for flag in option.flags}
    return own.union(*(_options(verb) for verb in command.verbs))


def _read(page: Path) -> str:
    result = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", "-P-cbou", page], capture_output=True, text=True, timeout=30
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.skipif(not shutil.which("groff"), reason="needs Debian's package groff-base")
def test_the_man_page_names_every_command_option_and_exit_code(tmp_path: Path) -> None:
    source = tmp_path / "watchword.1"
    source.write_text(man.render(read_reference()), encoding="utf-8")
    text = _read(source)
    reference = read_reference()
    assert [name for name in COMMANDS if not re.search(rf"^ +watchword {name}\b", text, re.MULTILINE)] == []
    wanted = set[str]().union(*(_options(command) for command in reference.commands))
    assert {flag for flag in wanted if flag not in text} == set()
    for section in ("NAME", "EXIT STATUS", "ENVIRONMENT", "FILES", "SIGNALS", "EXAMPLES"):
        assert f"\n{section}\n" in f"\n{text}"
