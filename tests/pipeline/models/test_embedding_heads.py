"""Heads of any embedding: their file, and whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.models.embedding_heads import (
    EmbeddingHeads,
    EmbeddingHeadsError,
    FittedModel,
    heads_path,
    read_embedding_heads,
    write_heads,
)
from pipeline.types import PromptSet
from tests.fakes import ColourModel, plain


def heads(width: int = 3, **changes: object) -> EmbeddingHeads:
    random = np.random.default_rng(0)
    values: dict[str, object] = {
        "hazards": ("fire", "dog"),
        "model_fingerprint": ColourModel.fingerprint,
        "hidden_weight": random.normal(size=(8, width)).astype(np.float32),
        "hidden_bias": np.zeros(8, np.float32),
        "output_weight": random.normal(size=(2, 8)).astype(np.float32),
        "output_bias": np.array([1, 2], np.float32),
    }
    return EmbeddingHeads(**{**values, **changes})  # type: ignore[arg-type]


def test_a_file_gives_the_same_heads_again(tmp_path: Path) -> None:
    path = heads_path(tmp_path, "colour")
    write_heads(heads(), path)
    again = read_embedding_heads(path)
    assert again.fingerprint == heads().fingerprint
    rows = np.eye(3, dtype=np.float32)
    assert np.array_equal(again.scores(rows), heads().scores(rows))


@pytest.mark.parametrize("content", [b"", b"no heads", b"PK\x03\x04"])
def test_a_broken_file_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "colour.npz"
    path.write_bytes(content)
    with pytest.raises(EmbeddingHeadsError, match="watchword models fit colour --remove"):
        read_embedding_heads(path)


def test_weights_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(EmbeddingHeadsError, match="output_bias"):
        heads(output_bias=np.zeros(3, np.float32))
    with pytest.raises(EmbeddingHeadsError, match="not finite"):
        heads(output_bias=np.array([np.nan, 0], np.float32))


def test_only_shipped_hazards_with_a_head_are_scored_by_it() -> None:
    model = FittedModel(ColourModel(), heads())
    prompts = PromptSet(
        (("fire", ("a fire",)), ("ice", ("ice",)), ("dog", ("my dog",))), (), shipped=frozenset({"fire"})
    )
    encoding = model.encode(plain((200, 30, 30)))
    fitted = model.bind(prompts).scores(encoding)
    words = ColourModel().bind(prompts).scores(encoding)
    assert fitted[0] == pytest.approx(float(heads().scores(encoding.embedding)[0]))
    assert fitted[1:].tolist() == words[1:].tolist()
    assert model.fingerprint != ColourModel.fingerprint


def test_heads_of_another_model_are_refused() -> None:
    with pytest.raises(EmbeddingHeadsError, match="another version"):
        FittedModel(ColourModel(), heads(model_fingerprint="other"))
