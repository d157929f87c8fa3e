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
    pip = install_hint("web", root=tmp_path, prefix=Path("/home/me/env"))
    assert pip == "/home/me/env/bin/pip install 'watchword[web]'"
