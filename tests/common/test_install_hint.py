from __future__ import annotations

from pathlib import Path

import pytest

from common.install_hint import install_hint


@pytest.mark.parametrize(
    ("extra", "hint"),
    [
        ("web", "script/setup --web"),
        ("prepare", "script/setup --prepare"),
        ("piper", ".venv/bin/pip install '.[piper]'"),
    ],
)
def test_in_a_checkout(extra: str, hint: str) -> None:
    assert install_hint(extra) == hint


def test_where_it_was_installed(tmp_path: Path) -> None:
    assert install_hint("web", root=tmp_path, prefix=Path("/opt/watchword")) == "script/install --with web"


NEEDS = ("numpy>=2.0", 'fastapi>=0.115; extra == "web"', 'uvicorn>=0.34; extra == "web"')


def test_by_pip_it_names_what_the_extra_stands_for(tmp_path: Path) -> None:
    """No index has this project: `pip install watchword[web]` would fetch nothing, or somebody else's."""
    pip = install_hint("web", root=tmp_path, prefix=Path("/home/me/env"), requirements=NEEDS)
    assert pip == "/home/me/env/bin/pip install 'fastapi>=0.115' 'uvicorn>=0.34'"
    (tmp_path / "watchword.list").touch()
    debian = install_hint(
        "web",
        root=tmp_path,
        prefix=Path("/opt/watchword"),
        dpkg=tmp_path / "watchword.list",
        requirements=NEEDS,
    )
    assert debian == "sudo /opt/watchword/bin/pip install 'fastapi>=0.115' 'uvicorn>=0.34'"
