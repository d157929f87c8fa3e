"""The commented configuration says what the settings are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from daemon.config.layers import walk
from daemon.config.settings import SCHEMA, defaults
from daemon.tools.maintainer.config_template import live_table, render, with_live_table


def test_as_shipped_the_file_changes_nothing() -> None:
    assert [path for path in walk(tomllib.loads(render())) if len(path) > 2] == []


def test_every_commented_value_is_the_default() -> None:
    shown = tomllib.loads(re.sub(r"^#(?![ :]|$)|^#(?=    \")", "", render(), flags=re.MULTILINE))
    expected = defaults({"HOME": "/"}).model_dump(mode="json")
    expected["paths"] = dict.fromkeys(expected["paths"], "auto")
    assert shown == expected


def test_every_setting_has_a_description() -> None:
    assert [path for path in SCHEMA.leaves() if not (SCHEMA.at(path) or {}).get("description")] == []


def test_lines_fit_a_terminal() -> None:
    assert max(len(line) for line in render().splitlines()) <= 110


def test_the_files_of_the_repository_are_up_to_date() -> None:
    root = Path(__file__).parents[4]
    assert (root / "config.toml").read_text(encoding="utf-8") == render()
    page = (root / "docs/configuration.md").read_text(encoding="utf-8")
    assert with_live_table(page) == page


def test_the_table_tells_what_is_live() -> None:
    rows = live_table().splitlines()
    assert "| `watch` | all |  |" in rows
    assert "| `log` | `level` | the rest |" in rows
    assert not any("`capture`" in row for row in rows)
