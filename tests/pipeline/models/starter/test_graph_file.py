"""The graph in a file: the same scores as from the checkpoint, and never a stale or damaged one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from common.memory import resident_bytes
from pipeline.models.starter.compiled import CompiledNetworks
from pipeline.models.starter.errors import StarterUnusableError
from pipeline.models.starter.graph_file import GraphFile, GraphPlace
from pipeline.models.starter.heads import read_heads
from pipeline.models.starter.input_size import WIDE
from pipeline.models.starter.model import NETWORK_FILE

PICTURE = np.random.default_rng(1).integers(0, 255, (WIDE[1], WIDE[0], 3)).astype(np.uint8)


@pytest.fixture
def compile_in(models: Path) -> Callable[..., CompiledNetworks]:
    def compiled(cache: Path | None, fingerprint: str = "a") -> CompiledNetworks:
        return CompiledNetworks(models / "starter" / NETWORK_FILE, read_heads, "CPU", 0, cache, fingerprint)

    return compiled


def outputs(networks: CompiledNetworks) -> list[NDArray[np.float32]]:
    return [np.array(one) for one in networks.run(PICTURE)]


def graphs(cache: Path) -> list[Path]:
    return sorted((cache / "graphs").iterdir())


def test_scores_are_equal_built_written_and_read(
    compile_in: Callable[..., CompiledNetworks], tmp_path: Path
) -> None:
    (tmp_path / "no folder").touch()
    wanted = outputs(compile_in(None))
    for cache in (tmp_path / "cache", tmp_path / "cache", tmp_path / "no folder" / "cache"):
        for found, one in zip(outputs(compile_in(cache)), wanted, strict=True):
            assert (found == one).all()
    assert len(graphs(tmp_path / "cache")) == 1


def test_an_intact_file_is_read_and_not_written_again(
    models: Path, compile_in: Callable[..., CompiledNetworks], tmp_path: Path
) -> None:
    compile_in(tmp_path)
    (file,) = graphs(tmp_path)
    before = file.stat()
    # Without a checkpoint nothing can be built, so what runs was read from the file.
    CompiledNetworks(tmp_path / "absent", read_heads, "CPU", 0, tmp_path, "a")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_model_has_another_file_and_the_old_one_goes(
    compile_in: Callable[..., CompiledNetworks], tmp_path: Path
) -> None:
    compile_in(tmp_path, "a")
    old = graphs(tmp_path)
    compile_in(tmp_path, "b")
    (new,) = graphs(tmp_path)
    assert [new] != old
    with pytest.raises(StarterUnusableError):
        CompiledNetworks(tmp_path / "absent", read_heads, "CPU", 0, tmp_path, "c")


@pytest.fixture(scope="module")
def intact(models: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    cache = tmp_path_factory.mktemp("intact")
    CompiledNetworks(models / "starter" / NETWORK_FILE, read_heads, "CPU", 0, cache, "a")
    return graphs(cache)[0].read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:30],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:48] + bytes([content[48] ^ 1]) + content[49:],
        lambda content: content + b"x",
    ],
    ids=["empty", "header only", "half", "a bit", "the mark", "the length", "longer"],
)
def test_a_damaged_file_is_told(intact: bytes, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "some.graph"
    file.write_bytes(intact)
    GraphFile(file)
    file.write_bytes(damage(intact))
    with pytest.raises(ValueError, match=r"graph|empty"):
        GraphFile(file)


def test_a_damaged_file_is_built_again(compile_in: Callable[..., CompiledNetworks], tmp_path: Path) -> None:
    wanted = outputs(compile_in(tmp_path))
    (file,) = graphs(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    for found, one in zip(outputs(compile_in(tmp_path)), wanted, strict=True):
        assert (found == one).all()
    assert GraphFile(file)


def test_the_weights_need_not_stay_in_memory(
    compile_in: Callable[..., CompiledNetworks], tmp_path: Path
) -> None:
    compile_in(tmp_path)
    file = GraphFile(graphs(tmp_path)[0])
    full = resident_bytes(os.getpid())
    file.release_memory()
    assert resident_bytes(os.getpid()) < full - 20 * 2**20


def test_the_place_names_the_input_and_all_that_shaped_the_graph(tmp_path: Path) -> None:
    place = GraphPlace(tmp_path, 347, 195, "k" * 64)
    assert place.path == tmp_path / f"starter-347x195-{'k' * 32}.graph"
    place.path.touch()
    other = GraphPlace(tmp_path, 195, 347, "k" * 64)
    assert not other.others
    assert GraphPlace(tmp_path, 347, 195, "l" * 64).others == [place.path]
