"""Tells how to add optional Python packages to this installation."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

_OF_SETUP = ("web", "prepare")
"""Extras that script/setup has options for."""
_ROOT = Path(__file__).parents[1]
_DPKG = Path("/var/lib/dpkg/info/watchword.list")
"""Exists if this is the Debian package."""


def install_hint(
    extra: str,
    *,
    root: Path = _ROOT,
    prefix: Path | None = None,
    dpkg: Path = _DPKG,
    requirements: Sequence[str] | None = None,
) -> str:
    """The command that adds an extra of pyproject.toml: in a checkout, after script/install, or after pip.

    `requirements`: those of the installed distribution, with their extras as markers.
    """
    if (root / "script" / "setup").exists():
        if extra in _OF_SETUP:
            return f"script/setup --{extra}"
        return f".venv/bin/pip install '.[{extra}]'"
    prefix = prefix or Path(sys.prefix)
    if prefix.name == "watchword" and not dpkg.exists():
        return f"script/install --with {extra}"
    # By the packages' own names: no index has this project, and under its name there may be another's.
    sudo = "sudo " if prefix.name == "watchword" else ""
    return f"{sudo}{prefix / 'bin' / 'pip'} install {' '.join(_packages(extra, requirements))}"


def _packages(extra: str, wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        try:
            wanted = requires("watchword") or []
        except PackageNotFoundError:
            wanted = []
    marked = re.compile(rf"""extra == ['"]{re.escape(extra)}['"]""")
    found = [one.partition(";")[0].strip() for one in wanted if marked.search(one)]
    return [f"'{one}'" for one in found] or [f"'watchword[{extra}]'"]
