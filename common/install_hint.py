"""How the optional Python packages of this installation are added."""

from __future__ import annotations

import sys
from pathlib import Path

_OF_SETUP = ("web", "prepare")
"""Extras that script/setup has options for."""
_ROOT = Path(__file__).parents[1]


def install_hint(extra: str, *, root: Path = _ROOT, prefix: Path | None = None) -> str:
    """The command that adds an extra of pyproject.toml: in a checkout, after script/install, or after pip."""
    if (root / "script" / "setup").exists():
        if extra in _OF_SETUP:
            return f"script/setup --{extra}"
        return f".venv/bin/pip install '.[{extra}]'"
    prefix = prefix or Path(sys.prefix)
    if prefix.name == "watchword":
        return f"script/install --with {extra}"
    return f"{prefix / 'bin' / 'pip'} install 'watchword[{extra}]'"
