"""Generates the files below `share/` that packages install, from the help of the command line.

`script/command_pages` runs this module; the files are kept in the repository like `config.toml`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from daemon.cli.pages import bash, man, zsh
from daemon.cli.pages.reference import read_reference

SHARE = Path("share")
_MAKERS = {
    "man/man1/watchword.1": man.render,
    "bash-completion/completions/watchword": bash.render,
    "zsh/site-functions/_watchword": zsh.render,
}


def pages() -> dict[str, str]:
    """The text of each file, by its path below `share/`."""
    reference = read_reference()
    return {name: render(reference) for name, render in _MAKERS.items()}


def main() -> int:
    """Write the man page and the completions; with --check, report whether they are up to date."""
    parser = argparse.ArgumentParser(prog="script/command_pages", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if one is out of date")
    check = parser.parse_args().check
    stale = 0
    for name, text in pages().items():
        path = SHARE / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            sys.stderr.write(f"{path} is out of date: run script/command_pages\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
