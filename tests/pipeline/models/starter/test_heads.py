"""The file of heads, and the heads in the graph against the same arithmetic in numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from pipeline.models.preprocess import letterbox
from pipeline.models.starter.checkpoint import read_checkpoint
from pipeline.models.starter.heads import CLASSES, FEATURES, Heads, HeadsError, heads_bytes, read_heads
from pipeline.models.starter.input_size import WIDE
from pipeline.models.starter.model import NETWORK_FILE, StarterModel
from pipeline.models.starter.network import build_network
from tests.pipeline.models.starter.files import starter_folder


def small_heads(hidden: int = 3) -> Heads:
    random = np.random.default_rng(1)

    def weights(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return random.normal(0, 0.1, shape).astype(np.float16).astype(np.float32)

    return Heads(
        hazards=("fire", "dog"),
        hidden_weight=weights(hidden, FEATURES),
        hidden_bias=weights(hidden),
        output_weight=weights(2, hidden),
        output_bias=weights(2),
        classes=np.eye(2, CLASSES, dtype=np.float32),
        class_slope=np.ones(2, np.float32),
        threshold=np.full(2, 0.5, np.float32),
        centre=weights(FEATURES),
    )


def test_heads_survive_the_disk_and_give_the_same_bytes(tmp_path: Path) -> None:
    heads, path = small_heads(), tmp_path / "heads.npz"
    path.write_bytes(heads_bytes(heads))
    again = read_heads(path)
    assert again.hazards == heads.hazards
    np.testing.assert_array_equal(again.hidden_weight, heads.hidden_weight)
    np.testing.assert_array_equal(again.centre, heads.centre)
    assert heads_bytes(again) == path.read_bytes()


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "truncated", "other arrays", "other format"])
def test_a_file_that_is_not_intact_is_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "heads.npz"
    whole = heads_bytes(small_heads())
    if damage == "other arrays":
        np.savez(path, hazards=np.array(["fire"]))
    elif damage == "other format":
        arrays = dict(np.load(_written(tmp_path / "good.npz", whole)))
        np.savez(path, **{**arrays, "format": np.array(1)})
    elif damage != "missing":
        path.write_bytes({"empty": b"", "text": b"not a file of heads", "truncated": whole[:-200]}[damage])
    with pytest.raises(HeadsError, match=r"heads\.npz: (cannot be read|not an intact file)"):
        read_heads(path)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("hazards", ("fire", "fire"), "named twice"),
        ("output_bias", np.zeros(3, np.float32), "output_bias has the shape"),
        ("centre", np.full(FEATURES, np.nan, np.float32), "not finite"),
        ("threshold", np.array([0.5, 1.0], np.float32), "not in"),
    ],
)
def test_numbers_that_fit_no_head_are_refused(name: str, wrong: object, said: str) -> None:
    with pytest.raises(HeadsError, match=said):
        replace(small_heads(), **{name: wrong})  # type: ignore[arg-type]


def test_the_graph_computes_what_the_heads_say() -> None:
    """Of the whole picture: the graph's own pooled features and probabilities, put into numpy."""
    folder, heads = starter_folder(), read_heads()
    picture = np.random.default_rng(3).integers(0, 256, (90, 160, 3), np.uint8)
    bare = ov.Core().compile_model(
        build_network(read_checkpoint(folder / NETWORK_FILE), WIDE),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32"},
    )
    probabilities, pooled = (bare([letterbox(picture, *WIDE)[None]])[index][0] for index in (0, 1))
    seen = StarterModel(folder).encode(picture)
    np.testing.assert_allclose(seen.embedding, heads.embeddings(pooled), atol=1e-5)
    np.testing.assert_allclose(seen.evidence[:14], heads.scores(pooled, probabilities), atol=1e-3)
    np.testing.assert_allclose(seen.evidence[14:], probabilities, atol=1e-5)
