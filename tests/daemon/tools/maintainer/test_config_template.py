"""The commented configuration says what the settings are."""

from __future__ import annotations

import re
import tomllib

from daemon.config.layers import walk
from daemon.config.settings import SCHEMA, defaults
from daemon.tools.maintainer.config_template import render


def test_as_shipped_the_file_changes_nothing() -> None:
    assert [path for path in walk(tomllib.loads(render())) if len(path) > 2] == []


def test_every_commented_value_is_the_default() -> None:
    shown = tomllib.loads(re.sub(r"^#(?! |$)|^#(?=    \")", "", render(), flags=re.MULTILINE))
    expected = defaults({"HOME": "/"}).model_dump(mode="json")
    expected["paths"] = dict.fromkeys(expected["paths"], "auto")
    assert shown == expected


def test_every_setting_has_a_description() -> None:
    assert [path for path in SCHEMA.leaves() if not (SCHEMA.at(path) or {}).get("description")] == []


def test_lines_fit_a_terminal() -> None:
    assert max(len(line) for line in render().splitlines()) <= 110
