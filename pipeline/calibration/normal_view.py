"""What the camera normally sees, as embeddings: kept by `calibrate`, contrasted with by `teach`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.atomic_file import replacing
from pipeline.calibration.repository import FOLDER
from pipeline.models.base import ImageTextModel
from pipeline.types import Embedding

log = logging.getLogger(__name__)


def write_normal(state: Path, model: ImageTextModel, embeddings: Sequence[Embedding]) -> Path:
    """Replaces what was kept before. Raises OSError."""
    place = _place(state, model.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    rows = np.stack(embeddings).astype(np.float16)
    with replacing(place) as file:
        np.savez_compressed(file, embeddings=rows, fingerprint=np.array(model.fingerprint))
    return place


def read_normal(state: Path, model: ImageTextModel) -> tuple[Embedding, ...]:
    """Unit rows; none where nothing was kept for exactly this model, or it cannot be read (logged)."""
    place = _place(state, model.name)
    if not place.is_file():
        return ()
    try:
        with np.load(place, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) != model.fingerprint:
                return ()
            rows = kept["embeddings"].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError) as error:
        log.warning("%s: cannot be read, and is left out: %s", place, error)
        return ()
    return tuple(row / np.linalg.norm(row) for row in rows)


def _place(state: Path, model: str) -> Path:
    return state / FOLDER / f"{model}.normal.npz"
