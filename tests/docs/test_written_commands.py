"""Every command that README and docs write is one that exists, with options that exist."""

from __future__ import annotations

import re
import shlex

import pytest

from daemon.cli.main import COMMANDS, GROUPS
from daemon.cli.parser import build_parser
from tests.docs.commands import PLAN, Written, inline, plan_of, written

PLACEHOLDERS = {"N": "1", "MINUTES": "1", "…": "", "...": ""}
"""Words that stand for a value of another kind."""
FENCED = sorted(
    {
        one
        for one in written()
        if re.match(r"(sudo )?(\.venv/bin/)?watchword ", one.command.rpartition("&& ")[2])
    },
    key=repr,
)


def _arguments(command: str) -> list[str]:
    last = re.sub(r"^(sudo )?(\.venv/bin/)?watchword ", "", command.rpartition("&& ")[2])
    # Brackets stand around what may be left out; of alternatives the first is typed.
    words = shlex.split(re.sub(r" >.*$|[\[\]]|\s*\|\s*[\w-]+", "", last))
    return [word for one in words if (word := PLACEHOLDERS.get(one, one))]


@pytest.mark.parametrize("one", [*FENCED, *sorted(set(inline()), key=repr)], ids=lambda one: one.command)
def test_it_can_be_typed(one: Written, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        build_parser(COMMANDS, GROUPS).parse_args(_arguments(one.command))
    except SystemExit as refused:
        # A command or option that is only named, as "`watchword models`" is, may lack its arguments.
        said = capsys.readouterr().err
        named = "required" in said or "expected one argument" in said
        assert refused.code in (0, None) or named, f"{one}: {said}"


def test_each_command_has_been_thought_of() -> None:
    assert [one for one in written() if plan_of(one.command) is None] == []


def test_nothing_is_planned_that_no_document_tells() -> None:
    told = {one.command for one in written()}
    assert [command for command in PLAN if command not in told] == []
