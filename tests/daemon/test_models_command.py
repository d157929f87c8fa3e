"""`watchword models` as typed, with its output and exit codes."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from daemon import models_command
from pipeline.store.store import Store
from tests.pipeline.store_index import tiny_catalogue


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


@pytest.fixture
def store(tmp_path: Path, wheels: Path) -> Store:
    return Store(tmp_path / "store", tiny_catalogue(wheels))


def run(store: Store, *words: str) -> int:
    parser = argparse.ArgumentParser()
    models_command.configure(parser)
    return models_command.run(parser.parse_args(words), store)


def test_pull_list_verify_remove(store: Store, wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(store, "pull", "tiny", "--from", str(wheels)) == 0
    assert capsys.readouterr().out == f"tiny: ready in {store.root}/tiny\n"
    assert run(store, "list") == 0
    head, line, where = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "KIND", "STATE", "SIZE", "LICENCE"]
    assert line.split() == ["tiny", "image-text", "ready", "102", "kB", "MIT"]
    assert where == f"in {store.root}"
    assert run(store, "verify") == 0
    assert "tiny: every byte is as it should be" in capsys.readouterr().out
    assert run(store, "remove", "tiny") == 0
    assert run(store, "remove", "tiny") == 0
    assert capsys.readouterr().out == "tiny: removed\ntiny: was not here\n"


def test_a_tampered_file_is_named_with_what_to_do(
    store: Store, wheels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(store, "pull", "tiny", "--from", str(wheels))
    (store.root / "tiny" / "words.json").write_text('["cat", "dxg"]')
    assert run(store, "verify", "tiny") == 1
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert str(store.root / "tiny" / "words.json") in complaint
    assert "watchword models pull tiny" in complaint
    assert run(store, "pull", "tiny", "--from", str(wheels)) == 0
    assert run(store, "verify", "tiny") == 0


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("pull", "tony"), 2, "did you mean 'tiny'?"),
        (("remove", "tony"), 2, "did you mean 'tiny'?"),
        (("verify", "tiny"), 1, "watchword models pull tiny"),
        (("pull", "tiny", "--from", "/nowhere"), 2, "no such folder"),
        (("pull", "tiny", "--from", "/"), 1, "lacks tiny_weights"),
    ],
)
def test_what_goes_wrong_is_one_line(
    store: Store, words: tuple[str, ...], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(store, *words) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_verify_without_any_model_says_so(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(store, "verify") == 0
    assert "no model is in" in capsys.readouterr().out


def test_no_verb_is_a_usage_error(store: Store) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(store)
